import { formatBytes, formatCount, formatNoun, formatOffset } from '../components/format.ts';
import { call } from '../connection/current.ts';
import { announce } from './announcements.ts';
import { notify, report, showDialog } from './application.ts';
import { runJob } from './jobs.ts';
import { setWriting } from './session.ts';
import { useSession } from './session-state.ts';

/** Runs work that writes. With writing off, turns it on first; a refusal is explained, with the repair that removes it. */
async function writing<T>(work: (session: string) => Promise<T>, words: (result: T) => string): Promise<T | null> {
  const { session, summary } = useSession.getState();
  if (!session || !summary) return null;
  try {
    const result = await work(session);
    notify({ tone: 'good', text: words(result) });
    announce(words(result));
    return result;
  } catch (thrown) {
    report(thrown, { save: true });
    return null;
  }
}

/** Cuts a torn or zero-filled tail and keeps its bytes. */
export function trimTail(): Promise<unknown> {
  return writing(
    (session) => call('writing.trimTail', { session }),
    ({ bytes, keptAs }) => `Trimmed ${formatNoun(bytes, 'byte')} off the tail; they are kept as ${keptAs}.`,
  );
}

/** Writes a snapshot of the log as it stands; where writing is off, the caller's button has said that it will be turned on. */
export async function createSnapshot(): Promise<boolean> {
  const { summary } = useSession.getState();
  // One that disagrees forbids writing: it is moved aside first, and kept.
  if (summary?.snapshot.state === 'disagrees' && (await removeSnapshot()) === null) return false;
  if (summary && !summary.writing.on && !(await setWriting(true, () => showDialog({ name: 'snapshot' })))) return false;
  const result = await writing(
    (session) =>
      runJob('Snapshot', (signal, onProgress) => call('snapshot.create', { session }, { signal, onProgress })),
    ({ entries, bytes, walPosition }) =>
      `Snapshot written: ${formatCount(entries)} entries, ${formatBytes(bytes)}, up to ${formatOffset(walPosition)}.`,
  );
  return result !== null;
}

/** Moves the snapshot aside; it may be evidence, so it is never deleted. */
export function removeSnapshot(): Promise<unknown> {
  return writing(
    (session) => call('snapshot.remove', { session }),
    ({ keptAs }) => `The snapshot was moved aside, to ${keptAs}. VelesDB replays the whole log at its next open.`,
  );
}

/** Moves bm25.snapshot and bm25.wal aside together. */
export function moveFullTextAside(): Promise<unknown> {
  return writing(
    (session) => call('fullText.moveAside', { session }),
    ({ moved }) => `Moved aside: ${moved.join(', ')}. VelesDB rebuilds the full-text index at its next open.`,
  );
}
