import type { JsonReader } from './json/number.ts';
import type { RecordFormat } from './record.ts';
import { BATCH, NO_ROW, RowIndex } from './row-index.ts';
import { isDamage, type PossibleRecord, type Segment, type SegmentKind, VERDICTS, type Verdict } from './segment.ts';
import { joinU64 } from './u64.ts';

/** What a record is in the salvage view. The position is its code in the `states` column. */
export const RECORD_STATES = ['gap', 'live', 'superseded', 'dead', 'damaged'] as const;
export type RecordState = (typeof RECORD_STATES)[number];
export const StateCode = { gap: 0, live: 1, superseded: 2, dead: 3, damaged: 4 } as const;

const KINDS: readonly SegmentKind[] = ['store', 'delete', 'gap'];
const KIND_MASK = 0b11;
const LEGACY_BIT = 1 << 2;
const VERDICT_SHIFT = 3;
const VERDICT_MASK = 0b111 << VERDICT_SHIFT;
const FOUND_BIT = 1 << 6;
const HAS_ID_BIT = 1 << 7;

export const VerdictCode = Object.fromEntries(VERDICTS.map((verdict, code) => [verdict, code])) as Record<
  Verdict,
  number
>;

/** The `info` byte of a row: kind, format, verdict, found by search, whether it has an id. */
export function encodeInfo(
  kind: SegmentKind,
  format: RecordFormat,
  verdict: Verdict,
  foundBySearch: boolean,
  hasId: boolean,
): number {
  return (
    KINDS.indexOf(kind) |
    (format === 'legacy' ? LEGACY_BIT : 0) |
    (VerdictCode[verdict] << VERDICT_SHIFT) |
    (foundBySearch ? FOUND_BIT : 0) |
    (hasId ? HAS_ID_BIT : 0)
  );
}

/** What an info byte says of a row; for tables over all 256 of them, which is how loops over millions of rows ask. */
export function decodeInfo(info: number): { kind: SegmentKind; legacy: boolean; verdict: Verdict } {
  return {
    kind: KINDS[info & KIND_MASK] ?? 'gap',
    legacy: (info & LEGACY_BIT) !== 0,
    verdict: VERDICTS[(info & VERDICT_MASK) >> VERDICT_SHIFT]!,
  };
}

export const INFO_OK_STORE = encodeInfo('store', 'crc', 'ok', false, true);
export const INFO_OK_DELETE = encodeInfo('delete', 'crc', 'ok', false, true);
export const INFO_FOUND = FOUND_BIT;

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

/** For every info byte, whether salvage applies such a row: see `RecordTable.isApplied`. */
const APPLIES = Uint8Array.from({ length: 256 }, (_, info) => {
  if ((info & KIND_MASK) === 2) return 0;
  switch (VERDICTS[(info & VERDICT_MASK) >> VERDICT_SHIFT]) {
    case 'ok':
    case 'unprotected':
    case 'payload-unreadable':
      return 1;
    case 'payload-not-json':
      return (info & LEGACY_BIT) === 0 ? 1 : 0;
    default:
      return 0;
  }
});

/** For every info byte, 1 where such a row is in no id's chain: a gap, or a record cut before its id was whole. */
const OUTSIDE_CHAINS = Uint8Array.from({ length: 256 }, (_, info) =>
  (info & KIND_MASK) === 2 || (info & HAS_ID_BIT) === 0 ? 1 : 0,
);

