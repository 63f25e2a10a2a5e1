import { hashU64 } from './id-index.ts';
import type { JsonReader } from './json/number.ts';
import type { RecordFormat } from './record.ts';
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

/** At most so many rows are linked at once: a few milliseconds. */
const BATCH = 1 << 18;
/** How many slots ahead are touched. */
const AHEAD = 64;
/** An index of up to so many slots needs no sorting. */
const CACHED_SLOTS = 1 << 17;
const PARTITIONS = 512;
/** From so many rows on, the share of new ids says what is to come. */
const SAMPLE = 1 << 15;

interface Scratch {
  rows: Uint32Array;
  hashes: Uint32Array;
  unsortedRows: Uint32Array;
  unsortedHashes: Uint32Array;
  places: Uint32Array;
}

let scratchOfThread: Scratch | null = null;

/** Room for one batch, 4 MiB. Nothing in it outlives a call, so one serves all tables of a thread. */
function scratch(): Scratch {
  scratchOfThread ??= {
    rows: new Uint32Array(BATCH),
    hashes: new Uint32Array(BATCH),
    unsortedRows: new Uint32Array(BATCH),
    unsortedHashes: new Uint32Array(BATCH),
    places: new Uint32Array(PARTITIONS + 1),
  };
  return scratchOfThread;
}

/** Makes use of a value whose computation must not be optimised away. */
function keep(value: number): void {
  scratch().places[PARTITIONS] = value;
}

