import type { JsonReader } from './json/number.ts';
import { type AllocationOptions, allocateColumns, type LinkColumns, slotsFor } from './link-columns.ts';
import { linkRows } from './link-rows.ts';
import type { PossibleRecords } from './possible-records.ts';
import { NO_ROW, RowIndex } from './row-index.ts';
import {
  APPLIED,
  decodeInfo,
  FOUND_BIT,
  HAS_ID_BIT,
  KIND_MASK,
  KINDS,
  LEGACY_BIT,
  LINKING,
  RECORD_STATES,
  type RecordState,
  StateCode,
  VERDICT_MASK,
  VERDICT_SHIFT,
  VerdictCode,
} from './row-info.ts';
import { isDamage, type Segment, type SegmentKind, VERDICTS, type Verdict } from './segment.ts';
import { runToEnd, type Steps } from './steps.ts';
import { joinU64 } from './u64.ts';

/** Versions of an id between two steps; each is somewhere else in memory. */
const HISTORY_STRIDE = 1 << 14;

export { NO_ROW } from './row-index.ts';
export {
  decodeInfo,
  encodeInfo,
  INFO_FOUND,
  INFO_OK_DELETE,
  INFO_OK_STORE,
  RECORD_STATES,
  type RecordState,
  StateCode,
  VerdictCode,
} from './row-info.ts';

/** Sums over the rows; every byte of the log is in exactly one row, so the bytes add up to its size. */
export interface TableTotals {
  records: number;
  stores: number;
  deletes: number;
  legacy: number;
  gaps: number;
  damagedBytes: number;
  liveBytes: number;
  supersededBytes: number;
  deadBytes: number;
  live: number;
  damaged: number;
  byVerdict: Partial<Record<Verdict, number>>;
}

/** Rows linked at once at most: a few milliseconds, and not many more new ids than the index has been given slots for. */
const BATCH = 1 << 18;

/**
 * Every segment of a log, one row each in file order, in columns: about 30 bytes a row with the index. A length is the
 * distance to the next row's offset, because segments tile the file. An object per record would cost ten times as much.
 *
 * Rows are appended by `push` and made findable by `link`, which keeps for each id a chain through all its records, newest
 * first, and says which is live in the salvage view. The two are apart so that scans of parts can run side by side and be
 * linked in file order afterwards.
 */
export class RecordTable {
  #rows = 0;
  #linked = 0;
  #columns: LinkColumns;
  /** The newest record of each id. */
  readonly #index: RowIndex;
  /** Where the last row ends. */
  end = 0;
  readonly possible = new Map<number, PossibleRecords>();
  /** Rows whose payload one of VelesDB's two JSON readers reads and the other refuses; set with the payload verdicts. */
  readonly readersDisagree = new Set<number>();
  /** Rows whose verdict rests on where the log ended: row → the size from which on they have to be looked at again. */
  readonly claimedEnds = new Map<number, number>();
  readonly #options: AllocationOptions;

  /** @param capacity rows there is room for at first. */
  constructor(capacity = 1024, options: AllocationOptions = {}) {
    this.#options = options;
    this.#columns = allocateColumns(capacity, slotsFor(0), options);
    this.#index = new RowIndex(this.#columns);
  }

  // The columns are replaced by larger ones as rows are appended: who keeps one across that sees the rows of before.

  get offsets(): Float64Array {
    return this.#columns.offsets;
  }

  get idLow(): Uint32Array {
    return this.#columns.idLow;
  }

  get idHigh(): Uint32Array {
    return this.#columns.idHigh;
  }

  get info(): Uint8Array {
    return this.#columns.info;
  }

  get states(): Uint8Array {
    return this.#columns.states;
  }

  /** Row + 1 of the record of the same id before this one; 0 for none. */
  get previous(): Uint32Array {
    return this.#columns.previous;
  }

  /** 1 for an id's first record in the log, 2 for its second, … */
  get ordinals(): Uint32Array {
    return this.#columns.ordinals;
  }

  get rows(): number {
    return this.#rows;
  }

  /** How many rows `link` has taken in. */
  get linkedRows(): number {
    return this.#linked;
  }

  /** How many different ids the linked rows hold, live or not. */
  get ids(): number {
    return this.#index.size;
  }

