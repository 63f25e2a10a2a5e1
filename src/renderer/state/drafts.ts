import { create } from 'zustand';
import { type ErrorValue, toErrorValue } from '../../shared/errors.ts';
import type { Draft, Result, SeenRecords, StoredDraft } from '../../shared/protocol.ts';
import { formatNoun } from '../components/format.ts';
import { call } from '../connection/current.ts';
import type { MadeDraft } from '../work/jobs.ts';
import { announce } from './announcements.ts';
import { notify, report, showDialog } from './application.ts';
import { documentOf, forgetDocument } from './documents.ts';
import { noteLook } from './draft-looks.ts';
import { forgetDropped, tellDropped } from './dropped-drafts.ts';
import { followWritten, noteRefusal } from './editing.ts';
import { goTo } from './go-to.ts';
import type { Edited } from './journal.ts';
import { useSession } from './session-state.ts';
import { undoLastWrite } from './undo-write.ts';

/** The drafts of the open session, by id. They live with the engine, so that they outlive the window. */
export const useDrafts = create<{ drafts: ReadonlyMap<string, StoredDraft> }>(() => ({ drafts: new Map() }));

/** Drafts that are being kept. */
const putting = new Set<Promise<unknown>>();

/** The session whose drafts were loaded: another one's may have the same ids. */
let loadedFor: string | null = null;

export async function loadDrafts(): Promise<void> {
  const { session } = useSession.getState();
  if (!session) {
    useDrafts.setState({ drafts: new Map() });
    return;
  }
  try {
    // What is being kept is told of before it is answered: its text would be sent back.
    await Promise.allSettled(putting);
    if (useSession.getState().session !== session) return;
    const before = loadedFor === session ? useDrafts.getState().drafts : new Map<string, StoredDraft>();
    const known = Object.fromEntries([...before.values()].map(({ id, changedAt }) => [id, changedAt]));
    const list = await call('drafts.list', { session, known });
    if (useSession.getState().session !== session) return;
    // A draft that is as it was stays the same object, so that nothing is made anew from its text.
    const drafts = list.map((draft): StoredDraft => {
      if (!('known' in draft)) return draft;
      const same = before.get(draft.id)!;
      return same.conflict === draft.conflict ? same : { ...same, conflict: draft.conflict };
    });
    loadedFor = session;
    useDrafts.setState({ drafts: new Map(drafts.map((draft) => [draft.id, draft])) });
  } catch (thrown) {
    report(thrown);
  }
}

/** What a draft goes on from. */
export interface GoingOn {
  /** How much of the journal it holds. */
  edited?: Edited | null;
  /** What is known of its text: where the journal holds all of it, the text need not be sent. */
  made?: MadeDraft | null;
  /** When the draft was changed last that the text goes on from; null where there was none. */
  over?: string | null;
  /** The name of the document whose text it is. */
  document?: string;
  /** Told when the draft was changed last, and the draft of somebody else that it replaced, where `over` says which one it goes on from. */
  onKept?: (changedAt: string, replaced: Draft | null) => void;
}

/** Keeps a draft. What is in the store already is replaced. */
export async function putDraft(draft: Draft, goingOn: GoingOn = {}): Promise<boolean> {
  const { session } = useSession.getState();
  if (!session) return false;
  const { made, onKept } = goingOn;
  forgetDropped();
  const put = sendDraft(session, draft, goingOn);
  putting.add(put);
  try {
    const { replaced, ...kept } = await put;
    const stored = { ...draft, ...kept };
    if (made) {
      noteRefusal(stored, made.check);
      noteLook(stored, made);
    }
    useDrafts.setState(({ drafts }) => ({ drafts: new Map(drafts).set(stored.id, stored) }));
    onKept?.(kept.changedAt, replaced);
    return true;
  } catch (thrown) {
    // What could not be sent is kept later; the banner over the window says so.
    if (toErrorValue(thrown).code !== 'DISCONNECTED') report(thrown, { save: true });
    return false;
  } finally {
    putting.delete(put);
  }
}

