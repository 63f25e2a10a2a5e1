import type { Steps } from '../../core/steps.ts';
import type { CollectionState } from './collection.ts';
import { meetsCondition, type PathCondition } from './json-path.ts';
import { payloadRange } from './rows.ts';

/** What to look for in payloads: bytes, a condition, or a condition that bytes rule out most payloads for. */
export interface PayloadSearch {
  needle: Buffer | null;
  condition: PathCondition | null;
}

const PIECE = 4 << 20;
const lenient = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true });

/**
 * Calls `hit` for every store whose payload matches, in log order. The log is searched as one run of bytes, and the record around
 * a hit is looked up afterwards: most records are never looked at one by one.
 */
export function* searchPayloads(
  state: CollectionState,
  search: PayloadSearch,
  accept: (row: number) => boolean,
  hit: (row: number) => void,
): Steps<void> {
  const { table, source } = state;
  const size = table.end;
  const matches = (row: number): boolean => {
    if (!search.condition) return true;
    const range = payloadRange(state, row)!;
    return meetsCondition(lenient.decode(source.read(range.from, range.to - range.from)), search.condition);
  };

  if (!search.needle) {
    for (let row = 0; row < table.linkedRows; row++) {
      if (table.kind(row) === 'store' && accept(row) && matches(row)) hit(row);
      if ((row & 255) === 0) yield { done: table.offsets[row]!, total: size };
    }
    return;
  }

  const needle = search.needle;
  let row = -1; // the last row decided on
  for (let from = 0; from < size; ) {
    const view = source.read(from, Math.min(PIECE + needle.length - 1, size - from));
    // A copy when rows have to be read in between: the view dies with the next read.
    const bytes = search.condition ? Buffer.from(view) : Buffer.from(view.buffer, view.byteOffset, view.length);
    let at = 0;
    for (;;) {
      const found = bytes.indexOf(needle, at);
      if (found < 0) break;
      const offset = from + found;
      const candidate = rowFrom(state, row, offset);
      if (candidate === row) {
        at = found + 1;
        // The rest of a record that is decided already cannot change it.
        const end = table.offsets[row]! + table.length(row) - from;
        if (end > at) at = Math.min(end, bytes.length);
        continue;
      }
      const range = payloadRange(state, candidate);
      const inside = range !== null && offset >= range.from && offset + needle.length <= range.to;
      if (!inside) {
        at = found + 1;
        continue;
      }
      row = candidate;
      if (accept(row) && matches(row)) hit(row);
    }
    from += PIECE;
    yield { done: Math.min(from, size), total: size };
  }
}

/** The row holding `offset`, looked for a little ahead of the last one before the whole table is asked. */
function rowFrom(state: CollectionState, row: number, offset: number): number {
  const { table } = state;
  for (let ahead = Math.max(0, row); ahead < Math.min(table.rows, row + 8); ahead++) {
    if (offset < table.offsets[ahead]! + table.length(ahead)) return table.offsets[ahead]! <= offset ? ahead : row;
  }
  return table.rowAt(offset);
}
