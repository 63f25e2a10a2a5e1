import { Bits } from './bits.ts';
import type { ByteSource } from './byte-source.ts';
import { IdIndex } from './id-index.ts';
import { LENGTH_FIELD_OFFSET } from './record.ts';
import { NO_ROW, type RecordTable, VerdictCode } from './record-table.ts';
import type { Snapshot } from './snapshot.ts';
import { COUNTS, COUNTS_AS_STORE, markerOf, type Settled, settleEntries } from './snapshot-settle.ts';
import type { Steps, WorkProgress } from './steps.ts';
import { formatU64, joinU64 } from './u64.ts';

/** How a snapshot can disagree with its log (docs/contract-notes.md, "Snapshot check"). */
export const DISAGREEMENT_KINDS = [
  'position-beyond-end',
  'position-not-on-boundary',
  'hides-records',
  'hides-damage',
  'duplicate-id',
  'missing-entry',
  'extra-entry',
  'points-elsewhere',
] as const;
export type DisagreementKind = (typeof DISAGREEMENT_KINDS)[number];

export interface SnapshotDisagreement {
  kind: DisagreementKind;
  /** Absent where the snapshot as a whole is meant, or damage that no entry points at. */
  id?: bigint;
  /** Decimal: the offset of a length field, a position, or a count, as the log has it. */
  expected?: string;
  /** The same as the snapshot claims it. */
  found?: string;
  /** One plain sentence. */
  text: string;
}

export interface SnapshotCheck {
  state: 'valid' | 'disagrees';
  /** How many disagreements there are; the list may be shorter. */
  total: number;
  byKind: Partial<Record<DisagreementKind, number>>;
  disagreements: SnapshotDisagreement[];
}

export interface SnapshotCheckOptions {
  source: Pick<ByteSource, 'size'>;
  /** Scanned and linked. */
  table: RecordTable;
  /** One that passed the checks of its own bytes. */
  snapshot: Snapshot;
  /** At most so many disagreements are listed; all are counted. 1000 unless given. */
  limit?: number;
}

/** Entries or rows looked at between two yields: a millisecond or two, where each costs several waits for memory. */
const STRIDE = 1 << 14;
/** The same of entries that are looked up by their ids and put into words. */
const EXPLAINED = 1 << 11;
/** The same where rows are only passed over. */
const LONG_STRIDE = 1 << 18;

/**
 * Compares a snapshot with the log it was taken of: VelesDB checks none of this (docs/format.md, "Snapshot"). The snapshot is
 * right when its position is a record boundary inside the log, and its entries are exactly the ids that are live in the records
 * that start before that position, each at its record. Everything there that VelesDB will not see again because replay
 * starts behind it is said: hidden records, hidden damage.
 *
 * Of a sound snapshot every entry points at the current record of its id, and finding that out takes no look at the id chains: one
 * pass over the rows marks the current ones, and the entry's own offset leads to its row. What is not settled so (an entry that
 * points elsewhere, a current record without an entry) is looked up by its id and explained. Built for it are one bit a row and
 * an entry, and an index of ids the log never had, where the snapshot claims such.
 */
export function* checkSnapshot(options: SnapshotCheckOptions): Steps<SnapshotCheck> {
  const checker = new Checker(options);
  checker.position();
  yield* checker.settle();
  yield* checker.entries();
  yield* checker.rows();
  return checker.result();
}

class Checker {
  readonly #table: RecordTable;
  readonly #snapshot: Snapshot;
  readonly #size: number;
  readonly #limit: number;
  /** Rows from here on are replayed after the snapshot; those before it are seen through the snapshot only. */
  readonly #boundary: number;
  readonly #counts = new Map<DisagreementKind, number>();
  readonly #whole: SnapshotDisagreement[] = [];
  readonly #each: SnapshotDisagreement[] = [];
  /** What needs no word: nothing, until it is known. */
  #settled: Settled | null = null;
  /** One bit a row: on an id's newest row, that an entry of the id was looked up. */
  readonly #listed: Bits;
  /** One bit a row: an entry points into this damage. */
  readonly #pointedAt: Bits;
  /** Ids of entries that the log has no record of at all. */
  readonly #strangers = new IdIndex();

