import { checkText, type TextCheck } from '../../core/json/check-text.ts';
import { VelescopeError } from '../../shared/errors.ts';
import type { Draft, RecordDetail, Row, StoredDraft } from '../../shared/protocol.ts';
import { call } from '../connection/current.ts';
import { LARGE_FROM, payloadWork } from '../work/work.ts';
import { announce, announceFailure } from './announcements.ts';
import { notify, report, showDialog, useApplication } from './application.ts';
import { documentOf, forgetDocument, openDocument, type PayloadDocument } from './documents.ts';
import { dropDrafts, putDraft, useDrafts, writeDrafts } from './drafts.ts';
import { forgetDropped } from './dropped-drafts.ts';
import { goTo } from './go-to.ts';
import type { Edited } from './journal.ts';
import { commitField } from './open-field.ts';
import { selectDraft, selectedId } from './selection.ts';
import { useSession } from './session-state.ts';
import { useShownDocument } from './shown-document.ts';

/** Edits become drafts at once, but not at each key: this long after the last one. */
const DRAFT_DELAY_MILLISECONDS = 400;
const PLAIN_DRAFT_DELAY_MILLISECONDS = 2_500;

/** Edits that wait, each with the session it was made in: another collection has the same ids. */
const pending = new Map<
  string,
  { document: PayloadDocument; session: string | null; timer: ReturnType<typeof setTimeout> }
>();
/** Drafts that are being made: of one id one behind the other, so that the later text stays. */
const keeping = new Map<string, { done: Promise<boolean> }>();

/** A document's text changed: it becomes a draft, or stops being one when it is again what the log holds. */
export function documentChanged(document: PayloadDocument): void {
  forgetDropped();
  const before = pending.get(document.id);
  if (before) clearTimeout(before.timer);
  const delay = document.plain ? PLAIN_DRAFT_DELAY_MILLISECONDS : DRAFT_DELAY_MILLISECONDS;
  const { session } = useSession.getState();
  pending.set(document.id, { document, session, timer: setTimeout(() => void keep(document.id), delay) });
}

/**
 * Makes drafts of what could not be kept while the connection was lost. A session of the same collection took the place of the one it was
 * typed in, `before`; what was typed in others must not come into this one, where the same ids are other records.
 */
export async function resumeEdits(before: string | null): Promise<void> {
  const { session } = useSession.getState();
  for (const [id, entry] of pending) if (entry.session === before) pending.set(id, { ...entry, session });
  await Promise.all([...pending.keys()].map(keep));
}

/** Whether something was typed that is no draft yet. */
export function hasWaitingEdits(): boolean {
  return pending.size > 0 || keeping.size > 0;
}

/** Whether nothing can be kept now: what is typed waits then, and is not tried at each pause. */
function isCutOff(): boolean {
  const state = useApplication.getState().lost?.state;
  return state !== undefined && state !== 'silent';
}

/** Makes a draft of the edits of an id, behind one that is on the way already. Never rejects; false when they could not be kept. */
function keep(id: string): Promise<boolean> {
  const before = keeping.get(id);
  const entry = pending.get(id);
  if (!entry) return before?.done ?? Promise.resolve(true);
  clearTimeout(entry.timer);
  if (isCutOff()) return Promise.resolve(false);
  pending.delete(id);
  const work = { done: Promise.resolve(true) };
  const make = async () => {
    // Not awaited where there is none: what a page does as it is left must be on its way before it is gone.
    if (before) await before.done;
    const kept = await keepText(entry);
    // It was on its way when the connection broke: whether it arrived is not known, and it does no harm twice.
    if (!kept && isCutOff() && !pending.has(id)) pending.set(id, entry);
    return kept;
  };
  work.done = make()
    .catch((thrown: unknown) => {
      report(thrown);
      return false;
    })
    .finally(() => {
      if (keeping.get(id) === work) keeping.delete(id);
    });
  keeping.set(id, work);
  return work.done;
}

