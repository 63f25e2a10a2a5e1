import type { ByteSource } from '../byte-source.ts';
import { jsonReaderOf, type View } from '../generation.ts';
import { IdIndex } from '../id-index.ts';
import type { Crc32 } from '../record.ts';
import { type RecordTable, VerdictCode } from '../record-table.ts';
import type { Candidate } from '../repair/candidates.ts';
import { isDamage, isRecord, VERDICTS } from '../segment.ts';
import type { Steps } from '../steps.ts';
import { highU32, lowU32 } from '../u64.ts';
import { U64List } from '../u64-list.ts';
import { FateCode, RangeList } from './ranges.ts';
import {
  candidateWithoutChoice,
  LOOK_BEHIND,
  type NewRecord,
  obstacleToCandidate,
  type Repair,
  repairBy,
} from './repairs.ts';
import { findTail, type Tail } from './tail.ts';

/** What a recovery keeps (docs/contract.md, "Policies of recovery"). */
export const POLICIES_OF_RECOVERY = ['absolute', 'tolerate-tail', 'point-in-time', 'salvage'] as const;
export type RecoveryPolicy = (typeof POLICIES_OF_RECOVERY)[number];

export interface RecoveryPlanOptions {
  source: ByteSource;
  /** Scanned to the end of the source, linked, with payloads checked. Not to be changed while the plan is in use. */
  table: RecordTable;
  crc32: Crc32;
  policy: RecoveryPolicy;
  /** Keep live records only, in file order. */
  compact?: boolean;
  /** Candidates a person accepted, by row: they enter whatever they prove. */
  acceptedCandidates?: ReadonlyMap<number, Candidate>;
  /** Let a candidate enter where it is the only one proven and no choice is left. */
  applyCandidates?: boolean;
}

export interface RecordCounts {
  records: number;
  /** Different ids among these records. */
  ids: number;
  /** Bytes of the input. */
  bytes: number;
}

/**
 * What every generation is going to make of the output. It is sound, so all of them open it and hold the same records; which payloads
 * they read is the one difference there can be.
 */
export interface PredictedOutcome {
  live: number;
  /** Live, but VelesDB up to 7.x refuses to read the payload. */
  unreadable: U64List;
  /** The same of the releases from 8.0 on, which read numbers next to the largest double otherwise. */
  unreadableFrom8: U64List;
  /** The rest is told against everything intact in the input (`salvage`): live there and not here, */
  lost: U64List;
  /** an older version here, */
  stale: U64List;
  /** deleted there and live here, */
  resurrected: U64List;
  /** or here what a repaired record says: another version, or a delete. */
  repaired: U64List;
}

/**
 * What a recovery will write, decided before a byte of it is. The ranges tile the input: kept, left out and compacted away add up
 * to its size. A repaired record is no part of that sum: the damaged bytes it takes the place of are left out, as evidence, and
 * its own bytes are added.
 */
export interface RecoveryPlan {
  policy: RecoveryPolicy | 'trim-tail';
  compact: boolean;
  inputBytes: number;
  /** Whether the policy lets anything be written. Where not, there are no ranges and all counts are 0. */
  met: boolean;
  /** Why not, in words; null where met. */
  refusal: string | null;
  ranges: RangeList;
  /** Copied as they are. */
  kept: RecordCounts;
  /** Kept as evidence and not in the output. `pieces` are the ranges. */
  leftOut: RecordCounts & { pieces: number };
  /** Intact, and not live. */
  compactedAway: { records: number; bytes: number };
  /** Records that candidates gave back, and their bytes. */
  added: { records: number; bytes: number };
  /** In file order; those that do not enter say so. */
  repairs: Repair[];
  /** Candidates whose record is in the output, or which, in a compacted one, keep a deleted id out of it. */
  candidatesApplied: number;
  /** Damaged segments for which no candidate was looked for, because the search had taken too long by then. */
  candidatesNotSought: number;
  outputBytes: number;
  /** Segments of the input that are damaged. */
  damage: number;
  /** Null for a cut tail alone, which leaves everything before it as it is, damage included. */
  predicted: PredictedOutcome | null;
}

/** Bytes in which candidates are looked for, over all damage: about ten seconds. Hostile bytes would ask for hours. */
const CANDIDATE_BUDGET = 256 << 20;
/** Rows looked at between two yields. */
const STRIDE = 1 << 16;

/**
 * Decides what a recovery under a policy writes and predicts what VelesDB will make of it. Pure: reads the source and the table,
 * writes nothing. Yields progress in rows. About 25 bytes an id while it runs; the plan itself has one entry a range.
 */
export function* planRecovery(options: RecoveryPlanOptions): Steps<RecoveryPlan> {
  const planner = new Planner(options);
  return yield* planner.plan();
}

