import { redo, undo } from '@codemirror/commands';
import {
  type ChangeSet,
  EditorState,
  type Extension,
  StateEffect,
  type Text,
  type Transaction,
  type TransactionSpec,
} from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import { create } from 'zustand';
import { type LaidOut, layOut, storedText } from '../../core/json/layout.ts';
import type { Draft } from '../../shared/protocol.ts';
import { editorExtensions } from '../features/editor/code-extensions.ts';
import { softBreaksOf, withSoftBreaks } from '../features/editor/long-lines.ts';
import type { MadeDraft } from '../work/jobs.ts';
import { LARGE_FROM, payloadWork } from '../work/work.ts';
import { report } from './application.ts';
import { documentChanged } from './editing.ts';
import { type Edited, Journal } from './journal.ts';
import { documentText, sourceOf } from './large-text.ts';
import { becomesPlain, isPlain } from './plain.ts';
import { useSession } from './session-state.ts';
import {
  documentPosition,
  NO_BREAKS,
  neededBreaksIn,
  type SoftBreaks,
  textEdits,
  textOffset,
  withoutSoftBreaks,
} from './soft-breaks.ts';

/** No other page has it. */
const PAGE = crypto.randomUUID();
let count = 0;

/**
 * The text of one record as it is edited. Code view and tree view are two faces of it: both change the same text by the same
 * transactions, so they share one history of undo and redo. The text is the displayed one; what will be stored is derived from it
 * (a payload stored compact is displayed indented and stored compact again).
 */
export class PayloadDocument {
  state: EditorState;
  /** The code view that shows it now, if one does; it owns the state while it lives. */
  private view: EditorView | null = null;
  private readonly listeners = new Set<() => void>();
  private readonly cursorListeners = new Set<() => void>();
  version = 0;
  /** False while a large text is being laid out; there is nothing to edit then. */
  ready = false;
  plain = false;
  compact = false;
  /** The text that the log, or the draft, was last known to hold of it. Where it holds another one, somebody else put it there. */
  kept: string;
  /** When the draft was changed last that its text goes on from; null where there is none. */
  draftAt: string | null = null;
  /** What drafts that are made of it are known by, and its journal: no other document has it, also of another window. */
  readonly name = `${PAGE}-${count++}`;
  /** Where its changes are kept as they are made; null where its draft is made at once. */
  private journal: Journal | null = null;
  /** Its draft is being written; until that is done it is not known what edits made meanwhile begin from. */
  writing: Promise<void> | null = null;
  /** It begins from a record that was just written, and the one on the screen may still be the one before. */
  isAhead = false;

  constructor(
    readonly id: string,
    /** The record the edit began from; null for a new one. */
    public base: Draft['base'],
    /** What is edited: the record's text, or the draft's. */
    private readonly opened: string,
    /** `changedAt` of the draft that is edited; null where it is the record's text. */
    private readonly openedDraft: string | null,
  ) {
    this.kept = opened;
    this.state = EditorState.create();
    const before = base?.text ?? null;
    if (opened.length + (before?.length ?? 0) < LARGE_FROM) {
      const laidOut = layOut(opened, before);
      this.open(laidOut, { doc: laidOut.displayed, breaks: NO_BREAKS });
    } else void this.openLarge(before).catch(report);
  }

  private async openLarge(before: string | null): Promise<void> {
    const base = before === this.opened ? true : before;
    const laidOut = await payloadWork.run('layOut', { stored: this.opened, base });
    this.open(laidOut, await documentText(laidOut.displayed, isPlain(laidOut.displayed)));
    this.journal = new Journal(this.id, this.name, { draft: this.openedDraft, compact: laidOut.compact });
    this.tell();
  }

  private open({ displayed, compact }: LaidOut, { doc, breaks }: { doc: string | Text; breaks: SoftBreaks }): void {
    this.compact = compact;
    this.plain = isPlain(displayed);
    this.state = EditorState.create({
      doc,
      extensions: [
        // The editor ends lines at \r too and joins them with \n: a text that holds one must be split at \n only to stay as it is.
        displayed.includes('\r') ? EditorState.lineSeparator.of('\n') : [],
        this.plain ? withSoftBreaks(breaks) : [],
        this.extensions(),
      ],
    });
    this.ready = true;
  }

  private extensions(): Extension {
    return editorExtensions({ plain: this.plain, label: `Payload of id ${this.id}` });
  }

  /**
   * Goes on as a plain document, with the history of undo and the selection. The soft breaks are undone with the change that made
   * them needed: the history joins what a composition does with the change before. Beside the history they would stay, when what
   * stands between them is undone.
   */
  private becomePlain(): void {
    // A half character before a line feed would become a soft break. No payload holds one, but a paste can.
    if (!this.state.sliceDoc().isWellFormed()) return;
    this.plain = true;
    const separator = this.state.facet(EditorState.lineSeparator);
    const extensions = [separator ? EditorState.lineSeparator.of(separator) : [], this.extensions()];
    this.dispatch({ effects: StateEffect.reconfigure.of(extensions) });
    const { doc } = this.state;
    const userEvent = 'input.type.compose';
    this.dispatch({ changes: neededBreaksIn(doc, 0, doc.length), userEvent, filter: false });
  }

  get text(): string {
    return withoutSoftBreaks(this.state.sliceDoc());
  }

  /** Grows with each change, and when the text is there to be edited. */
  get moment(): number {
    return this.ready ? this.version : -1;
  }