async function sendDraft(session: string, draft: Draft, going: GoingOn): Promise<Result<'drafts.put'>> {
  const { edited, made, document } = going;
  const over = going.over === undefined ? {} : { over: going.over };
  const of = document === undefined ? {} : { document };
  if (edited && made) {
    const { id, base } = draft;
    const { fingerprint } = made;
    const params = { session, id, edited, base: base?.offset ?? null, fingerprint, ...over };
    const kept = await call('drafts.putEdited', params);
    if (kept) return kept;
  }
  return call('drafts.put', { session, draft, ...over, ...of, ...(edited ? { edited } : {}) });
}

/** Drops drafts; the editors of their ids show what the log holds again. They can be brought back. */
export async function dropDrafts(ids: string[]): Promise<void> {
  const { session } = useSession.getState();
  if (!session || ids.length === 0) return;
  try {
    const { dropped, change } = await call('drafts.drop', { session, ids });
    useDrafts.setState(({ drafts }) => {
      const rest = new Map(drafts);
      for (const id of ids) rest.delete(id);
      return { drafts: rest };
    });
    for (const id of ids) forgetDocument(id);
    if (dropped > 0) tellDropped(session, change, ids);
  } catch (thrown) {
    report(thrown);
  }
}

/** What of the drafts is written, and what the person saw of it. */
export interface WriteChoice {
  /** The drafts as the person sees them. */
  drafts: readonly StoredDraft[];
  /** By id, where the record stands that a draft in conflict is to be written over, as the person saw it; null where there was none. */
  overwrite?: SeenRecords;
  /** Told what it failed with, instead of a notice. */
  onFailure?: (error: ErrorValue) => void;
}

/**
 * Writes drafts as one batch with one sync. With writing off it explains and offers the switch first, then goes on. Returns
 * whether they were written. None is written that another window changed since it was shown, or over a record that was not.
 */
export async function writeDrafts(choice: WriteChoice): Promise<boolean> {
  const { drafts: shown, overwrite = {} } = choice;
  const ids = shown.map(({ id }) => id);
  const { session, summary, selected, record } = useSession.getState();
  if (!session || !summary || ids.length === 0) return false;
  if (!summary.writing.on) {
    // The switch takes the place of the dialog that would have shown a failure.
    const next = () => void writeDrafts({ drafts: shown, overwrite });
    showDialog({ name: 'writing', refusal: summary.writing.refusal, next });
    return false;
  }
  const texts = new Map(shown.map(({ id, text }) => [id, text]));
  const seen = Object.fromEntries(shown.map(({ id, changedAt }) => [id, changedAt]));
  const edited = ids.flatMap((id) => documentOf(id) ?? []);
  let done = () => {};
  const promise = new Promise<void>((resolve) => {
    done = resolve;
  });
  for (const document of edited) document.writing = promise;
  try {
    const { written, state } = await call('drafts.write', { session, ids, seen, overwrite });
    for (const document of edited) await followWritten(document, texts.get(document.id) ?? null);
    await loadDrafts();
    const words =
      state === 'saved'
        ? `Saved ${formatNoun(written, 'record')}, read back and checked.`
        : `Accepted ${formatNoun(written, 'record')}: checked when the buffer is written.`;
    notify({ tone: 'good', text: words, action: { label: 'Undo', run: () => void undoLastWrite() } });
    announce(words);
    // To the version just written, unless the person went elsewhere meanwhile.
    if (useSession.getState().selected !== selected) return true;
    const current = selected?.type === 'draft' ? selected.id : record?.id;
    if (current && ids.includes(current)) await goTo({ by: 'id', id: current }, { unlessMoved: true });
    return true;
  } catch (thrown) {
    if (choice.onFailure) choice.onFailure(toErrorValue(thrown));
    else report(thrown, { save: true, action: { label: 'Review', run: () => showDialog({ name: 'review' }) } });
    await loadDrafts();
    return false;
  } finally {
    for (const document of edited) document.writing = null;
    done();
  }
}