/** The plan that cuts a torn or zero-filled tail and leaves every byte before it as it is; null where there is no such tail. */
export function planTrim(source: ByteSource, table: RecordTable): { plan: RecoveryPlan; tail: Tail } | null {
  const tail = findTail(source, table);
  if (tail === null) return null;
  const plan = emptyPlan('trim-tail', false, source.size);
  const { ranges } = plan;
  if (tail.offset > 0) ranges.push(0, FateCode.kept, VerdictCode.ok);
  for (let row = tail.row; row < table.rows; row++) {
    ranges.push(table.offsets[row]!, FateCode.leftOut, table.verdictCode(row));
  }
  ranges.end = source.size;
  const kept = new DistinctIds();
  const leftOut = new DistinctIds();
  for (let row = 0; row < table.rows; row++) {
    const isTail = row >= tail.row;
    const counts = isTail ? plan.leftOut : plan.kept;
    counts.bytes += table.length(row);
    if (table.isDamaged(row)) plan.damage++;
    if (!isRecord({ kind: table.kind(row), verdict: table.verdict(row) })) continue;
    counts.records++;
    (isTail ? leftOut : kept).add(table.idLow[row]!, table.idHigh[row]!);
  }
  plan.kept.ids = kept.count;
  plan.leftOut.ids = leftOut.count;
  plan.leftOut.pieces = table.rows - tail.row;
  plan.outputBytes = tail.offset;
  return { plan, tail };
}

/** The ids a view will find unreadable in the output. */
export function predictedUnreadable(predicted: PredictedOutcome, view: View): U64List {
  return jsonReaderOf(view) === 'exact' ? predicted.unreadableFrom8 : predicted.unreadable;
}

/** A record of the output in its place; `row` is -1 for a repaired one. */
export interface ExpectedRecord extends NewRecord {
  row: number;
}

/** The records of the output in order, as they will be found when it is scanned. Not for a cut tail. */
export function* expectedRecords(table: RecordTable, plan: RecoveryPlan): Generator<ExpectedRecord> {
  const repairs = plan.repairs.filter(({ enters }) => enters);
  let nextRepair = 0;
  let row = 0;
  const { ranges } = plan;
  for (let range = 0; range < ranges.count; range++) {
    const from = ranges.offset(range);
    const to = from + ranges.length(range);
    if (ranges.fateCode(range) !== FateCode.kept) {
      const repair = repairs[nextRepair];
      if (repair?.offset === from) {
        nextRepair++;
        yield { ...repair, row: -1 };
      }
      continue;
    }
    while (row < table.rows && table.offsets[row]! < from) row++;
    for (; row < table.rows && table.offsets[row]! < to; row++) {
      yield {
        row,
        kind: table.kind(row) === 'delete' ? 'delete' : 'store',
        format: table.isLegacy(row) ? 'legacy' : 'crc',
        id: table.id(row),
        length: table.length(row),
        verdict: table.verdict(row),
      };
    }
  }
}

function emptyPlan(policy: RecoveryPlan['policy'], compact: boolean, inputBytes: number): RecoveryPlan {
  return {
    policy,
    compact,
    inputBytes,
    met: true,
    refusal: null,
    ranges: new RangeList(),
    kept: { records: 0, ids: 0, bytes: 0 },
    leftOut: { records: 0, ids: 0, bytes: 0, pieces: 0 },
    compactedAway: { records: 0, bytes: 0 },
    added: { records: 0, bytes: 0 },
    repairs: [],
    candidatesApplied: 0,
    candidatesNotSought: 0,
    outputBytes: 0,
    damage: 0,
    predicted: null,
  };
}

class Planner {
  readonly #source: ByteSource;
  readonly #table: RecordTable;
  readonly #plan: RecoveryPlan;
  readonly #repairs = new Map<number, Repair>();
  /** The first row that the policy does not let in. */
  #cut: number;
  /** id → row of its last record in the output, times two, plus one for a delete. A repaired record has the row of its damage. */
  readonly #last: IdIndex;

  constructor(private readonly options: RecoveryPlanOptions) {
    this.#source = options.source;
    this.#table = options.table;
    this.#plan = emptyPlan(options.policy, options.compact ?? false, options.source.size);
    this.#cut = options.table.rows;
    this.#last = new IdIndex(options.table.ids);
  }

  *plan(): Steps<RecoveryPlan> {
    const plan = this.#plan;
    plan.refusal = yield* this.#chooseRepairs();
    plan.refusal ??= this.#applyPolicy();
    if (plan.refusal !== null) {
      plan.met = false;
      plan.repairs = [];
      return plan;
    }
    yield* this.#replayOutput();
    yield* this.#layOut();
    return plan;
  }

