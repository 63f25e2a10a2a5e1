import { Bits } from './bits.ts';
import { LENGTH_FIELD_OFFSET } from './record.ts';
import { decodeInfo, NO_ROW, type RecordTable } from './record-table.ts';
import { isDamage } from './segment.ts';
import type { Snapshot } from './snapshot.ts';
import type { Steps } from './steps.ts';

/** For every info byte, whether a row sets what its id holds before the position: 0 for a row that is passed over. */
export const COUNTS_AS_STORE = 1;
const COUNTS_AS_DELETE = 2;
export const COUNTS = Uint8Array.from({ length: 256 }, (_, info) => {
  const { kind, verdict } = decodeInfo(info);
  if (kind === 'gap') return 0;
  // Intact records do. So does a legacy one whose payload is no JSON, which salvage does not believe: VelesDB applies it unseen, so
  // an honest snapshot lists it.
  if (isDamage(verdict) && verdict !== 'payload-not-json' && verdict !== 'payload-unreadable') return 0;
  return kind === 'store' ? COUNTS_AS_STORE : COUNTS_AS_DELETE;
});

/** Where the record of an entry would start: an entry names the length field. Infinity for what no file reaches. */
export function markerOf(snapshot: Snapshot, entry: number): number {
  const high = snapshot.offsetHigh(entry);
  if (high >= 0x20_0000) return Number.POSITIVE_INFINITY;
  return high * 0x1_0000_0000 + snapshot.offsetLow(entry) - LENGTH_FIELD_OFFSET;
}

/** What of a snapshot is as it should be. */
export interface Settled {
  /** Records that an entry of their id points at, and that are what the id holds before the position. */
  rows: Bits;
  /** The other entries than those that do. In a sound snapshot that is none, so these and not those are noted. */
  open: Bits;
  /** How many records there are that an entry should point at. */
  currentRows: number;
  /** How many an entry does point at; so many entries are settled. */
  count: number;
}

/** Rows passed over, or entries of one part looked up, between two yields. */
const STRIDE = 1 << 18;
/** Entries copied into words at a time: they stay in the cache. */
const CHUNK = 1 << 14;
/** The log is cut into parts of at most so many records on average: their columns stay in the cache while entries are looked up. */
const ROWS_A_PART = 1 << 14;
/** A part is cut again into so many stretches, in which a row is searched. */
const STRETCHES = 1 << 12;
/** At most so many entries are put in order at once, 20 bytes each. */
const ROOM = 1 << 21;

/**
 * Finds the entries of a snapshot that point at the current record of their id (its last applied one in the rows before `boundary`, a
 * store), and those records. Of two such entries of one id the last is taken.
 *
 * Entries come in no order, and looking each up as it comes, by its id or by its offset, waits for memory several times: on ten
 * million records that takes longer than reading the log. So they are put in order by the part of the log they point into, as many
 * parts at once as there is room for, and looked up part by part. That reads the snapshot a few times, but never here and there. Only
 * tests need other sizes than the usual.
 */
export function* settleEntries(
  table: RecordTable,
  snapshot: Snapshot,
  boundary: number,
  { rowsAPart = ROWS_A_PART, room = ROOM } = {},
): Steps<Settled> {
  const { count } = snapshot;
  const current = yield* currentRows(table, boundary);
  const rows = new Bits(table.rows);
  const settled: Settled = { rows, open: new Bits(count), currentRows: current.count(), count: 0 };
  const parts = new Parts(table, rowsAPart);
  const words = new Uint32Array(Math.min(count, CHUNK) * 4);
  const counts = new Uint32Array(parts.count);
  for (let from = 0; from < count; from += CHUNK) {
    const to = Math.min(count, from + CHUNK);
    snapshot.copyEntries(from, to, words);
    for (let at = 0; at < (to - from) * 4; at += 4) {
      const marker = words[at + 3]! * 0x1_0000_0000 + words[at + 2]! - LENGTH_FIELD_OFFSET;
      if (marker >= 0 && marker < table.end) counts[parts.of(marker)]!++;
      else settled.open.add(from + (at >>> 2));
    }
    yield { done: 0, total: count };
  }

  // The entries of some parts, in the order of the parts.
  const capacity = Math.min(count, room);
  const entries = new Uint32Array(capacity);
  const idLow = new Uint32Array(capacity);
  const idHigh = new Uint32Array(capacity);
  const markers = new Float64Array(capacity);
  const places = new Uint32Array(parts.count);
  for (let first = 0; first < parts.count; ) {
    let last = first;
    let size = 0;
    for (; last < parts.count && size + counts[last]! <= capacity; last++) {
      places[last] = size;
      size += counts[last]!;
    }
    // Far more entries than records: they are left to be looked up one by one.
    const isTooMuch = last === first;
    if (isTooMuch) size = counts[last++]!;
    const start = parts.startOf(first);
    const end = parts.startOf(last);
    for (let to = count; size > 0 && to > 0; to -= Math.min(to, CHUNK)) {
      const from = Math.max(0, to - CHUNK);
      snapshot.copyEntries(from, to, words);
      for (let at = (to - from) * 4 - 4; at >= 0; at -= 4) {
        const marker = words[at + 3]! * 0x1_0000_0000 + words[at + 2]! - LENGTH_FIELD_OFFSET;
        if (!(marker >= start && marker < end)) continue;
        if (isTooMuch) {
          settled.open.add(from + (at >>> 2));
          continue;
        }
        const place = places[parts.of(marker)]!++;
        entries[place] = from + (at >>> 2);
        idLow[place] = words[at]!;
        idHigh[place] = words[at + 1]!;
        markers[place] = marker;
      }
      yield { done: settled.count, total: count };
    }
    let place = 0;
    for (let part = first; part < last && !isTooMuch; part++) {
      if (counts[part] === 0) continue;
      parts.enter(part);
      for (const end = places[part]!; place < end; place++) {
        if (place % STRIDE === 0) yield { done: settled.count, total: count };
        const row = parts.rowStartingAt(markers[place]!);
        if (
          row < 0 ||
          !current.has(row) ||
          rows.has(row) ||
          table.idLow[row] !== idLow[place] ||
          table.idHigh[row] !== idHigh[place]
        ) {
          settled.open.add(entries[place]!);
          continue;
        }
        rows.add(row);
        settled.count++;
      }
      yield { done: settled.count, total: count };
    }
    first = last;
  }
  return settled;
}

