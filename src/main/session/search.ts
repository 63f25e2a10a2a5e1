import { createBlockSearcher, SEARCH_BLOCK, SEARCH_HEAD } from '../../core/fast-search.ts';
import type { Steps } from '../../core/steps.ts';
import type { CollectionState } from './collection.ts';
import { ESCAPED, meetsCondition, type PathCondition } from './json-path.ts';
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
  // What the scan has not linked yet has no state to be judged by.
  const size = table.linkedRows < table.rows ? table.offsets[table.linkedRows]! : table.end;
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
  // A name may be spelled with escapes: payloads that hold any are looked at as well.
  const escapes = search.condition === null ? null : Buffer.from(input.buffer, input.byteOffset, input.byteLength);
  const longest = escapes === null ? needle.length : Math.max(needle.length, ESCAPE_LENGTH);
  let row = -1; // the last row decided on
  let carried = 0; // bytes before the block that end the one before: a hit may lie across
  for (let from = 0; from < size; ) {
    const read = state.readInto(input, SEARCH_HEAD, Math.min(SEARCH_BLOCK, size - from), from);
    if (read === 0) break;
    const start = SEARCH_HEAD - carried;
    const end = SEARCH_HEAD + read;
    const base = from - SEARCH_HEAD;
    let plain = searcher.find(start, end);
    let escaped = escapes === null ? -1 : findEscape(escapes, start, end);
    for (let at = 0; plain >= 0 || escaped >= 0; ) {
      const isPlain = escaped < 0 || (plain >= 0 && plain <= escaped);
      const found = isPlain ? plain : escaped;
      at = found + 1;
      const offset = base + found;
      const candidate = rowFrom(state, row, offset);
      if (candidate === row) {
        // The rest of a record that is decided already cannot change it.
        at = Math.max(at, Math.min(end, table.offsets[row]! + table.length(row) - base));
      } else {
        const range = payloadRange(state, candidate);
        if (range !== null && offset >= range.from && offset + (isPlain ? needle.length : ESCAPE_LENGTH) <= range.to) {
          row = candidate;
          if (accept(row) && matches(row)) hit(row);
        }
      }
      if (plain >= 0 && plain < at) plain = searcher.find(at, end);
      if (escapes !== null && escaped >= 0 && escaped < at) escaped = findEscape(escapes, at, end);
    }
    from += read;
    carried = Math.min(end - start, longest - 1);
    input.copyWithin(SEARCH_HEAD - carried, end - carried, end);
    yield { done: from, total: size };
  }
}

/** With the digit that makes it a printable character. */
const ESCAPE_LENGTH = ESCAPED.length + 1;

/** The first escape of a printable ASCII character that begins in [at, length) and ends there; -1 when there is none. */
function findEscape(block: Buffer, at: number, length: number): number {
  const part = block.subarray(0, length);
  for (
    let found = part.indexOf(ESCAPED, at, 'latin1');
    found >= 0;
    found = part.indexOf(ESCAPED, found + 1, 'latin1')
  ) {
    const digit = part[found + ESCAPED.length];
    if (digit !== undefined && digit >= 0x32 && digit <= 0x37) return found;
  }
  return -1;
}

/** The row holding `offset`, looked for a little ahead of the last one before the whole table is asked. */
function rowFrom(state: CollectionState, row: number, offset: number): number {
  const { table } = state;
  for (let ahead = Math.max(0, row); ahead < Math.min(table.rows, row + 8); ahead++) {
    if (offset < table.offsets[ahead]! + table.length(ahead)) return table.offsets[ahead]! <= offset ? ahead : row;
  }
  return table.rowAt(offset);
}
