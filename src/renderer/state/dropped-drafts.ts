import { create } from 'zustand';
import { formatNoun } from '../components/format.ts';
import { call } from '../connection/current.ts';
import { announce } from './announcements.ts';
import { notify, report } from './application.ts';
import { forgetDocuments } from './documents.ts';
import { loadDrafts } from './drafts.ts';
import { useSession } from './session-state.ts';

/** Drafts that were dropped, and can be brought back by undo until something else is done. */
export interface Dropped {
  session: string;
  change: string;
  words: string;
}

/** What Ctrl/Cmd+Z brings back outside of a text; null after something else was done. */
export const useDropped = create<{ last: Dropped | null }>(() => ({ last: null }));

/** Says that drafts were dropped, and offers them back. */
export function tellDropped(session: string, change: string, ids: readonly string[]): void {
  const words =
    ids.length === 1 ? `The draft of id ${ids[0]} was dropped.` : `${formatNoun(ids.length, 'draft')} were dropped.`;
  useDropped.setState({ last: { session, change, words } });
  announce(words);
  const label = ids.length === 1 ? 'Bring the draft back' : 'Bring the drafts back';
  notify({ tone: 'plain', text: words, action: { label, run: () => void takeBackDrafts(change) } });
}

/** Something else was done: undo is about that now. */
export function forgetDropped(): void {
  if (useDropped.getState().last) useDropped.setState({ last: null });
}

/** Brings the drafts back that were dropped last. False where nothing was, or something else was done since. */
export function undoDrop(): boolean {
  const { last } = useDropped.getState();
  if (!last || last.session !== useSession.getState().session) return false;
  void takeBackDrafts(last.change);
  return true;
}

/** Takes a change to drafts back: what was dropped or replaced is there again, what was new is gone. */
export async function takeBackDrafts(change: string): Promise<void> {
  const { session } = useSession.getState();
  if (useDropped.getState().last?.change === change) forgetDropped();
  if (!session) return;
  try {
    const { restored, dropped, left } = await call('drafts.takeBack', { session, change });
    // Texts on the screen are of the drafts there were.
    forgetDocuments();
    await loadDrafts();
    const words = [
      ...(restored > 0 ? [`${formatNoun(restored, 'draft')} ${restored === 1 ? 'is' : 'are'} back.`] : []),
      ...(dropped > 0 ? [`${formatNoun(dropped, 'imported draft')} dropped.`] : []),
      ...(left > 0
        ? [`${formatNoun(left, 'draft')} changed since and left as ${left === 1 ? 'it is' : 'they are'}.`]
        : []),
    ].join(' ');
    announce(words);
    notify({ tone: left > 0 ? 'plain' : 'good', text: words || 'There was nothing to bring back.' });
  } catch (thrown) {
    report(thrown);
  }
}