  /** Finds the candidates that enter. Returns why it cannot be, or null. */
  *#chooseRepairs(): Steps<string | null> {
    const { acceptedCandidates, applyCandidates } = this.options;
    const table = this.#table;
    for (const [row, candidate] of [...(acceptedCandidates ?? [])].sort(([a], [b]) => a - b)) {
      const obstacle = obstacleToCandidate(table, row, candidate);
      if (obstacle !== null) return obstacle;
      this.#repairs.set(row, repairBy(table, row, candidate, true));
    }
    let sought = 0;
    for (let row = 0; row < table.rows; row++) {
      if (row % STRIDE === 0) yield { done: row, total: table.rows * 3 };
      if (!table.isDamaged(row)) continue;
      this.#plan.damage++;
      if (!applyCandidates || this.#repairs.has(row)) continue;
      // What stands behind the damage is looked at as well, which is most of the work for a short record.
      if (sought > CANDIDATE_BUDGET) {
        this.#plan.candidatesNotSought++;
        continue;
      }
      sought += table.length(row) + LOOK_BEHIND;
      yield { done: row, total: table.rows * 3 };
      const candidate = candidateWithoutChoice(this.#source, table, row);
      if (candidate !== null) this.#repairs.set(row, repairBy(table, row, candidate, false));
    }
    this.#plan.repairs = [...this.#repairs.values()].sort((a, b) => a.row - b.row);
    return null;
  }

  /** Damage that no candidate repairs whole. */
  #isUnrepaired(row: number): boolean {
    return this.#table.isDamaged(row) && this.#repairs.get(row)?.rest !== 0;
  }

  /** Sets the cut. Returns why the policy writes nothing, or null. */
  #applyPolicy(): string | null {
    const { policy } = this.options;
    if (policy === 'salvage') return null;
    const table = this.#table;
    let first = -1;
    let damaged = 0;
    for (let row = 0; row < table.rows; row++) {
      if (!this.#isUnrepaired(row)) continue;
      if (first < 0) first = row;
      damaged++;
    }
    if (first < 0) return null;
    if (policy === 'point-in-time') {
      // A record given back from the beginning of a damaged segment stands before what is still damaged in it.
      this.#cut = this.#repairs.has(first) ? first + 1 : first;
      return null;
    }
    if (policy === 'tolerate-tail') {
      const tail = findTail(this.#source, table);
      if (tail !== null && first >= tail.row) {
        this.#cut = tail.row;
        return null;
      }
    }
    const place = `the first, ${table.verdict(first)}, at offset ${table.offsets[first]}`;
    const where = policy === 'absolute' ? '' : ' before its tail';
    return `The policy ${policy} writes nothing where the log is damaged${where}: ${damaged === 1 ? `1 damaged segment, ${table.verdict(first)}, at offset ${table.offsets[first]}` : `${damaged} damaged segments, ${place}`}.`;
  }

  #isKept(row: number): boolean {
    return row < this.#cut && this.#table.isApplied(row);
  }

