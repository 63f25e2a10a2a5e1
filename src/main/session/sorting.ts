import type { RecordTable } from '../../core/record-table.ts';
import type { Steps } from '../../core/steps.ts';
import type { Order } from '../../shared/protocol.ts';

const RADIX_BITS = 11;
const BUCKETS = 1 << RADIX_BITS;
/** Rows handled between two yields. */
const PIECE = 1 << 18;

/**
 * Orders rows by a column. Least-significant-digit radix sort: linear, stable (rows of equal keys stay in log order), and cut
 * into pieces so that it can be stopped; a comparison sort of ten million rows would hold the worker for seconds.
 * `rows` is overwritten with the sorted order and returned (or a buffer of the same size).
 *
 * Eleven bits a digit, because more buckets than the processor keeps pages at hand for cost more than the passes they save. The keys
 * travel with the rows, so that every pass reads in sequence; fetched by row they would be read all over the columns.
 */
export function* sortRows(table: RecordTable, rows: Uint32Array, order: Order): Steps<Uint32Array> {
  let sorted = rows;
  if (order.by === 'id') {
    sorted = yield* sortByWord(sorted, table.idLow);
    sorted = yield* sortByWord(sorted, table.idHigh);
  } else if (order.by === 'size') {
    // A record has at most 2^32 + 16 bytes, a gap may have more: the upper word is almost always the same and then costs one look.
    const words = yield* lengthsOf(table, sorted);
    sorted = yield* sortByKeys(sorted, words.low);
    if (words.high) sorted = yield* sortByWord(sorted, words.high);
  } else if (order.by === 'versions') {
    sorted = yield* sortByKeys(sorted, yield* versionsOf(table, sorted));
  }
  if (order.direction === 'descending') sorted.reverse();
  return sorted;
}

/** Sorts by a column, stably. */
function* sortByWord(rows: Uint32Array, column: Uint32Array): Steps<Uint32Array> {
  const keys = new Uint32Array(rows.length);
  let differing = 0;
  const first = rows.length > 0 ? column[rows[0]!]! : 0;
  for (let from = 0; from < rows.length; from += PIECE) {
    const to = Math.min(rows.length, from + PIECE);
    for (let at = from; at < to; at++) {
      const key = column[rows[at]!]!;
      keys[at] = key;
      differing |= key ^ first;
    }
    yield { done: from, total: rows.length };
  }
  return differing === 0 ? rows : yield* sortByKeys(rows, keys);
}

/** Sorts by keys given beside the rows, stably; overwrites both. */
function* sortByKeys(rows: Uint32Array, keys: Uint32Array): Steps<Uint32Array> {
  const { length } = rows;
  const shifts = [0, RADIX_BITS, 2 * RADIX_BITS];
  const counts = shifts.map(() => new Uint32Array(BUCKETS));
  const [low, middle, high] = counts as [Uint32Array, Uint32Array, Uint32Array];
  for (let from = 0; from < length; from += PIECE) {
    const to = Math.min(length, from + PIECE);
    for (let at = from; at < to; at++) {
      const key = keys[at]!;
      low[key & (BUCKETS - 1)]!++;
      middle[(key >>> RADIX_BITS) & (BUCKETS - 1)]!++;
      high[key >>> (2 * RADIX_BITS)]!++;
    }
    yield { done: from, total: length };
  }
  let [fromRows, fromKeys] = [rows, keys];
  let toRows: Uint32Array | null = null;
  let toKeys: Uint32Array | null = null;
  for (const [digit, shift] of shifts.entries()) {
    const places = counts[digit]!;
    // A digit that is the same everywhere orders nothing: most ids are small, most lengths too.
    if (places.includes(length)) continue;
    let sum = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const count = places[bucket]!;
      places[bucket] = sum;
      sum += count;
    }
    toRows ??= new Uint32Array(length);
    toKeys ??= new Uint32Array(length);
    for (let from = 0; from < length; from += PIECE) {
      const to = Math.min(length, from + PIECE);
      for (let at = from; at < to; at++) {
        const key = fromKeys[at]!;
        const place = places[(key >>> shift) & (BUCKETS - 1)]!++;
        toRows[place] = fromRows[at]!;
        toKeys[place] = key;
      }
      yield { done: from, total: length };
    }
    [fromRows, toRows] = [toRows, fromRows];
    [fromKeys, toKeys] = [toKeys, fromKeys];
  }
  return fromRows;
}

/** The lengths beside the rows, in words; the upper word, by table row, only if any length needs it. */
function* lengthsOf(table: RecordTable, rows: Uint32Array): Steps<{ low: Uint32Array; high: Uint32Array | null }> {
  const low = new Uint32Array(rows.length);
  let high: Uint32Array | null = null;
  for (let from = 0; from < rows.length; from += PIECE) {
    const to = Math.min(rows.length, from + PIECE);
    for (let at = from; at < to; at++) {
      const length = table.length(rows[at]!);
      low[at] = length;
      if (length > 0xffff_ffff) {
        high ??= new Uint32Array(table.rows);
        high[rows[at]!] = length / 0x1_0000_0000;
      }
    }
    yield { done: from, total: rows.length };
  }
  return { low, high };
}

/** How many versions the id of each row has, beside the rows. Asking the index for every row would cost more than the sort. */
function* versionsOf(table: RecordTable, rows: Uint32Array): Steps<Uint32Array> {
  const { previous, ordinals } = table;
  const versions = new Uint32Array(table.linkedRows);
  // From the newest record down each chain: an older one is met again later and has its answer already.
  for (let to = versions.length; to > 0; to -= PIECE) {
    for (let row = to - 1, from = Math.max(0, to - PIECE); row >= from; row--) {
      if (versions[row] !== 0) {
        const before = previous[row]!;
        if (before !== 0) versions[before - 1] = versions[row]!;
        continue;
      }
      const count = ordinals[row]!;
      if (count === 0) continue;
      versions[row] = count;
      const before = previous[row]!;
      if (before !== 0) versions[before - 1] = count;
    }
    yield { done: versions.length - to, total: versions.length };
  }
  const keys = new Uint32Array(rows.length);
  for (let at = 0; at < rows.length; at++) keys[at] = versions[rows[at]!]!;
  return keys;
}
