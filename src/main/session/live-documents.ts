import { fingerprinting } from '../../core/fingerprint.ts';
import { EditedText, type TextEdit } from '../../core/json/edits.ts';
import { displaying, withoutSpace } from '../../core/json/layout.ts';
import type { Steps } from '../../core/steps.ts';
import type { Draft } from '../../shared/protocol.ts';
import type { Opened } from './journal-lines.ts';

/** Characters of text that documents may take together; the one that was edited last is kept whatever it takes. */
const MOST_CHARACTERS = 1 << 26;

/**
 * The documents that are being edited, as far as drafts were made of them: the next draft of one then costs what was typed since, and two
 * passes over its text in steps. Rejected: to read the journal again for each draft (more than a second, in one go), a thread for it (the
 * text would have to come back).
 */
export class LiveDocuments {
  /** By name; the one that was edited longest ago first. */
  readonly #documents = new Map<string, LiveDocument>();
  #characters = 0;

  constructor(private readonly most = MOST_CHARACTERS) {}

  begin(opened: Opened): void {
    this.forget(opened.document);
    this.#keep(opened.document, new LiveDocument(opened));
  }

  /** A change of a document; nothing where it is not held here any more. */
  step(name: string, step: number, edits: readonly TextEdit[]): void {
    const document = this.#take(name);
    document?.step(step, edits);
    if (document) this.#keep(name, document);
  }

  /** It begins from another record now. */
  rebase(name: string, base: Draft['base']): void {
    const document = this.#documents.get(name);
    if (document) document.base = base;
  }

  forget(name: string): void {
    this.#take(name);
  }

  clear(): void {
    this.#documents.clear();
    this.#characters = 0;
  }

  get(name: string): LiveDocument | undefined {
    return this.#documents.get(name);
  }

  #take(name: string): LiveDocument | undefined {
    const document = this.#documents.get(name);
    this.#documents.delete(name);
    this.#characters -= document?.characters ?? 0;
    return document;
  }

  #keep(name: string, document: LiveDocument): void {
    this.#documents.set(name, document);
    this.#characters += document.characters;
    for (const oldest of this.#documents.keys()) {
      if (this.#characters <= this.most || oldest === name) break;
      this.#take(oldest);
    }
  }
}

/** One document: what it was opened as, and the changes that no draft was made of yet. */
class LiveDocument {
  base: Draft['base'];
  /** About what it takes. */
  characters: number;
  readonly #opened: Opened;
  #edited: EditedText | null = null;
  #applied = 0;
  readonly #steps = new Map<number, readonly TextEdit[]>();

  constructor(opened: Opened) {
    this.#opened = opened;
    this.base = opened.base;
    this.characters = (opened.displayed ?? opened.opened ?? opened.base?.text ?? '').length;
  }

  step(step: number, edits: readonly TextEdit[]): void {
    this.#steps.set(step, edits);
    for (const [, , insert] of edits) this.characters += insert.length;
  }

  /**
   * The text to store after the changes up to one of them, if it is that of a fingerprint. Null where changes are missing, where a later draft
   * was made, or where it is another text. Throws where they do not fit.
   */
  *textAt(step: number, fingerprint: string): Steps<string | null> {
    const displayed = yield* this.#displayedAt(step);
    if (displayed === null) return null;
    // Of compact text only what is JSON is stored without its white space. Which it is, the fingerprint says.
    if (this.#opened.compact) {
      const stored = yield* withoutSpace(displayed);
      if ((yield* fingerprinting(stored)) === fingerprint) return stored;
    }
    return (yield* fingerprinting(displayed)) === fingerprint ? displayed : null;
  }

  *#displayedAt(step: number): Steps<string | null> {
    if (this.#edited === null) {
      const displayed = yield* this.#displayedAtFirst();
      // Two drafts may be made side by side.
      this.#edited ??= new EditedText(displayed);
    }
    if (step < this.#applied) return null;
    for (let next = this.#applied + 1; next <= step; next++) if (!this.#steps.has(next)) return null;
    while (this.#applied < step) {
      const next = ++this.#applied;
      this.#edited.apply(this.#steps.get(next)!);
      this.#steps.delete(next);
    }
    return this.#edited.text();
  }

  *#displayedAtFirst(): Steps<string> {
    const { displayed, opened, compact, base } = this.#opened;
    const before = displayed ?? opened ?? base?.text ?? null;
    if (before === null) throw new RangeError('There is no text to begin from.');
    return displayed === undefined && compact ? yield* displaying(before) : before;
  }
}