async function keepText({
  document,
  session,
}: {
  document: PayloadDocument;
  session: string | null;
}): Promise<boolean> {
  const { id } = document;
  if (document.writing) await document.writing;
  const { edited } = document;
  const { text, made } = await document.draft();
  if (session !== useSession.getState().session) {
    throw new VelescopeError('NO_SUCH_SESSION', `The last edit of id ${id} was not kept: its collection was closed.`);
  }
  const { base } = document;
  document.kept = text;
  if (base && text === base.text) {
    if (useDrafts.getState().drafts.has(id)) await dropUnchanged(id, edited);
    document.draftAt = null;
    return true;
  }
  const onKept = (changedAt: string, replaced: Draft | null) => {
    document.draftAt = changedAt;
    if (replaced) tellReplaced(replaced);
  };
  return putDraft(
    { id, action: 'store', text, base },
    { edited, made, over: document.draftAt, document: document.name, onKept },
  );
}

/** Of two windows that edit one id the later text is the draft: the other one must not vanish without a word. */
function tellReplaced(replaced: Draft): void {
  const words = `Your text took the place of a draft of id ${replaced.id} that was changed elsewhere.`;
  announce(words);
  const action = { label: 'Bring the other back', run: () => void bringBack(replaced) };
  notify({ tone: 'danger', text: words, action });
}

/** The text is what the log holds again: no draft, but the history of undo stays, so that redo still works. */
async function dropUnchanged(id: string, edited: Edited | null): Promise<void> {
  const { session } = useSession.getState();
  if (!session) return;
  await call('drafts.drop', { session, ids: [id], ...(edited ? { edited } : {}) }).catch(report);
  useDrafts.setState(({ drafts }) => {
    const rest = new Map(drafts);
    rest.delete(id);
    return { drafts: rest };
  });
}

/**
 * Makes drafts of all edits that still wait, what is being typed in a field included, before something is done with the drafts. False
 * when one could not be kept, or taken.
 */
export async function flushEdits(): Promise<boolean> {
  const isTaken = commitField();
  const ids = new Set([...pending.keys(), ...keeping.keys()]);
  const kept = await Promise.all([...ids].map(keep));
  return isTaken && kept.every(Boolean);
}

/** Keeps what still waits when the page is reloaded, closed or put out of sight, as far as it can be kept at once. */
export function flushEditsOnLeaving(target: Window): void {
  const flush = () => void flushEdits();
  target.addEventListener('beforeunload', flush);
  target.addEventListener('pagehide', flush);
  target.document.addEventListener('visibilitychange', () => {
    if (target.document.visibilityState === 'hidden') flush();
  });
}

/** Ctrl/Cmd+S: writes the draft of the shown record. What VelesDB could not read is not written. */
export async function saveCurrent(): Promise<void> {
  const isTaken = commitField();
  const id = await selectedId();
  if (!isTaken) announceFailure('Not saved: what is being typed is not JSON.');
  if (!(await flushEdits())) return;
  const draft = id === null ? undefined : useDrafts.getState().drafts.get(id);
  if (!draft) {
    announce('Nothing to write: this record has no draft.');
    notify({ tone: 'plain', text: 'Nothing to write: this record has no draft.' });
    return;
  }
  if (useApplication.getState().info?.readOnly) {
    notify({ tone: 'danger', text: 'Velescope was started read-only: drafts are kept, nothing is written.' });
    announceFailure('Not saved: Velescope was started read-only.');
    return;
  }
  if (draft.conflict) {
    showDialog({ name: 'review' });
    return;
  }
  const refusal = await refusalOf(draft).catch((thrown: unknown) => {
    report(thrown, { save: true });
    return undefined;
  });
  if (refusal === undefined) return;
  if (refusal) {
    notify({ tone: 'danger', text: `Not saved: VelesDB could not read this payload. ${refusal}.` });
    announceFailure(`Not saved: VelesDB could not read this payload. ${refusal}.`);
    return;
  }
  await writeDrafts({ drafts: [draft] });
}

const knownRefusals = new WeakMap<Pick<Draft, 'action' | 'text'>, string | null>();
const refusals = new WeakMap<Pick<Draft, 'action' | 'text'>, Promise<string | null>>();