  constructor({ source, table, snapshot, limit = 1000 }: SnapshotCheckOptions) {
    this.#table = table;
    this.#snapshot = snapshot;
    this.#size = source.size;
    this.#limit = limit;
    this.#listed = new Bits(table.rows);
    this.#pointedAt = new Bits(table.rows);
    this.#boundary = rowsBefore(table, snapshot.walPosition);
  }

  position(): void {
    const { walPosition } = this.#snapshot;
    if (walPosition > BigInt(this.#size)) {
      this.#add({
        kind: 'position-beyond-end',
        expected: String(this.#size),
        found: String(walPosition),
        text: `The snapshot's position ${walPosition} lies beyond the end of the log at ${this.#size}: VelesDB replays nothing, and ignores what is written up to there.`,
      });
      return;
    }
    const position = Number(walPosition);
    if (position === this.#size) return;
    const row = this.#table.rowAt(position);
    const start = this.#table.offsets[row]!;
    // Where bytes behind the last record are no record, the position at their start is the end of that record.
    const afterGap = row > 0 && this.#table.kind(row) === 'gap' && this.#table.kind(row - 1) === 'gap';
    if (start === position && !afterGap) return;
    const end = start + this.#table.length(row);
    const what = this.#table.kind(row) === 'gap' ? 'unreadable bytes' : 'a record';
    this.#add({
      kind: 'position-not-on-boundary',
      expected: `${start} or ${end}`,
      found: String(position),
      text: `The snapshot's position ${position} is no record boundary: it lies inside ${what} from ${start} to ${end}, so replay starts in the middle of it.`,
    });
  }

  /** Finds what is as it should be, so that only the rest is looked up by its id. */
  *settle(): Steps<void> {
    const settled = yield* settleEntries(this.#table, this.#snapshot, this.#boundary);
    this.#settled = settled;
    if (settled.count > 0 && settled.count < this.#snapshot.count && (yield* this.#isSettledTwice())) {
      // Of each entry it has to be known whether it is its id's last: all are looked up. No VelesDB writes such a snapshot.
      settled.rows.clear();
      settled.open.addAll();
      settled.count = 0;
    }
  }

  /** Whether an entry that is not settled is of an id that another entry settled. */
  *#isSettledTwice(): Steps<boolean> {
    const { count } = this.#snapshot;
    const { open, rows } = this.#settled!;
    for (let entry = 0; entry < count; entry++) {
      if (entry % STRIDE === 0) yield this.#progress(0);
      if (!open.has(entry)) continue;
      const current = this.#currentRow(
        this.#table.newestRow(this.#snapshot.idLow(entry), this.#snapshot.idHigh(entry)),
      );
      if (current >= 0 && rows.has(current)) return true;
    }
    return false;
  }

  /** From the last to the first, because of an id that stands twice the last entry wins. */
  *entries(): Steps<void> {
    const { count } = this.#snapshot;
    const { open, count: settled } = this.#settled!;
    if (settled === count) return;
    for (let entry = count - 1; entry >= 0; entry--) {
      if ((count - entry) % EXPLAINED === 1) {
        yield this.#progress(count - entry);
        yield* this.#strangers.makeRoom(this.#strangers.size + EXPLAINED);
      }
      if (open.has(entry)) this.#entry(entry);
    }
  }

  #progress(done: number): WorkProgress {
    return { done, total: this.#snapshot.count + this.#table.linkedRows };
  }

  #entry(entry: number): void {
    const table = this.#table;
    const low = this.#snapshot.idLow(entry);
    const high = this.#snapshot.idHigh(entry);
    const newest = table.newestRow(low, high);
    if (newest >= 0 ? this.#listed.has(newest) : this.#strangers.find(low, high) >= 0) {
      const offset = this.#snapshot.offset(entry);
      this.#add({
        kind: 'duplicate-id',
        id: joinU64(low, high),
        found: String(offset),
        text: `The snapshot lists id ${formatU64(low, high)} more than once; VelesDB takes the last entry and ignores this one, which points to ${offset}.`,
      });
      return;
    }
    if (newest >= 0) this.#listed.add(newest);
    else this.#strangers.set(low, high, 0);

    const current = this.#currentRow(newest);
    const marker = markerOf(this.#snapshot, entry);
    if (current >= 0 && table.offsets[current] === marker) return;

    const id = formatU64(low, high);
    const offset = this.#snapshot.offset(entry);
    const target = table.rowAt(marker);
    const common = { id: joinU64(low, high), found: String(offset) };
    const expected = current < 0 ? {} : { expected: String(table.offsets[current]! + LENGTH_FIELD_OFFSET) };
    if (target >= 0 && this.#isHiddenDamage(target) && this.#mayBeOf(target, marker, low, high)) {
      this.#pointedAt.add(target);
      const start = table.offsets[target]!;
      this.#add({
        ...common,
        ...expected,
        kind: 'hides-damage',
        text: `The snapshot's entry of id ${id} points to ${offset}, into damaged bytes from ${start} to ${start + table.length(target)}: VelesDB serves what stands there unchecked${current < 0 ? '' : ', although an intact older version is left'}.`,
      });
    } else if (current >= 0) {
      this.#add({
        ...common,
        ...expected,
        kind: 'points-elsewhere',
        text: `The snapshot's entry of id ${id} points to ${offset}, which is ${this.#describe(marker)}; the id's current record has its length field at ${expected.expected}.`,
      });
    } else {
      this.#add({
        ...common,
        kind: 'extra-entry',
        text: `The snapshot lists id ${id} at ${offset}, which is ${this.#describe(marker)}; before its position the log holds no live record of that id.`,
      });
    }
  }

  /** Live records that the snapshot does not list, and damage that no entry points at. */
  *rows(): Steps<void> {
    const table = this.#table;
    const { count } = this.#snapshot;
    // Every current record has an entry: no need to look for one that has none.
    const settled = this.#settled!;
    const notNewest = settled.count === settled.currentRows ? null : yield* this.#findNotNewest();
    let missing = 0;
    for (let row = 0; row < table.linkedRows; row++) {
      if (row % LONG_STRIDE === 0) yield this.#progress(count + row);
      if (notNewest !== null && this.#hasChain(row) && !notNewest.has(row) && !this.#listed.has(row)) {
        const current = this.#currentRow(row);
        if (current >= 0 && !settled.rows.has(current) && !this.#missing(row, current)) missing++;
      }
      if (row < this.#boundary) this.#untouchedDamage(row);
    }
    if (missing > 0) {
      this.#add({
        kind: 'hides-records',
        expected: String(missing),
        found: '0',
        text: `${missing === 1 ? 'One live record' : `${missing} live records`} before the snapshot's position ${missing === 1 ? 'is' : 'are'} in no entry of it: VelesDB does not look there again and holds ${missing === 1 ? 'it' : 'them'} for absent.`,
      });
    }
  }

  /** One bit a row: a later record of the same id. */
  *#findNotNewest(): Steps<Bits> {
    const table = this.#table;
    const notNewest = new Bits(table.linkedRows);
    for (let row = 0; row < table.linkedRows; row++) {
      if (row % LONG_STRIDE === 0) yield this.#progress(this.#snapshot.count);
      const before = this.#hasChain(row) ? table.previous[row]! : NO_ROW;
      if (before !== NO_ROW) notNewest.add(before - 1);
    }
    return notNewest;
  }

  /** Reports the live record of an id that the snapshot lacks; true when a damaged delete explains it. */
  #missing(newest: number, current: number): boolean {
    const table = this.#table;
    const id = formatU64(table.idLow[current]!, table.idHigh[current]!);
    const expected = String(table.offsets[current]! + LENGTH_FIELD_OFFSET);
    for (let row = newest; row > current; row = table.previous[row]! - 1) {
      if (row >= this.#boundary || table.kind(row) !== 'delete' || !table.isDamaged(row)) continue;
      this.#add({
        kind: 'hides-damage',
        id: table.id(current),
        expected,
        text: `The snapshot does not list id ${id}, although its record at ${table.offsets[current]} is intact: a delete of it at ${table.offsets[row]} is damaged, and without the snapshot the id comes back.`,
      });
      return true;
    }
    this.#add({
      kind: 'missing-entry',
      id: table.id(current),
      expected,
      text: `The snapshot does not list id ${id}, whose current record before its position has its length field at ${expected}.`,
    });
    return false;
  }

  /** Damage before the position at which replay from 0 would stop or refuse, and which the snapshot steps over. */
  #untouchedDamage(row: number): void {
    const table = this.#table;
    if (!this.#breaksFraming(row)) return;
    // A gap in pieces (runs of zeros apart) is one piece of damage, and one that an entry points into was said already.
    if (row > 0 && table.kind(row) === 'gap' && table.kind(row - 1) === 'gap') return;
    let end = row;
    do {
      if (this.#pointedAt.has(end)) return;
      end++;
    } while (end < this.#boundary && table.kind(row) === 'gap' && table.kind(end) === 'gap');
    const start = table.offsets[row]!;
    const stop = table.offsets[end - 1]! + table.length(end - 1);
    this.#add({
      kind: 'hides-damage',
      found: String(start),
      text: `The snapshot's position lies behind damage from ${start} to ${stop}: VelesDB opens without noticing it, and without the snapshot replay would not get past it.`,
    });
  }

  /** The row an id has before the position: its last applied one if that is a store, else -1. */
  #currentRow(newest: number): number {
    const table = this.#table;
    for (let row = newest; row >= 0; row = table.previous[row]! - 1) {
      const counts = COUNTS[table.info[row]!];
      if (row >= this.#boundary || counts === 0) continue;
      return counts === COUNTS_AS_STORE ? row : -1;
    }
    return -1;
  }

  #hasChain(row: number): boolean {
    return this.#table.kind(row) !== 'gap' && this.#table.hasId(row);
  }

  #breaksFraming(row: number): boolean {
    return this.#table.kind(row) === 'gap' || this.#table.verdictCode(row) === VerdictCode.torn;
  }

  #isHiddenDamage(row: number): boolean {
    return this.#breaksFraming(row) || this.#table.verdictCode(row) === VerdictCode['crc-mismatch'];
  }

  /**
   * Whether a damaged segment may be the record that an entry was written for. A record with sound framing names its id, but the id
   * may be what is damaged; bytes of a gap may hold records anywhere.
   */
  #mayBeOf(row: number, marker: number, low: number, high: number): boolean {
    const table = this.#table;
    if (table.kind(row) === 'gap') return true;
    if (table.offsets[row] !== marker) return false;
    return !table.hasId(row) || table.kind(row) === 'store' || (table.idLow[row] === low && table.idHigh[row] === high);
  }

  #describe(marker: number): string {
    const table = this.#table;
    if (marker + LENGTH_FIELD_OFFSET >= this.#size) return 'beyond the end of the log';
    const row = table.rowAt(marker);
    if (row < 0) return 'no record';
    const start = table.offsets[row]!;
    if (start !== marker) return `inside the ${table.kind(row) === 'gap' ? 'unreadable bytes' : 'record'} at ${start}`;
    if (table.kind(row) === 'gap') return 'no record';
    const id = formatU64(table.idLow[row]!, table.idHigh[row]!);
    if (table.kind(row) === 'delete') return `a delete of id ${id}`;
    return row >= this.#boundary
      ? `a record of id ${id} behind the position`
      : `${table.isApplied(row) ? 'a' : 'a damaged'} record of id ${id}`;
  }

  #add(disagreement: SnapshotDisagreement): void {
    const { kind } = disagreement;
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
    if (disagreement.id === undefined && kind !== 'hides-damage') this.#whole.push(disagreement);
    else if (this.#each.length < this.#limit) this.#each.push(disagreement);
  }

  result(): SnapshotCheck {
    let total = 0;
    for (const count of this.#counts.values()) total += count;
    // What is said of the whole comes first; damage without an id next; then by id, an id's disagreements together.
    this.#each.sort((a, b) => {
      if (a.id === b.id) return DISAGREEMENT_KINDS.indexOf(a.kind) - DISAGREEMENT_KINDS.indexOf(b.kind);
      if (a.id === undefined || b.id === undefined) return a.id === undefined ? -1 : 1;
      return a.id < b.id ? -1 : 1;
    });
    return {
      state: total === 0 ? 'valid' : 'disagrees',
      total,
      byKind: Object.fromEntries(this.#counts),
      disagreements: [...this.#whole, ...this.#each].slice(0, this.#limit),
    };
  }
}

/** How many rows start before a position. */
function rowsBefore(table: RecordTable, position: bigint): number {
  if (position >= BigInt(table.end)) return table.rows;
  if (position <= 0n) return 0;
  const row = table.rowAt(Number(position));
  return table.offsets[row]! < Number(position) ? row + 1 : row;
}