  /** How far its changes are in the journal; null where none are. */
  get edited(): Edited | null {
    const edited = this.journal?.edited;
    return edited && edited.step > 0 ? edited : null;
  }

  /** The text as it will be stored, at the moment of asking, with what is known of it already. */
  async draft(): Promise<{ text: string; made: MadeDraft | null }> {
    const { doc } = this.state;
    if (this.version === 0 || doc.length < LARGE_FROM) return { text: await this.stored(), made: null };
    const made = await payloadWork.run('draft', { text: '', compact: this.compact }, { source: sourceOf(doc) });
    return { text: made.stored, made };
  }

  /** The text as it will be stored, at the moment of asking. Takes its time where the text is large. */
  async stored(): Promise<string> {
    if (this.version === 0) return this.opened;
    const { doc } = this.state;
    if (doc.length < LARGE_FROM) return storedText(this.text, this.compact);
    return payloadWork.run('store', { text: '', compact: this.compact }, { source: sourceOf(doc) });
  }

  /** Its draft was written: edits go on from there, with the history of undo. */
  beginFrom(base: NonNullable<Draft['base']>): void {
    this.base = base;
    this.draftAt = null;
    this.isAhead = true;
  }

  /** Changes the text, as one step of the history. */
  dispatch(spec: TransactionSpec): void {
    if (!this.ready) return;
    if (this.view) this.view.dispatch(spec);
    else this.take(...movedBy(this.state.update(spec)));
  }

  undo(): boolean {
    return undo({ state: this.state, dispatch: (transaction) => this.apply(transaction) });
  }

  redo(): boolean {
    return redo({ state: this.state, dispatch: (transaction) => this.apply(transaction) });
  }

  /** The view takes the document over, until `detach`. */
  attach(view: EditorView): void {
    this.view = view;
  }

  detach(view: EditorView): void {
    if (this.view === view) this.view = null;
  }

  /** The view's state moved on, by these changes. */
  take(state: EditorState, changes: ChangeSet): void {
    const changed = state.doc !== this.state.doc;
    if (changed) this.note(state, changes);
    const moved = state.selection.main.head !== this.state.selection.main.head;
    this.state = state;
    if (moved) for (const listener of this.cursorListeners) listener();
    if (!changed) return;
    this.version++;
    if (!this.plain && becomesPlain(state.doc, changes)) this.becomePlain();
    this.tell();
    documentChanged(this);
  }

  /**
   * Keeps a change in the journal: also that by which the text becomes large, as a paste does. After the connection broke the journal goes
   * on in the session that took the place of the lost one, with the text as it is there.
   */
  private note(state: EditorState, changes: ChangeSet): void {
    const begins = this.journal ? this.journal.isOver : state.doc.length >= LARGE_FROM;
    if (begins)
      this.journal = new Journal(this.id, this.name, { draft: null, compact: this.compact, displayed: this.text });
    this.journal?.add(textEdits(softBreaksOf(this.state), changes), this.base?.offset ?? null);
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Where the cursor stands in the text. */
  get cursor(): number {
    return textOffset(softBreaksOf(this.state), this.state.selection.main.head);
  }

  subscribeCursor = (listener: () => void): (() => void) => {
    this.cursorListeners.add(listener);
    return () => this.cursorListeners.delete(listener);
  };

  /** Selects a range of the text and brings it into view, where a view shows it. */
  select(start: number, end: number): void {
    const breaks = softBreaksOf(this.state);
    const from = documentPosition(breaks, start);
    const to = documentPosition(breaks, end);
    this.dispatch({ selection: { anchor: to, head: from }, effects: EditorView.scrollIntoView(from, { y: 'center' }) });
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }

  private apply(transaction: Transaction): void {
    this.view?.setState(transaction.state);
    this.take(...movedBy(transaction));
  }
}

function movedBy({ state, changes }: Transaction): [EditorState, ChangeSet] {
  return [state, changes];
}

/** Grows when documents are forgotten, so that what shows one asks for it again. */
export const useDocuments = create<{ generation: number }>(() => ({ generation: 0 }));

const documents = new Map<string, PayloadDocument>();

/** A new document of an id over `stored`: the record's text, or that of the draft that was changed at `draft`. */
export function openDocument(
  id: string,
  base: Draft['base'],
  stored: string,
  draft: string | null = null,
): PayloadDocument {
  const fresh = new PayloadDocument(id, base, stored, draft);
  documents.set(id, fresh);
  if (documents.size > 64) {
    // Untouched ones only: a touched one holds its history of undo.
    for (const [key, entry] of documents) {
      if (documents.size <= 32) break;
      if (entry.version === 0 && key !== id) documents.delete(key);
    }
  }
  return fresh;
}

export function documentOf(id: string): PayloadDocument | null {
  return documents.get(id) ?? null;
}

/** After a draft was written or dropped: the next look at the id starts from the log again. */
export function forgetDocument(id: string): void {
  if (documents.delete(id)) useDocuments.setState((state) => ({ generation: state.generation + 1 }));
}

export function forgetDocuments(): void {
  documents.clear();
  useDocuments.setState((state) => ({ generation: state.generation + 1 }));
}

function currentDocument(): PayloadDocument | null {
  const { selected, record } = useSession.getState();
  const id = selected?.type === 'draft' ? selected.id : record?.id;
  return id === undefined ? null : documentOf(id);
}

/** Undoes the last edit of the shown record, wherever in the window the focus is. */
export function undoEdit(): void {
  currentDocument()?.undo();
}

export function redoEdit(): void {
  currentDocument()?.redo();
}