  /** Applies what the output may hold, in file order: what is live in it, and of how many ids. */
  *#replayOutput(): Steps<void> {
    const table = this.#table;
    for (let row = 0; row < table.rows; row++) {
      if (row % STRIDE === 0) yield { done: table.rows + row, total: table.rows * 3 };
      if (this.#isKept(row)) {
        this.#last.set(table.idLow[row]!, table.idHigh[row]!, row * 2 + (table.kind(row) === 'delete' ? 1 : 0));
        continue;
      }
      const repair = this.#repairOf(row);
      if (repair) this.#last.set(lowU32(repair.id), highU32(repair.id), row * 2 + (repair.kind === 'delete' ? 1 : 0));
    }
  }

  #repairOf(row: number): Repair | undefined {
    return row < this.#cut ? this.#repairs.get(row) : undefined;
  }

  /** Row and kind of the last record of an id that the policy lets in, as `#last` has it; -1 where there is none. */
  #lastOf(low: number, high: number): number {
    const slot = this.#last.find(low, high);
    return slot < 0 ? -1 : this.#last.offsetAt(slot);
  }

  /** Lays the input out in ranges, counts, and says what the output will hold against everything intact in the input. */
  *#layOut(): Steps<void> {
    const table = this.#table;
    const plan = this.#plan;
    const { ranges, kept, leftOut, compactedAway } = plan;
    const predicted: PredictedOutcome = {
      live: 0,
      unreadable: new U64List(),
      unreadableFrom8: new U64List(),
      lost: new U64List(),
      stale: new U64List(),
      resurrected: new U64List(),
      repaired: new U64List(),
    };
    const idsLeftOut = new DistinctIds();
    for (let row = 0; row < table.rows; row++) {
      if (row % STRIDE === 0) yield { done: table.rows * 2 + row, total: table.rows * 3 };
      const offset = table.offsets[row]!;
      const length = table.length(row);
      const low = table.idLow[row]!;
      const high = table.idHigh[row]!;
      if (table.state(row) === 'live') this.#compare(row, predicted);
      if (this.#isKept(row)) {
        const isLive = this.#lastOf(low, high) === row * 2;
        if (isLive) countLive(predicted, low, high, table.isDamaged(row), table.readersDisagree.has(row));
        if (isLive && table.state(row) !== 'live') {
          (table.liveRow(low, high) < 0 ? predicted.resurrected : predicted.stale).push(low, high);
        }
        const enters = isLive || !plan.compact;
        ranges.push(offset, enters ? FateCode.kept : FateCode.compactedAway, VerdictCode.ok);
        const counts = enters ? kept : compactedAway;
        counts.records++;
        counts.bytes += length;
        continue;
      }
      const verdict = table.verdictCode(row);
      ranges.push(offset, FateCode.leftOut, verdict);
      leftOut.bytes += length;
      if (isRecord({ kind: table.kind(row), verdict: VERDICTS[verdict]! })) {
        leftOut.records++;
        if (table.hasId(row)) idsLeftOut.add(low, high);
      }
      const repair = this.#repairOf(row);
      if (repair) this.#addRepair(repair, predicted);
    }
    ranges.end = plan.inputBytes;
    kept.ids = plan.compact ? kept.records : this.#last.size - this.#idsOnlyRepaired();
    leftOut.ids = idsLeftOut.count;
    for (let range = 0; range < ranges.count; range++) {
      if (ranges.fateCode(range) === FateCode.leftOut) leftOut.pieces++;
    }
    plan.outputBytes = kept.bytes + plan.added.bytes;
    for (const ids of Object.values(predicted)) if (ids instanceof U64List) ids.sort();
    plan.predicted = predicted;
  }

  /** What becomes of an id whose live record, among everything intact, is in `row`. */
  #compare(row: number, predicted: PredictedOutcome): void {
    const low = this.#table.idLow[row]!;
    const high = this.#table.idHigh[row]!;
    const last = this.#lastOf(low, high);
    // An older version, and what a repaired record says, are told where those records stand.
    if (last < 0 || (last % 2 === 1 && !this.#repairs.has((last - 1) / 2))) predicted.lost.push(low, high);
  }

  #addRepair(repair: Repair, predicted: PredictedOutcome): void {
    const plan = this.#plan;
    const low = lowU32(repair.id);
    const high = highU32(repair.id);
    const last = this.#lastOf(low, high);
    const isLive = last === repair.row * 2;
    if (isLive) countLive(predicted, low, high, isDamage(repair.verdict), repair.readersDisagree);
    if (Math.floor(last / 2) === repair.row) predicted.repaired.push(low, high);
    repair.enters = isLive || !plan.compact;
    if (repair.enters || this.#takesOut(repair, last)) plan.candidatesApplied++;
    if (!repair.enters) return;
    plan.added.records++;
    plan.added.bytes += repair.length;
  }

  /** Whether an id would be live without this repaired delete, which a compacted output does not hold but follows. */
  #takesOut({ row, id }: Repair, last: number): boolean {
    if (last !== row * 2 + 1) return false;
    let older = this.#table.newestRow(lowU32(id), highU32(id));
    while (older >= 0 && !this.#isKept(older)) older = this.#table.previous[older]! - 1;
    return older >= 0 && this.#table.kind(older) === 'store';
  }

  /** How many ids have repaired records in the output and no others. */
  #idsOnlyRepaired(): number {
    const ids = new Set<bigint>();
    for (const { id, row, enters } of this.#plan.repairs) {
      if (!enters || row >= this.#cut || ids.has(id)) continue;
      let other = this.#table.newestRow(lowU32(id), highU32(id));
      while (other >= 0 && !this.#isKept(other)) other = this.#table.previous[other]! - 1;
      if (other < 0) ids.add(id);
    }
    return ids.size;
  }
}

function countLive(
  predicted: PredictedOutcome,
  low: number,
  high: number,
  unreadable: boolean,
  readersDisagree: boolean,
): void {
  predicted.live++;
  if (unreadable) predicted.unreadable.push(low, high);
  if (unreadable !== readersDisagree) predicted.unreadableFrom8.push(low, high);
}

/** Counts different ids. */
class DistinctIds {
  readonly #ids = new IdIndex();

  get count(): number {
    return this.#ids.size;
  }

  add(low: number, high: number): void {
    this.#ids.set(low, high, 0);
  }
}
