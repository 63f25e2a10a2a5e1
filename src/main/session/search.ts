import { createBlockSearcher, SEARCH_BLOCK } from '../../core/fast-search.ts';
import type { Steps } from '../../core/steps.ts';
import type { CollectionState } from './collection.ts';
import { meetsCondition, type PathCondition } from './json-path.ts';
import { payloadRange } from './rows.ts';

/** What to look for in payloads: bytes, a condition, or a condition that bytes rule out most payloads for. */
export interface PayloadSearch {
  needle: Buffer | null;
  condition: PathCondition | null;
}

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
  const { table } = state;
  const source = state.sourceForPass();
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
  const searcher = createBlockSearcher(needle);
  const { input } = searcher;
  let row = -1; // the last row decided on
  let carried = 0; // bytes at the beginning of the block that end the one before: a hit may lie across
  for (let from = 0; from < size; ) {
    const read = state.readInto(input, carried, Math.min(SEARCH_BLOCK, size - from), from);
    if (read === 0) break;
    const length = carried + read;
    const base = from - carried;
    for (let at = 0; ; ) {
      const found = searcher.find(at, length);
      if (found < 0) break;
      at = found + 1;
      const offset = base + found;
      const candidate = rowFrom(state, row, offset);
      if (candidate === row) {
        // The rest of a record that is decided already cannot change it.
        at = Math.max(at, Math.min(length, table.offsets[row]! + table.length(row) - base));
        continue;
      }
      const range = payloadRange(state, candidate);
      if (range === null || offset < range.from || offset + needle.length > range.to) continue;
      row = candidate;
      if (accept(row) && matches(row)) hit(row);
    }
    from += read;
    carried = Math.min(length, needle.length - 1);
    input.copyWithin(0, length - carried, length);
    yield { done: from, total: size };
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
