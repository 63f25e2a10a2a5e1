import type { ByteSource } from './byte-source.ts';
import {
  GENERATIONS,
  type Generation,
  LENGTH_PAST_END,
  POLICIES,
  SHORT_READ,
  UNKNOWN_MARKER,
  type VelesError,
} from './generation.ts';
import { IdIndex } from './id-index.ts';
import {
  CRC_DELETE_SIZE,
  CRC_STORE_OVERHEAD,
  describeMarker,
  LEGACY_DELETE_SIZE,
  LENGTH_FIELD_OFFSET,
  Marker,
  STORE_HEADER_SIZE,
} from './record.ts';
import { type RecordTable, VerdictCode } from './record-table.ts';
import type { Snapshot } from './snapshot.ts';
import { runToEnd, type Steps } from './steps.ts';
import { joinU64, readU32 } from './u64.ts';

/** What a generation's replay does where it meets a row (docs/format.md, "Replay loop"). */
export type PathAt =
  /** It follows the row's framing. */
  | { kind: 'follows' }
  /** The open fails; `at` is where it read what it refuses. */
  | { kind: 'refuses'; at: number; error: VelesError }
  /** Everything from `at` on is ignored, without an error. */
  | { kind: 'stops'; at: number }
  /** Led through bytes that are no records it comes to a record again, or exactly to (or over) the end. */
  | { kind: 'goes-on'; at: number; row: number; applied: AppliedUnchecked[] }
  /** It was led past this row by the damage at `by`. */
  | { kind: 'passed-over'; by: number }
  /** It refused or stopped before, at the damage that starts at `by`. */
  | { kind: 'not-reached'; by: number; how: 'refuses' | 'stops' }
  /** The snapshot's position lies behind: replay starts later. */
  | { kind: 'before-snapshot' };

/** A legacy record that replay reads out of damaged bytes and applies, as it does every legacy record. */
export interface AppliedUnchecked {
  kind: 'store' | 'delete';
  id: bigint;
}

/** How far false framing is followed; nobody reads a longer story. */
const MOST_HOPS = 4096;
/** How many applied records of it are told. */
const MOST_APPLIED = 8;
/** How many entries that point into one piece of damage are named. */
const MOST_POINTERS = 100;

/** Rows between two steps, and entries of a snapshot, each of which is looked up among those before it. */
const STRIDE = 1 << 18;
const POINTERS_STRIDE = 1 << 14;

interface Walk {
  /** Where replay starts. */
  start: number;
  /** Where the snapshot's position is no place to start (inside a record, or among bytes that are none): that row, and what happens. */
  opening: { row: number; path: PathAt } | null;
  /** What happens at each break it comes to, by place in `breaks`. */
  at: Map<number, PathAt>;
  /** The offset that ended it early, and how. */
  ended: { by: number; row: number; how: 'refuses' | 'stops' } | null;
}

/**
 * The ways of all generations through one log: where sound framing ends they follow whatever the bytes claim, each with its own
 * reaction. Made once for a table and a snapshot; each question is a look-up. Damage by damage this would be a replay each.
 */
export class ReplayPaths {
  /** Rows at which framing is not sound: gaps (the first piece of each) and a torn record. */
  readonly #breaks: number[] = [];
  readonly #walks = new Map<Generation, Walk>();
  readonly #behind = new Map<number, number>();
  #pointers: Map<number, bigint[]> = new Map();

  private constructor(
    private readonly source: ByteSource,
    private readonly table: RecordTable,
    private readonly snapshot: Snapshot | null,
  ) {}

  /** The ways through a log, in steps: they cost a look at each row, and at each entry of the snapshot. */
  static *of(source: ByteSource, table: RecordTable, snapshot: Snapshot | null): Steps<ReplayPaths> {
    const paths = new ReplayPaths(source, table, snapshot);
    yield* paths.#findBreaks();
    for (const generation of GENERATIONS) {
      const walk = yield* paths.#walk(generation);
      paths.#walks.set(generation, walk);
      if (walk.ended?.how === 'stops') yield* paths.#countBehind(walk.ended.row);
    }
    yield* paths.#findPointers();
    return paths;
  }

