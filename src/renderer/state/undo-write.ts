import type { Result } from '../../shared/protocol.ts';
import { formatNoun } from '../components/format.ts';
import { call } from '../connection/current.ts';
import { announce } from './announcements.ts';
import { notify, report, showDialog } from './application.ts';
import { goTo } from './go-to.ts';
import { runJob } from './jobs.ts';
import { useSession } from './session-state.ts';

export type UndoFigures = Result<'writing.previewUndo'>;

/** A larger undo is shown before it is done. */
const SHOWN_FROM = 50;

/**
 * Appends the previous state of what the last write changed. What is large, or cannot be taken back as a whole, is said first, with what
 * would be done and what would not.
 */
export async function undoLastWrite(): Promise<void> {
  const { session, summary } = useSession.getState();
  if (!session || !summary) return;
  if (!summary.writing.on) {
    showDialog({ name: 'writing', refusal: summary.writing.refusal, next: () => void undoLastWrite() });
    return;
  }
  try {
    const figures = await runJob('Looking at the last write', (signal, onProgress) =>
      call('writing.previewUndo', { session }, { signal, onProgress }),
    );
    if (figures.records >= SHOWN_FROM || isPartial(figures)) showDialog({ name: 'undo-write', figures });
    else await runUndo(false);
  } catch (thrown) {
    report(thrown, { save: true });
  }
}

/** Whether some of a write would stay as it is. */
export function isPartial({ changed, lost }: UndoFigures): boolean {
  return changed.count + lost.count > 0;
}

/** Does it, as a job that can be cancelled. Ids that cannot be taken back are left as they are where that is meant. */
export async function runUndo(leaveOut: boolean): Promise<void> {
  const { session, record } = useSession.getState();
  if (!session) return;
  try {
    const done = await runJob('Undo', async (signal, onProgress) => {
      // Its answer is wanted also where it is stopped: how far it came.
      signal.addEventListener('abort', () => void call('writing.stopUndo', { session }).catch(() => {}));
      return call('writing.undoLast', { session, leaveOut }, { onProgress });
    });
    const words = undoneWords(done);
    const action = { label: done.cancelled ? 'Go on' : 'Redo', run: () => void undoLastWrite() };
    notify({ tone: done.cancelled || isPartial(done) ? 'plain' : 'good', text: words, action });
    announce(words);
    // What was shown as current is an older version now: show what is current.
    if (record?.id !== undefined && record.state === 'live') await goTo({ by: 'id', id: record.id });
  } catch (thrown) {
    report(thrown, { save: true });
  }
}

/** What an undo did, in a sentence or two. */
export function undoneWords(done: Result<'writing.undoLast'>): string {
  const { records, stores, deletes, changed, lost, cancelled } = done;
  const taken = stores + deletes;
  const words = [
    cancelled
      ? `Cancelled: the previous state of ${formatNoun(taken, 'record')} of ${formatNoun(records, 'record')} was appended; undo again to go on.`
      : `Undone: the previous state of ${formatNoun(taken, 'record')} was appended.`,
  ];
  if (changed.count > 0) words.push(`${formatNoun(changed.count, 'record')} written to since left as they are.`);
  if (lost.count > 0) words.push(`${formatNoun(lost.count, 'record')} left, whose previous state is damaged.`);
  return words.join(' ');
}