export { NO_ROW };

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
  offsets: Float64Array;
  idLow: Uint32Array;
  idHigh: Uint32Array;
  info: Uint8Array;
  states: Uint8Array;
  /** Row + 1 of the record of the same id before this one; 0 for none. */
  previous: Uint32Array;
  /** 1 for an id's first record in the log, 2 for its second, … */
  ordinals: Uint32Array;
  /** The newest record of each id. */
  readonly #index = new RowIndex(this);
  /** Where the last row ends. */
  end = 0;
  readonly possible = new Map<number, PossibleRecord[]>();
  /** Rows whose payload one of VelesDB's two JSON readers reads and the other refuses; set with the payload verdicts. */
  readonly readersDisagree = new Set<number>();
  /** Rows whose verdict rests on where the log ended: row → the size from which on they have to be looked at again. */
  readonly claimedEnds = new Map<number, number>();

  constructor(capacity = 1024) {
    this.offsets = new Float64Array(capacity);
    this.idLow = new Uint32Array(capacity);
    this.idHigh = new Uint32Array(capacity);
    this.info = new Uint8Array(capacity);
    this.states = new Uint8Array(capacity);
    this.previous = new Uint32Array(capacity);
    this.ordinals = new Uint32Array(capacity);
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
    const grow = <Column extends Float64Array | Uint32Array | Uint8Array>(column: Column): Column => {
      const larger = new (column.constructor as new (length: number) => Column)(capacity);
      larger.set(column);
      return larger;
    };
    this.offsets = grow(this.offsets);
    this.idLow = grow(this.idLow);
    this.idHigh = grow(this.idHigh);
    this.info = grow(this.info);
    this.states = grow(this.states);
    this.previous = grow(this.previous);
    this.ordinals = grow(this.ordinals);
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
    return APPLIES[this.info[row]!] !== 0;
  }

  /** Takes rows into the id chains, up to `limit` (all, unless told). Rows must be linked in file order. */
  link(limit = this.#rows): void {
    for (let row = this.#linked; row < limit; row += BATCH) this.#linkBatch(row, Math.min(limit, row + BATCH));
    this.#linked = Math.max(this.#linked, limit);
  }

  #linkBatch(from: number, to: number): void {
    const { info, states, previous, ordinals } = this;
    this.#index.putBatch(from, to, previous, info, OUTSIDE_CHAINS, this.offsets.length);
    for (let row = from; row < to; row++) {
      const about = info[row]!;
      if (OUTSIDE_CHAINS[about] !== 0) {
        states[row] = (about & KIND_MASK) === 2 ? StateCode.gap : StateCode.damaged;
        // The row may have been another's before a `truncate`.
        previous[row] = NO_ROW;
        ordinals[row] = 0;
        continue;
      }
      const before = previous[row]!;
      ordinals[row] = before === NO_ROW ? 1 : ordinals[before - 1]! + 1;
      if (APPLIES[about] === 0) {
        states[row] = StateCode.damaged;
        continue;
      }
      states[row] = (about & KIND_MASK) === 0 ? StateCode.live : StateCode.dead;
      for (let older = before; older !== NO_ROW; older = previous[older - 1]!) {
        const state = states[older - 1]!;
        if (state === StateCode.damaged) continue;
        if (state === StateCode.live) states[older - 1] = StateCode.superseded;
        break;
      }
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
    const counts = new Float64Array(VERDICTS.length);
    const torn = VerdictCode.torn;
    for (let row = 0; row < this.#linked; row++) {
      const info = this.info[row]!;
      const code = (info & VERDICT_MASK) >> VERDICT_SHIFT;
      const length = (row + 1 < this.#rows ? this.offsets[row + 1]! : this.end) - this.offsets[row]!;
      counts[code]!++;
      if ((info & KIND_MASK) === 2) totals.gaps++;
      else if (code !== torn) {
        totals.records++;
        if ((info & KIND_MASK) === 0) totals.stores++;
        else totals.deletes++;
        if ((info & LEGACY_BIT) !== 0) totals.legacy++;
      }
      if (code > 1) {
        totals.damaged++;
        totals.damagedBytes += length;
      } else if (this.states[row] === StateCode.live) totals.liveBytes += length;
      else if (this.states[row] === StateCode.superseded) totals.supersededBytes += length;
      else totals.deadBytes += length;
      if (this.states[row] === StateCode.live) totals.live++;
    }
    VERDICTS.forEach((verdict, code) => {
      if (counts[code]! > 0) totals.byVerdict[verdict] = counts[code]!;
    });
    return totals;
  }
}
