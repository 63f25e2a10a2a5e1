import { create } from 'zustand';

/**
 * What a screen reader is told, through one polite region for the whole window, at most one text each interval: the latest of
 * those that came meanwhile wins, because an old progress is worth nothing. Failed saves alone speak at once.
 */
const INTERVAL_MILLISECONDS = 1_000;

export const useAnnouncements = create<{ polite: string; assertive: string }>(() => ({ polite: '', assertive: '' }));

let last = 0;
let waiting: string | null = null;
let timer: ReturnType<typeof setTimeout> | null = null;

/** Says a text politely, rate-limited. */
export function announce(text: string): void {
  waiting = text;
  if (timer) return;
  const wait = Math.max(0, last + INTERVAL_MILLISECONDS - Date.now());
  timer = setTimeout(() => {
    timer = null;
    last = Date.now();
    useAnnouncements.setState({ polite: waiting ?? '' });
  }, wait);
}

/** Says a text at once, interrupting: for failed saves only. */
export function announceFailure(text: string): void {
  useAnnouncements.setState({ assertive: '' });
  setTimeout(() => useAnnouncements.setState({ assertive: text }), 50);
}