  /** Appends a segment that ends where the next one will start; the caller sets `end` past the last one. */
  push(offset: number, info: number, low: number, high: number): number {
    const row = this.#rows;
    if (row === this.offsets.length) this.reserve(Math.ceil(row * 1.5) + 1024);
    this.offsets[row] = offset;
    this.idLow[row] = low;
    this.idHigh[row] = high;
    this.info[row] = info;
    this.#rows = row + 1;
    return row;
  }

  /** Appends the rows [from, to) of columns walked elsewhere. */
  pushColumns(columns: Pick<RecordTable, 'offsets' | 'idLow' | 'idHigh' | 'info'>, from: number, to: number): void {
    const rows = this.#rows + to - from;
    if (rows > this.offsets.length) this.reserve(Math.max(rows, Math.ceil(this.#rows * 1.5) + 1024));
    this.offsets.set(columns.offsets.subarray(from, to), this.#rows);
    this.idLow.set(columns.idLow.subarray(from, to), this.#rows);
    this.idHigh.set(columns.idHigh.subarray(from, to), this.#rows);
    this.info.set(columns.info.subarray(from, to), this.#rows);
    this.#rows = rows;
  }

  /** Makes room for that many rows. */
  reserve(capacity: number): void {
    if (capacity <= this.offsets.length) return;
    // For a batch at least: only then is known how many of the ids need slots.
    this.#moveTo(capacity, slotsFor(Math.max(this.#expectedHashed(capacity), Math.min(capacity, BATCH))));
  }

  /** As many ids in slots as so many rows will hold if they go on like those that are linked. */
  #expectedHashed(capacity: number): number {
    return this.#linked === 0 ? 0 : Math.min(capacity, (capacity / this.#linked) * this.#index.hashed);
  }

  #moveTo(capacity: number, slots: number): void {
    const rows = this.#rows;
    const from = this.#columns;
    const to = allocateColumns(capacity, Math.max(slots, from.heads.length), this.#options);
    to.offsets.set(from.offsets.subarray(0, rows));
    to.idLow.set(from.idLow.subarray(0, rows));
    to.idHigh.set(from.idHigh.subarray(0, rows));
    to.previous.set(from.previous.subarray(0, rows));
    to.ordinals.set(from.ordinals.subarray(0, rows));
    to.info.set(from.info.subarray(0, rows));
    to.states.set(from.states.subarray(0, rows));
    this.#index.moveTo(to);
    this.#columns = to;
  }

  kind(row: number): SegmentKind {
    return KINDS[this.info[row]! & KIND_MASK]!;
  }

  isLegacy(row: number): boolean {
    return (this.info[row]! & LEGACY_BIT) !== 0;
  }

  verdict(row: number): Verdict {
    return VERDICTS[(this.info[row]! & VERDICT_MASK) >> VERDICT_SHIFT]!;
  }

  verdictCode(row: number): number {
    return (this.info[row]! & VERDICT_MASK) >> VERDICT_SHIFT;
  }

  setVerdict(row: number, verdict: Verdict): void {
    this.info[row] = (this.info[row]! & ~VERDICT_MASK) | (VerdictCode[verdict] << VERDICT_SHIFT);
  }

  foundBySearch(row: number): boolean {
    return (this.info[row]! & FOUND_BIT) !== 0;
  }

  hasId(row: number): boolean {
    return (this.info[row]! & HAS_ID_BIT) !== 0;
  }

  id(row: number): bigint {
    return joinU64(this.idLow[row]!, this.idHigh[row]!);
  }

  length(row: number): number {
    return (row + 1 < this.#rows ? this.offsets[row + 1]! : this.end) - this.offsets[row]!;
  }

  state(row: number): RecordState {
    return RECORD_STATES[this.states[row]!]!;
  }

  isDamaged(row: number): boolean {
    return isDamage(this.verdict(row));
  }

  /** Whether VelesDB, with the JSON reader of a generation, fails to read the payload of a row that salvage applies. */
  isUnreadable(row: number, reader: JsonReader): boolean {
    return this.isDamaged(row) !== (reader === 'exact' && this.readersDisagree.has(row));
  }

  segment(row: number): Segment {
    const kind = this.kind(row);
    const segment: Segment = {
      offset: this.offsets[row]!,
      length: this.length(row),
      kind,
      verdict: this.verdict(row),
      foundBySearch: this.foundBySearch(row),
    };
    if (kind !== 'gap') segment.format = this.isLegacy(row) ? 'legacy' : 'crc';
    if (this.hasId(row)) {
      if (kind === 'gap') segment.claimedId = this.id(row);
      else segment.id = this.id(row);
    }
    return segment;
  }

  /** The row holding the byte at `offset`, or -1. */
  rowAt(offset: number): number {
    if (this.#rows === 0 || offset < this.offsets[0]! || offset >= this.end) return -1;
    let from = 0;
    let to = this.#rows - 1;
    while (from < to) {
      const middle = (from + to + 1) >>> 1;
      if (this.offsets[middle]! <= offset) from = middle;
      else to = middle - 1;
    }
    return from;
  }

  /** The row that starts at exactly `offset`, or -1. */
  rowStartingAt(offset: number): number {
    const row = this.rowAt(offset);
    return row >= 0 && this.offsets[row] === offset ? row : -1;
  }

  /**
   * Whether salvage applies the row: every CRC-valid store and delete, and every believed legacy record. A legacy store is
   * believed only if its payload is JSON text (docs/contract.md, "Views").
   */
  isApplied(row: number): boolean {
    return (LINKING[this.info[row]!]! & APPLIED) !== 0;
  }

  /** Takes rows into the id chains, up to `limit` (all, unless told). Rows must be linked in file order. */
  link(limit = this.#rows): void {
    while (this.#linked < limit) {
      const from = this.#linked;
      const to = Math.min(limit, from + BATCH);
      const columns = this.#columns;
      const slots = slotsFor(this.#index.hashed + to - from);
      if (slots > columns.heads.length) {
        // At once as many as will be needed, so that a long log is not taken in again and again.
        this.#moveTo(columns.capacity, Math.max(slots, slotsFor(this.#expectedHashed(columns.capacity))));
        continue;
      }
      if (columns.linker) columns.linker.link(from, to, this.#index.seed, columns.heads.length - 1, columns.capacity);
      else linkRows(columns, from, to, this.#index.seed);
      this.#linked = to;
    }
  }

  /** The newest record of an id (of any verdict), or -1. */
  newestRow(low: number, high: number): number {
    return this.#index.find(low, high) - 1;
  }

  /** The record of an id that is live in the salvage view, or -1. */
  liveRow(low: number, high: number): number {
    for (let row = this.newestRow(low, high); row >= 0; row = this.previous[row]! - 1) {
      if (this.states[row] === StateCode.damaged) continue;
      return this.states[row] === StateCode.live ? row : -1;
    }
    return -1;
  }

  /** Whether an intact record of the id stands after `row`. */
  hasIntactAfter(row: number, low: number, high: number): boolean {
    for (let newer = this.newestRow(low, high); newer > row; newer = this.previous[newer]! - 1) {
      if (this.isApplied(newer)) return true;
    }
    return false;
  }

  /** How many records of the row's id the log holds. */
  versions(row: number): number {
    if (!this.hasId(row) || this.kind(row) === 'gap') return 0;
    const newest = this.newestRow(this.idLow[row]!, this.idHigh[row]!);
    return newest < 0 ? 0 : this.ordinals[newest]!;
  }

  /** Rows of an id, oldest first. */
  history(low: number, high: number): number[] {
    const rows: number[] = [];
    for (let row = this.newestRow(low, high); row >= 0; row = this.previous[row]! - 1) rows.push(row);
    return rows.reverse();
  }

  /**
   * Some of the rows of an id, oldest first, and how many there are: an id may have been written any number of times, and what is asked for are
   * a few. In steps. `from` counts from the oldest; without it they are the newest.
   */
  *someHistory(low: number, high: number, count: number, from?: number): Steps<{ total: number; rows: number[] }> {
    const newest = this.newestRow(low, high);
    const total = newest < 0 ? 0 : this.ordinals[newest]!;
    const first = from ?? Math.max(0, total - count);
    const rows: number[] = [];
    let position = total - 1;
    for (let row = newest; row >= 0 && position >= first; row = this.previous[row]! - 1, position--) {
      if (position < first + count) rows.push(row);
      if (position % HISTORY_STRIDE === 0) yield { done: total - position, total };
    }
    return { total, rows: rows.reverse() };
  }

  /** Forgets the rows from `row` on, as if they had never been linked: a grown log is scanned again from there. */
  truncate(row: number): void {
    if (row >= this.#rows) return;
    const end = this.offsets[row]!;
    for (let last = this.#linked - 1; last >= row; last--) this.#unlinkRow(last);
    for (const key of this.possible.keys()) if (key >= row) this.possible.delete(key);
    for (const key of this.readersDisagree) if (key >= row) this.readersDisagree.delete(key);
    for (const key of this.claimedEnds.keys()) if (key >= row) this.claimedEnds.delete(key);
    this.#rows = row;
    this.#linked = Math.min(this.#linked, row);
    this.end = end;
  }

  #unlinkRow(row: number): void {
    if (this.kind(row) === 'gap' || !this.hasId(row)) return;
    const before = this.previous[row]!;
    this.#index.takeBack(row, before);
    if (!this.isApplied(row)) return;
    for (let older = before; older !== NO_ROW; older = this.previous[older - 1]!) {
      if (this.states[older - 1] === StateCode.damaged) continue;
      if (this.states[older - 1] === StateCode.superseded) this.states[older - 1] = StateCode.live;
      break;
    }
  }

  /** Adds up the linked rows. */
  totals(): TableTotals {
    return runToEnd(this.addUp());
  }

  /** The same in steps: on a long log it takes longer than a page may wait. */
  *addUp(): Steps<TableTotals> {
    const { info, states, offsets } = this;
    const linked = this.#linked;
    const counts = new Float64Array(256);
    const live = new Float64Array(256);
    const bytes = new Float64Array(256 * RECORD_STATES.length);
    for (let from = 0; from < linked; from += ADDED_UP) {
      const to = Math.min(linked, from + ADDED_UP);
      let start = offsets[from]!;
      for (let row = from; row < to; row++) {
        const about = info[row]!;
        const state = states[row]!;
        const end = row + 1 < this.#rows ? offsets[row + 1]! : this.end;
        counts[about]!++;
        if (state === StateCode.live) live[about]!++;
        bytes[about * RECORD_STATES.length + state]! += end - start;
        start = end;
      }
      yield { done: to, total: linked };
    }
    return totalsOf(counts, live, bytes);
  }
}

/** Rows added up between two yields. */
const ADDED_UP = 1 << 18;

/** The totals of rows counted by their info byte (and their state in the salvage view). */
function totalsOf(counts: Float64Array, live: Float64Array, bytes: Float64Array): TableTotals {
  const totals: TableTotals = {
    records: 0,
    stores: 0,
    deletes: 0,
    legacy: 0,
    gaps: 0,
    damagedBytes: 0,
    liveBytes: 0,
    supersededBytes: 0,
    deadBytes: 0,
    live: 0,
    damaged: 0,
    byVerdict: {},
  };
  const byVerdict = new Float64Array(VERDICTS.length);
  for (let info = 0; info < 256; info++) {
    const count = counts[info]!;
    if (count === 0) continue;
    const { kind, legacy, verdict } = decodeInfo(info);
    if (kind === 'gap') totals.gaps += count;
    else if (verdict !== 'torn') {
      totals.records += count;
      if (kind === 'store') totals.stores += count;
      else totals.deletes += count;
      if (legacy) totals.legacy += count;
    }
    totals.live += live[info]!;
    byVerdict[VerdictCode[verdict]]! += count;
    const inState = bytes.subarray(info * RECORD_STATES.length, (info + 1) * RECORD_STATES.length);
    const all = inState.reduce((sum, part) => sum + part, 0);
    if (isDamage(verdict)) {
      totals.damaged += count;
      totals.damagedBytes += all;
    } else {
      totals.liveBytes += inState[StateCode.live]!;
      totals.supersededBytes += inState[StateCode.superseded]!;
      totals.deadBytes += all - inState[StateCode.live]! - inState[StateCode.superseded]!;
    }
  }
  VERDICTS.forEach((verdict, code) => {
    if (byVerdict[code]! > 0) totals.byVerdict[verdict] = byVerdict[code]!;
  });
  return totals;
}