/** Why VelesDB would not read a draft's text; null when it would. Asked again of the same draft, it answers at once. */
export function refusalOf(draft: Pick<Draft, 'action' | 'text'>): Promise<string | null> {
  let refusal = refusals.get(draft);
  if (!refusal) {
    refusal = findRefusal(draft);
    refusals.set(draft, refusal);
    refusal.then(
      (found) => knownRefusals.set(draft, found),
      () => refusals.delete(draft),
    );
  }
  return refusal;
}

/** Notes what VelesDB says to a draft's text, where that is known already. */
export function noteRefusal(draft: Pick<Draft, 'action' | 'text'>, check: TextCheck): void {
  const refusal = check.state === 'ok' ? null : check.message;
  knownRefusals.set(draft, refusal);
  refusals.set(draft, Promise.resolve(refusal));
}

/** What `refusalOf` found; undefined while it is still looking. */
export function knownRefusalOf(draft: Pick<Draft, 'action' | 'text'>): string | null | undefined {
  return knownRefusals.get(draft);
}

async function findRefusal({ action, text }: Pick<Draft, 'action' | 'text'>): Promise<string | null> {
  if (action === 'delete' || text === null) return null;
  const check = text.length < LARGE_FROM ? checkText(text) : await payloadWork.run('check', { text });
  return check.state === 'ok' ? null : check.message;
}

/** Asks before the shown record is deleted. */
export async function beginDelete(): Promise<void> {
  const id = await selectedId();
  const { selected } = useSession.getState();
  if (selected?.type === 'provisional') {
    notify({ tone: 'plain', text: 'This row is not verified yet: it can be changed once the scan has passed it.' });
    return;
  }
  if (id !== null) showDialog({ name: 'delete-record', id });
}

/** What the log holds for an id now: the last version that framing and CRC support. Null when there is none. */
export async function currentVersion(id: string): Promise<Draft['base']> {
  const { session } = useSession.getState();
  if (!session) return null;
  const { rows } = await call('record.history', { session, id });
  const last = rows.findLast((row: Row) => row.state === 'live') ?? rows.at(-1);
  if (!last) return null;
  const record = await call('record.read', { session, row: last.row });
  return { offset: record.offset, text: textOf(record) };
}

/** A record's payload as text; null where it has none or is none. */
export function textOf(record: Pick<RecordDetail, 'payload'>): string | null {
  return record.payload?.encoding === 'text' ? record.payload.text : null;
}

/**
 * Stages a draft for an id, in the place of the one there is: also of edits that are on their way to become one, which would come after
 * it otherwise. Returns what it replaced, or null; undefined where it could not be kept.
 */
async function stage(id: string, change: Pick<Draft, 'action' | 'text'>): Promise<Draft | null | undefined> {
  if (!(await keep(id))) return undefined;
  const replaced = useDrafts.getState().drafts.get(id);
  const base = await currentVersion(id);
  if (!(await putDraft({ id, ...change, base }))) return undefined;
  forgetDocument(id);
  if (!replaced || (replaced.action === change.action && replaced.text === change.text)) return null;
  return { id, action: replaced.action, text: replaced.text, base: replaced.base };
}

/** Stages again what a draft replaced. */
async function bringBack(draft: Draft): Promise<void> {
  if (!(await keep(draft.id)) || !(await putDraft(draft))) return;
  forgetDocument(draft.id);
  announce(`The draft of id ${draft.id} is back.`);
}

/** Says what was staged, and offers the draft it replaced back, if there was one: work on it must not vanish by one click. */
function notifyStaged(words: string, replaced: Draft | null): void {
  announce(words);
  if (replaced) {
    const action = { label: 'Bring the draft back', run: () => void bringBack(replaced) };
    notify({ tone: 'good', text: `${words} It replaced the draft that was there.`, action });
    return;
  }
  notify({ tone: 'good', text: words, action: { label: 'Review', run: () => showDialog({ name: 'review' }) } });
}

