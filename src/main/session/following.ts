import type { Files } from '../engine/files.ts';
import { throttled } from './slices.ts';

const POLL_MILLISECONDS = 500;
/** A writer makes thousands of changes a second; more looks than this show nobody more. */
const LOOK_MILLISECONDS = 50;

/**
 * Calls `look` whenever a file may have changed, until the returned function is called: at once where the system tells of changes, and
 * every half second besides. Watching alone would miss changes on network drives and in containers; one look at the size is cheap.
 */
export function followFile(files: Files, path: string, look: () => void): () => void {
  const lookSoon = throttled(LOOK_MILLISECONDS, look);
  const unwatch = files.watch(path, lookSoon);
  const timer = setInterval(look, POLL_MILLISECONDS);
  let ended = false;
  return () => {
    if (ended) return;
    ended = true;
    clearInterval(timer);
    unwatch?.();
  };
}