/** Equal parts of a log, and the rows of the one that was entered. Widths are powers of two, so that no rounding moves an offset. */
class Parts {
  readonly count: number;
  readonly #offsets: Float64Array;
  readonly #rows: number;
  readonly #end: number;
  readonly #partsAByte: number;
  /** First row that starts in or behind each stretch of the part, and the row behind its last. */
  readonly #first = new Uint32Array(STRETCHES + 1);
  #start = 0;

  constructor(table: RecordTable, rowsAPart: number) {
    this.#offsets = table.offsets;
    this.#rows = table.rows;
    this.#end = table.end;
    const width = 2 ** Math.floor(Math.log2(Math.max(1, (table.end / Math.max(1, table.rows)) * rowsAPart)));
    this.#partsAByte = 1 / width;
    this.count = Math.ceil(table.end / width);
  }

  /** The part in which an offset of the log lies. */
  of(offset: number): number {
    return Math.floor(offset * this.#partsAByte);
  }

  /** Where a part begins; for the one behind the last, the end of the log. */
  startOf(part: number): number {
    return Math.min(this.#end, part / this.#partsAByte);
  }

  enter(part: number): void {
    const offsets = this.#offsets;
    this.#start = this.startOf(part);
    const scale = this.#partsAByte * STRETCHES;
    let row = this.#rowFrom(this.#start);
    const end = this.#rowFrom(this.startOf(part + 1));
    let stretch = 0;
    for (; row < end; row++) {
      const own = (offsets[row]! - this.#start) * scale;
      while (stretch <= own) this.#first[stretch++] = row;
    }
    this.#first.fill(end, stretch);
  }

  /** The first row that starts at `offset` or behind it. */
  #rowFrom(offset: number): number {
    let from = 0;
    let to = this.#rows;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (this.#offsets[middle]! < offset) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  /** The row that starts at exactly `offset`, which lies in the part that was entered, or -1. */
  rowStartingAt(offset: number): number {
    const offsets = this.#offsets;
    const stretch = Math.floor((offset - this.#start) * this.#partsAByte * STRETCHES);
    let from = this.#first[stretch]!;
    const end = this.#first[stretch + 1]!;
    let to = end;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (offsets[middle]! < offset) from = middle + 1;
      else to = middle;
    }
    return from < end && offsets[from] === offset ? from : -1;
  }
}

/** The record that each id has before `boundary`: its last applied one, if that is a store. */
function* currentRows(table: RecordTable, boundary: number): Steps<Bits> {
  const { info, previous } = table;
  const current = new Bits(table.rows);
  const rows = Math.min(boundary, table.linkedRows);
  for (let row = 0; row < rows; row++) {
    if (row % STRIDE === 0) yield { done: row, total: rows };
    const counts = COUNTS[info[row]!]!;
    if (counts === 0) continue;
    let older = previous[row]!;
    while (older !== NO_ROW && COUNTS[info[older - 1]!] === 0) older = previous[older - 1]!;
    if (older !== NO_ROW) current.remove(older - 1);
    if (counts === COUNTS_AS_STORE) current.add(row);
  }
  return current;
}
