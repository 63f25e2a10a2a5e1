import type { View } from '../../core/generation.ts';
import { toErrorValue } from '../../shared/errors.ts';
import type { Collection, Durability, Summary } from '../../shared/protocol.ts';
import { formatDuration, formatNoun, percent } from '../components/format.ts';
import { call } from '../connection/current.ts';
import { RowPages } from '../features/records/row-pages.ts';
import { announce } from './announcements.ts';
import { report, showDialog, useApplication } from './application.ts';
import { cancelQuery, refreshQuery, scheduleRefresh } from './records-list.ts';
import { NO_SESSION, useSession } from './session-state.ts';

const set = useSession.setState;
const get = useSession.getState;

/** What is being opened; something else than before once it is not wanted any more. */
let opening: object | null = null;

/** Opens a collection: answers at once, the scan goes on and events tell how far. */
export async function openCollection(database: string, collection: Collection): Promise<void> {
  const closed = closeSession();
  const wanted = {};
  opening = wanted;
  await closed;
  // Another one was asked for while the one before was closed.
  if (opening !== wanted) return;
  set({ database, collection, ...NO_SESSION, opening: true });
  // What was said of one collection must not stand beside another. Failures stay until they are dismissed.
  const notices = useApplication.getState().notices.filter(({ tone }) => tone === 'danger');
  useApplication.setState({ page: 'records', notices });
  try {
    const { view } = useApplication.getState();
    // Not cancelled where another one is opened meanwhile: its answer names what has to be closed, and could be on the way already.
    const summary = await call('session.open', { database, collection: collection.collection, view });
    if (opening !== wanted) {
      await call('session.close', { session: summary.session }).catch(() => {});
      return;
    }
    set({ session: summary.session, opening: false });
    announce(`Opened ${collection.name}. Scanning ${formatNoun(summary.log.bytes, 'byte')}.`);
    takeSummary(summary);
    if (summary.phase !== 'failed') await refreshQuery();
  } catch (thrown) {
    if (opening !== wanted) return;
    set({ opening: false, failure: toErrorValue(thrown) });
  }
}

export async function closeSession(): Promise<void> {
  opening = null;
  cancelQuery();
  const { session, source } = get();
  if (source instanceof RowPages) source.close();
  set({ collection: null, ...NO_SESSION });
  if (session) await call('session.close', { session }).catch(() => {});
}

/** Another session of the same collection takes the place of the one that was lost. What is on the screen stays. */
export async function moveSession(summary: Summary): Promise<void> {
  cancelQuery();
  set({ session: summary.session, summary, failure: summary.phase === 'failed' ? summary.failure : null });
  if (summary.phase !== 'failed') await refreshQuery();
}

/** Takes a summary, from an answer or an event, and does what follows from it. */
export function takeSummary(summary: Summary): void {
  const before = get().summary;
  if (get().session !== summary.session || (before && before.revision > summary.revision)) return;
  const failure = summary.phase === 'failed' ? summary.failure : null;
  // Also when it is over: the log that was cut or replaced has been read again.
  set({ summary, failure });
  if (failure && before?.phase !== 'failed') announce(failure.message);
  announceScan(before, summary);
  // Rows from the snapshot come and go as soon as they may.
  if (before && before.provisional !== summary.provisional) void refreshQuery('anew');
  if (before && before.revision !== summary.revision) {
    // A list that is still empty is asked for again sooner: the first rows are a moment away.
    const soon = summary.phase === 'ready' ? 150 : get().query?.total === 0 ? 100 : 1_000;
    scheduleRefresh(soon);
  }
  if (before && before.phase !== summary.phase && summary.phase !== 'scanning') scheduleRefresh(50);
}

let announcedTenth = 0;

function announceScan(before: Summary | null, now: Summary): void {
  if (now.phase === 'scanning') {
    const tenth = Math.floor(percent(now.progress.done, now.progress.total) / 10);
    if (tenth > announcedTenth) announce(`Scan: ${tenth * 10} percent`);
    announcedTenth = tenth;
    if (before && before.counts.damaged === 0 && now.counts.damaged > 0) announce('First damage found.');
    return;
  }
  announcedTenth = 0;
  if (before?.phase !== 'ready' && now.phase === 'ready') {
    announce(
      `Scan complete: ${formatNoun(now.log.records, 'record')}, ${formatNoun(now.counts.damaged, 'damaged segment')}, in ${formatDuration(now.scanMilliseconds)}.`,
    );
  }
}

/** Sends a call that answers with a summary, and takes it. */
export async function withSummary(work: (session: string) => Promise<Summary>): Promise<Summary | null> {
  const { session } = get();
  if (!session) return null;
  try {
    const summary = await work(session);
    takeSummary(summary);
    return summary;
  } catch (thrown) {
    report(thrown);
    return null;
  }
}

export async function setView(view: View): Promise<void> {
  useApplication.setState({ view });
  void call('settings.set', { view }).catch(() => {});
  await withSummary((session) => call('session.setView', { session, view }));
}

/** Turns writing on or off; a refusal is explained in a dialog that offers what can be done. */
export async function setWriting(on: boolean, next: (() => void) | null = null): Promise<boolean> {
  const { session } = get();
  if (!session) return false;
  try {
    const summary = await call('writing.set', { session, on });
    takeSummary(summary);
    if (on && !summary.writing.on) {
      showDialog({ name: 'writing', refusal: summary.writing.refusal, next });
      return false;
    }
    announce(on ? 'Writing is on.' : 'Writing is off.');
    return true;
  } catch (thrown) {
    showDialog({ name: 'writing', refusal: toErrorValue(thrown), next });
    return false;
  }
}

export function setDurability(durability: Durability): void {
  void withSummary((session) => call('writing.setDurability', { session, durability }));
}

export function setFollow(on: boolean): void {
  void withSummary((session) => call('session.setFollow', { session, on }));
}

export function rescan(): void {
  void withSummary((session) => call('session.rescan', { session }));
}