/** Stages the delete of an id. */
export async function stageDelete(id: string): Promise<void> {
  try {
    const replaced = await stage(id, { action: 'delete', text: null });
    if (replaced === undefined) return;
    const words = `The delete of id ${id} is a draft.`;
    if (replaced) notifyStaged(words, replaced);
    else announce(words);
  } catch (thrown) {
    report(thrown);
  }
}

/** Stages a text for an id: a restored version, an accepted candidate, a replaced payload. Shows it in the editor. */
export async function stageText(id: string, text: string, words: string): Promise<boolean> {
  try {
    const replaced = await stage(id, { action: 'store', text });
    if (replaced === undefined) return false;
    notifyStaged(words, replaced);
    return true;
  } catch (thrown) {
    report(thrown);
    return false;
  }
}

/** Stages a new record and shows it. */
export async function stageNew(id: string, text: string): Promise<boolean> {
  try {
    const replaced = await stage(id, { action: 'store', text });
    if (replaced === undefined) return false;
    const words = `New record ${id} is a draft.`;
    if (replaced) notifyStaged(words, replaced);
    else announce(words);
    const base = useDrafts.getState().drafts.get(id)?.base;
    if (!base || !(await goTo({ by: 'id', id }))) selectDraft(id, null);
    return true;
  } catch (thrown) {
    report(thrown);
    return false;
  }
}

/** The document to edit for a record or a draft, or null where there is nothing that can be edited. */
export function documentFor(record: RecordDetail | null, draft: StoredDraft | null): PayloadDocument | null {
  const id = draft?.id ?? record?.id;
  const known = id === undefined ? null : documentOf(id);
  if (draft) {
    if (draft.action === 'delete' || draft.text === null) return null;
    if (known && isUnderWay(known)) return known;
    const document =
      known?.kept === draft.text ? known : openDocument(draft.id, draft.base, draft.text, draft.changedAt);
    document.draftAt = draft.changedAt;
    return document;
  }
  if (known?.writing) return known;
  if (!record?.id || !isEditable(record)) return null;
  const text = textOf(record);
  if (text === null) return null;
  if (known?.base?.offset === record.offset) known.isAhead = false;
  // An edit that is not a draft yet, or was undone: its history is kept.
  const isSame = known?.base?.offset === record.offset && known.kept === text;
  if (known && (isSame || known.isAhead || isUnderWay(known))) return known;
  return openDocument(record.id, { offset: record.offset, text }, text);
}

/** Whether edits of it are not a draft yet, or its draft is being written. */
function isUnderWay({ id, writing }: PayloadDocument): boolean {
  return writing !== null || pending.has(id) || keeping.has(id);
}

/**
 * The draft of a document was written with this text. What is on the screen, and what was edited meanwhile, goes on from the record
 * that was written: with its cursor, its focus and its history. Every other one begins from the log when it is looked at again.
 */
export async function followWritten(document: PayloadDocument, text: string | null): Promise<void> {
  const { id } = document;
  const isShown = useShownDocument.getState().document === document;
  if (text !== null && (isShown || pending.has(id) || keeping.has(id))) {
    const base = await currentVersion(id).catch(() => null);
    // Another text is somebody else's: edits made meanwhile keep what they began from, and are a conflict.
    if (base?.text === text) {
      document.beginFrom(base);
      return;
    }
  }
  forgetDocument(id);
}

/** Whether a record's payload is edited in place: the id's current store. Older versions are restored, not edited. */
export function isEditable(record: RecordDetail): boolean {
  if (record.kind !== 'store' || record.id === undefined || record.row === null) return false;
  return record.state === 'live';
}

/** Drops the draft of an id, with the last edits of it, so that all of it can be brought back. */
export async function dropDraft(id: string): Promise<void> {
  await keep(id);
  await dropDrafts([id]);
}

/** Drops the drafts of ids, likewise. */
export async function dropAllDrafts(ids: string[]): Promise<void> {
  await Promise.all(ids.map(keep));
  await dropDrafts(ids);
}

/** Drops the draft of what is selected, where it has one. */
export async function dropSelectedDraft(): Promise<void> {
  const id = await selectedId();
  if (id !== null && useDrafts.getState().drafts.has(id)) await dropDraft(id);
  else announce('This record has no draft.');
}
