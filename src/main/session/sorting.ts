import type { RecordTable } from '../../core/record-table.ts';
import type { Steps } from '../../core/steps.ts';
import type { Order } from '../../shared/protocol.ts';

const RADIX_BITS = 16;
const BUCKETS = 1 << RADIX_BITS;
const PIECE = 1 << 18;

/** A 16-bit digit of a row's key, least significant first. */
type Digit = (row: number) => number;

/**
 * Orders rows by a column. Least-significant-digit radix sort: linear, stable (rows of equal keys stay in log order), and cut
 * into pieces so that it can be stopped; a comparison sort of ten million rows would hold the worker for seconds.
 * `rows` is overwritten with the sorted order and returned (or a buffer of the same size).
 */
export function* sortRows(table: RecordTable, rows: Uint32Array, order: Order): Steps<Uint32Array> {
  let sorted = rows;
  if (order.by !== 'offset') {
    let spare: Uint32Array = new Uint32Array(rows.length);
    for (const digit of digitsOf(table, order.by)) {
      const counts = new Uint32Array(BUCKETS + 1);
      for (let from = 0; from < sorted.length; from += PIECE) {
        const to = Math.min(sorted.length, from + PIECE);
        for (let at = from; at < to; at++) counts[digit(sorted[at]!) + 1]!++;
        yield { done: from, total: sorted.length };
      }
      // A digit that is the same everywhere orders nothing: most ids are small.
      if (counts.includes(sorted.length, 1)) continue;
      for (let bucket = 0; bucket < BUCKETS; bucket++) counts[bucket + 1]! += counts[bucket]!;
      for (let from = 0; from < sorted.length; from += PIECE) {
        const to = Math.min(sorted.length, from + PIECE);
        for (let at = from; at < to; at++) {
          const row = sorted[at]!;
          spare[counts[digit(row)]!++] = row;
        }
        yield { done: from, total: sorted.length };
      }
      [sorted, spare] = [spare, sorted];
    }
  }
  if (order.direction === 'descending') sorted.reverse();
  return sorted;
}

function digitsOf(table: RecordTable, by: 'id' | 'size' | 'versions'): Digit[] {
  const { idLow, idHigh } = table;
  switch (by) {
    case 'id': {
      return [
        (row) => idLow[row]! & 0xffff,
        (row) => idLow[row]! >>> 16,
        (row) => idHigh[row]! & 0xffff,
        (row) => idHigh[row]! >>> 16,
      ];
    }
    case 'size': {
      return [
        (row) => table.length(row) & 0xffff,
        (row) => Math.floor(table.length(row) / BUCKETS) & 0xffff,
        (row) => Math.floor(table.length(row) / (BUCKETS * BUCKETS)) & 0xffff,
      ];
    }
    case 'versions': {
      // Asking the index for every row and digit would cost more than the sort.
      const versions = new Uint32Array(table.linkedRows);
      for (let row = versions.length - 1; row >= 0; row--) {
        if (versions[row] !== 0) continue;
        const count = table.versions(row);
        if (count === 0) continue;
        for (let older = row; older >= 0; older = table.previous[older]! - 1) versions[older] = count;
      }
      return [(row) => versions[row]! & 0xffff, (row) => versions[row]! >>> 16];
    }
  }
}