  *#findBreaks(): Steps<void> {
    const { table } = this;
    for (let row = 0; row < table.rows; row++) {
      const gap = table.kind(row) === 'gap';
      if (gap ? row === 0 || table.kind(row - 1) !== 'gap' : table.verdictCode(row) === VerdictCode.torn) {
        this.#breaks.push(row);
      }
      if (row % STRIDE === 0) yield { done: row, total: table.rows };
    }
  }

  /** What a generation's replay does at a row. */
  at(generation: Generation, row: number): PathAt {
    const walk = this.#walks.get(generation)!;
    const offset = this.table.offsets[row]!;
    const place = this.#breakAtOrBefore(row);
    const inBreak = place >= 0 && this.#isPartOf(this.#breaks[place]!, row);
    const { opening } = walk;
    if (opening && (row === opening.row || (row > opening.row && inBreak && this.#breaks[place]! <= opening.row))) {
      return opening.path;
    }
    const from = inBreak ? this.table.offsets[this.#breaks[place]!]! : offset;
    if (from < walk.start) return { kind: 'before-snapshot' };
    if (inBreak) {
      const told = walk.at.get(place);
      if (told) return told;
    }
    const { ended } = walk;
    if (ended && row > ended.row) return { kind: 'not-reached', by: ended.by, how: ended.how };
    // Between a break that replay was led away from and the row it came back to.
    const last = place >= 0 ? walk.at.get(place) : undefined;
    if (!inBreak && last?.kind === 'goes-on' && row < last.row) {
      return { kind: 'passed-over', by: this.table.offsets[this.#breaks[place]!]! };
    }
    if (last?.kind === 'passed-over') return last;
    return { kind: 'follows' };
  }

  /** How many records that salvage applies stand behind a row. */
  recordsBehind(row: number): number {
    return this.#behind.get(row) ?? runToEnd(this.#countBehind(row));
  }

  *#countBehind(row: number): Steps<number> {
    const { table } = this;
    let count = this.#behind.get(row) ?? 0;
    if (this.#behind.has(row)) return count;
    for (let at = row + 1; at < table.rows; at++) {
      if (table.isApplied(at)) count++;
      if (at % STRIDE === 0) yield { done: at, total: table.rows };
    }
    this.#behind.set(row, count);
    return count;
  }

  /** Ids whose snapshot entries (those that count) point into a damaged row: what is there is served unchecked. */
  pointersInto(row: number): readonly bigint[] {
    return this.#pointers.get(row) ?? [];
  }

  *#findPointers(): Steps<void> {
    const { table, snapshot } = this;
    const pointers = this.#pointers;
    if (!snapshot) return;
    const seen = new IdIndex(snapshot.count);
    for (let entry = snapshot.count - 1; entry >= 0; entry--) {
      if (entry % POINTERS_STRIDE === 0) yield { done: snapshot.count - entry, total: snapshot.count };
      const low = snapshot.idLow(entry);
      const high = snapshot.idHigh(entry);
      // Of an id that stands twice the last entry counts.
      if (seen.find(low, high) >= 0) continue;
      seen.set(low, high, 0);
      const marker = snapshot.offsetHigh(entry) * 0x1_0000_0000 + snapshot.offsetLow(entry) - LENGTH_FIELD_OFFSET;
      const row = table.rowAt(marker);
      if (row < 0 || !table.isDamaged(row)) continue;
      const ids = pointers.get(row) ?? [];
      if (ids.length < MOST_POINTERS) ids.push(joinU64(low, high));
      pointers.set(row, ids);
    }
  }

  *#walk(generation: Generation): Steps<Walk> {
    const { table, source } = this;
    const position = this.snapshot?.walPosition ?? 0n;
    const start = position >= BigInt(source.size) ? source.size : Number(position);
    const walk: Walk = { start, opening: null, at: new Map(), ended: null };
    let resume = table.rowAt(start);
    if (resume < 0) return walk;
    let passedBy = start;
    const amongBytes = resume > 0 && table.kind(resume) === 'gap' && table.kind(resume - 1) === 'gap';
    if (table.offsets[resume] !== start || amongBytes) {
      const path = this.#follow(generation, start);
      walk.opening = { row: resume, path };
      if (path.kind === 'refuses' || path.kind === 'stops') {
        walk.ended = { by: start, row: resume, how: path.kind };
        return walk;
      }
      resume = path.kind === 'goes-on' ? path.row : table.rows;
    }
    for (let place = 0; place < this.#breaks.length; place++) {
      const row = this.#breaks[place]!;
      const offset = table.offsets[row]!;
      if (offset < start) continue;
      if (row < resume) {
        walk.at.set(place, { kind: 'passed-over', by: passedBy });
        continue;
      }
      const path = this.#follow(generation, offset);
      walk.at.set(place, path);
      yield { done: place, total: this.#breaks.length };
      if (path.kind === 'goes-on') {
        resume = path.row;
        passedBy = offset;
      } else if (path.kind === 'refuses' || path.kind === 'stops') {
        walk.ended = { by: offset, row, how: path.kind };
        break;
      }
    }
    return walk;
  }

  /** Replay from a place where the framing is not sound, until it refuses, stops, or is in step with the rows again. */
  #follow(generation: Generation, from: number): PathAt {
    const { source, table } = this;
    const { size } = source;
    const policy = POLICIES[generation];
    const applied: AppliedUnchecked[] = [];
    const refuseOr = (refuse: boolean, error: VelesError, at: number): PathAt =>
      refuse ? { kind: 'refuses', at, error } : { kind: 'stops', at };
    const shortRead = (at: number) => refuseOr(policy.shortRead === 'refuse', SHORT_READ, at);
    const pastEnd = (at: number): PathAt =>
      policy.pastEnd === 'refuse-length' ? { kind: 'refuses', at, error: LENGTH_PAST_END } : shortRead(at);
    let position = from;
    for (let hop = 0; hop < MOST_HOPS; hop++) {
      if (position >= size) return { kind: 'goes-on', at: position, row: table.rows, applied };
      if (position > from) {
        const row = table.rowStartingAt(position);
        if (row >= 0 && table.kind(row) !== 'gap' && table.verdictCode(row) !== VerdictCode.torn) {
          return { kind: 'goes-on', at: position, row, applied };
        }
      }
      const left = size - position;
      if (left < LENGTH_FIELD_OFFSET) return shortRead(position);
      const bytes = source.read(position, Math.min(left, STORE_HEADER_SIZE));
      const described = describeMarker(bytes[0]!);
      if (!described) return refuseOr(policy.unknownMarker === 'refuse', UNKNOWN_MARKER, position);
      const id = joinU64(readU32(bytes, 1), readU32(bytes, 5));
      const keep = () => {
        if (applied.length < MOST_APPLIED) applied.push({ kind: described.kind, id });
      };
      if (described.kind === 'store') {
        if (left < STORE_HEADER_SIZE) return shortRead(position);
        const legacy = bytes[0] === Marker.legacyStore;
        const end = position + readU32(bytes, LENGTH_FIELD_OFFSET) + (legacy ? STORE_HEADER_SIZE : CRC_STORE_OVERHEAD);
        if (end > size && !(legacy && policy.indexesLegacyPastEnd)) return pastEnd(position);
        if (legacy) keep();
        position = end;
      } else if (described.format === 'crc') {
        if (left < CRC_DELETE_SIZE) return shortRead(position);
        position += CRC_DELETE_SIZE;
      } else {
        keep();
        position += LEGACY_DELETE_SIZE;
      }
    }
    return { kind: 'stops', at: position };
  }

  #breakAtOrBefore(row: number): number {
    const breaks = this.#breaks;
    let from = 0;
    let to = breaks.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (breaks[middle]! <= row) from = middle + 1;
      else to = middle;
    }
    return from - 1;
  }

  /** Whether a row is the break itself or a later piece of the same gap. */
  #isPartOf(first: number, row: number): boolean {
    if (first === row) return true;
    // Between two breaks with no other between them, gap rows can only be pieces of the first.
    return this.table.kind(row) === 'gap';
  }
}
