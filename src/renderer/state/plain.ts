import type { ChangeSet, Text } from '@codemirror/state';
import { LARGE_FROM } from '../work/work.ts';

/** From this many characters on, a payload is edited plain: no colours, no folding, no check at each pause of typing. */
export const PLAIN_FROM = 1 << 20;
/** The same for a large one with a line of so many: what colours and wraps goes through a whole line at each key. */
const PLAIN_LINE_FROM = 1 << 17;

/** Whether a displayed text is edited plain. */
export function isPlain(displayed: string): boolean {
  if (displayed.length < LARGE_FROM) return false;
  if (displayed.length >= PLAIN_FROM) return true;
  for (let from = 0; displayed.length - from >= PLAIN_LINE_FROM; ) {
    const end = displayed.indexOf('\n', from);
    if (end < 0 || end - from >= PLAIN_LINE_FROM) return true;
    from = end + 1;
  }
  return false;
}

/** Whether a document that was not edited plain is to be after changes, as by a paste. Only what was changed is looked at. */
export function becomesPlain(doc: Text, changes: ChangeSet): boolean {
  if (doc.length < LARGE_FROM) return false;
  let isLong = doc.length >= PLAIN_FROM;
  changes.iterChangedRanges((_fromA, _toA, fromB, toB) => {
    for (let position = fromB; position <= toB && !isLong; ) {
      const line = doc.lineAt(position);
      isLong = line.length >= PLAIN_LINE_FROM;
      position = line.to + 1;
    }
  });
  return isLong;
}