/** What `previous` holds for a row without an older one. */
export const NO_ROW = 0;

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
  #ids = 0;
  offsets: Float64Array;
  idLow: Uint32Array;
  idHigh: Uint32Array;
  info: Uint8Array;
  states: Uint8Array;
  /** Row + 1 of the record of the same id before this one; 0 for none. */
  previous: Uint32Array;
  /** 1 for an id's first record in the log, 2 for its second, … */
  ordinals: Uint32Array;
  /** Open addressing, linear probing: row + 1 of each id's newest record; the keys are in the id columns. */
  #heads = new Uint32Array(1024);
  /** Eight bits of each head's hash, 0 where there is none: a probe looks at the keys only where these agree. */
  #tags = new Uint8Array(1024);
  /** Mixed into every hash, so that nobody can choose ids that all meet in one slot. */
  readonly #seed = (Math.random() * 0x1_0000_0000) >>> 0;
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
    return this.#ids;
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

  /**
   * Links rows [from, to), at most BATCH. The index is far larger than the caches, and each new id lies at a random place of it:
   * row by row, the processor would wait for memory most of the time. So a batch is sorted by place first (a stable counting sort
   * by the uppermost bits of the slot, which keeps the rows of an id in file order), and a few slots ahead are touched together, so
   * that their waits overlap.
   */
  #linkBatch(from: number, to: number): void {
    if ((this.#ids + to - from) * 4 > this.#heads.length * 3) this.#growHeads(from, to - from);
    const { info, idLow, idHigh, states, previous, ordinals } = this;
    const heads = this.#heads;
    const tags = this.#tags;
    const mask = heads.length - 1;
    const count = this.#sortBySlot(from, to);
    const { rows, hashes } = scratch();
    let ids = this.#ids;
    let touched = 0;
    for (let at = 0; at < count; at++) {
      if ((at & (AHEAD - 1)) === 0) {
        for (let ahead = at, last = Math.min(count, at + AHEAD); ahead < last; ahead++) {
          const slot = hashes[ahead]! & mask;
          touched ^= tags[slot]! ^ heads[slot]!;
        }
      }
      const row = rows[at]!;
      const hash = hashes[at]!;
      const about = info[row]!;
      const tag = hash >>> 24 || 1;
      let slot = hash & mask;
      let before = NO_ROW;
      for (let found = tags[slot]!; found !== 0; found = tags[slot]!) {
        if (found === tag) {
          const head = heads[slot]!;
          if (idLow[head - 1] === idLow[row] && idHigh[head - 1] === idHigh[row]) {
            before = head;
            break;
          }
        }
        slot = (slot + 1) & mask;
      }
      heads[slot] = row + 1;
      previous[row] = before;
      if (before === NO_ROW) {
        tags[slot] = tag;
        ids++;
        ordinals[row] = 1;
      } else {
        ordinals[row] = ordinals[before - 1]! + 1;
      }
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
    this.#ids = ids;
    keep(touched);
  }

  /** Puts those of the rows [from, to) that belong to an id into the scratch, by slot; decides on the others. Returns how many. */
  #sortBySlot(from: number, to: number): number {
    const { info, idLow, idHigh, states } = this;
    const { rows, hashes, unsortedRows, unsortedHashes, places } = scratch();
    const slots = this.#heads.length;
    const seed = this.#seed;
    // A small index is in the cache as it is.
    const sorts = slots > CACHED_SLOTS && to - from > PARTITIONS;
    const toRows = sorts ? unsortedRows : rows;
    const toHashes = sorts ? unsortedHashes : hashes;
    let count = 0;
    for (let row = from; row < to; row++) {
      const about = info[row]!;
      if ((about & KIND_MASK) === 2) states[row] = StateCode.gap;
      else if ((about & HAS_ID_BIT) === 0) states[row] = StateCode.damaged;
      else {
        toRows[count] = row;
        toHashes[count++] = hashU64(idLow[row]! ^ seed, idHigh[row]!);
      }
    }
    if (!sorts) return count;
    const shift = Math.log2(slots / PARTITIONS);
    const last = PARTITIONS - 1;
    places.fill(0);
    for (let at = 0; at < count; at++) places[((unsortedHashes[at]! >>> shift) & last) + 1]!++;
    for (let part = 1; part < PARTITIONS; part++) places[part]! += places[part - 1]!;
    for (let at = 0; at < count; at++) {
      const hash = unsortedHashes[at]!;
      const place = places[(hash >>> shift) & last]!++;
      rows[place] = unsortedRows[at]!;
      hashes[place] = hash;
    }
    return count;
  }

  /** The slot of an id's head: where it is, or where it would go. */
  #slotOf(low: number, high: number): number {
    const heads = this.#heads;
    const tags = this.#tags;
    const mask = heads.length - 1;
    const hash = hashU64(low ^ this.#seed, high);
    const tag = hash >>> 24 || 1;
    let slot = hash & mask;
    for (let found = tags[slot]!; found !== 0; found = tags[slot]!) {
      if (found === tag) {
        const head = heads[slot]!;
        if (this.idLow[head - 1] === low && this.idHigh[head - 1] === high) return slot;
      }
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  /**
   * Makes the index larger, for at least `more` ids: for as many as the reserved rows will hold if they go on like the first
   * `rows` did, so that a long log is not taken in again and again as the index doubles.
   */
  #growHeads(rows: number, more: number): void {
    const factor = this.offsets.length / Math.max(1, rows);
    const expected = Math.max((rows < SAMPLE ? Math.min(4, factor) : factor) * this.#ids, this.#ids + more);
    let capacity = this.#heads.length * 2;
    while (expected * 4 > capacity * 3) capacity *= 2;
    const old = this.#heads;
    const mask = capacity - 1;
    // Filled although they are zero: a fresh page that is read first and written later is mapped in twice.
    const heads = new Uint32Array(capacity).fill(0);
    const tags = new Uint8Array(capacity).fill(0);
    const { idLow, idHigh } = this;
    const seed = this.#seed;
    const { rows: moved, hashes } = scratch();
    let touched = 0;
    for (let from = 0; from < old.length; ) {
      let count = 0;
      for (; count < AHEAD && from < old.length; from++) {
        const head = old[from]!;
        if (head === NO_ROW) continue;
        moved[count++] = head;
        touched ^= idLow[head - 1]! ^ idHigh[head - 1]!;
      }
      for (let at = 0; at < count; at++) {
        const head = moved[at]!;
        const hash = hashU64(idLow[head - 1]! ^ seed, idHigh[head - 1]!);
        hashes[at] = hash;
        touched ^= tags[hash & mask]! ^ heads[hash & mask]!;
      }
      for (let at = 0; at < count; at++) {
        const hash = hashes[at]!;
        let slot = hash & mask;
        while (tags[slot] !== 0) slot = (slot + 1) & mask;
        heads[slot] = moved[at]!;
        tags[slot] = hash >>> 24 || 1;
      }
    }
    keep(touched);
    this.#heads = heads;
    this.#tags = tags;
  }

  /** The newest record of an id (of any verdict), or -1. */
  newestRow(low: number, high: number): number {
    return this.#heads[this.#slotOf(low, high)]! - 1;
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
    const slot = this.#slotOf(this.idLow[row]!, this.idHigh[row]!);
    if (before !== NO_ROW) this.#heads[slot] = before;
    else this.#removeHead(slot);
    if (!this.isApplied(row)) return;
    for (let older = before; older !== NO_ROW; older = this.previous[older - 1]!) {
      if (this.states[older - 1] === StateCode.damaged) continue;
      if (this.states[older - 1] === StateCode.superseded) this.states[older - 1] = StateCode.live;
      break;
    }
  }

  #removeHead(hole: number): void {
    const mask = this.#heads.length - 1;
    let slot = hole;
    for (;;) {
      slot = (slot + 1) & mask;
      const head = this.#heads[slot]!;
      if (head === NO_ROW) break;
      const home = hashU64(this.idLow[head - 1]! ^ this.#seed, this.idHigh[head - 1]!) & mask;
      if (((slot - home) & mask) >= ((slot - hole) & mask)) {
        this.#heads[hole] = head;
        this.#tags[hole] = this.#tags[slot]!;
        hole = slot;
      }
    }
    this.#heads[hole] = NO_ROW;
    this.#tags[hole] = 0;
    this.#ids--;
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
