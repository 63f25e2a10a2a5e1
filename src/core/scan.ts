import type { ByteSource } from './byte-source.ts';
import { BLOCK_SIZE, type BlockWalker, blockWalkerFor, type RowColumns } from './fast-scan.ts';
import { PossibleRecords } from './possible-records.ts';
import { Probe } from './probe.ts';
import {
  CRC_DELETE_SIZE,
  CRC_STORE_OVERHEAD,
  type Crc32,
  LENGTH_FIELD_OFFSET,
  Marker,
  type RecordFormat,
  STORE_HEADER_SIZE,
} from './record.ts';
import { encodeInfo, INFO_FOUND, INFO_OK_DELETE, INFO_OK_STORE, RecordTable } from './record-table.ts';
import type { SegmentKind, Verdict } from './segment.ts';
import type { Steps } from './steps.ts';
import { readU32 } from './u64.ts';
import { crcHolds, HASHED_AT_ONCE, longCrcHolds, WINDOW_SIZE, Window } from './window.ts';

/** A run of this many zeros inside a gap is told apart from other unknown bytes. */
const ZERO_RUN = 16;
/** From the first damage on, longer records are hashed by the slow path's means. */
const LONGEST_HASHED_HERE = 1024;
/** Records of a chain inside a damaged one followed between two yields. */
const CHAIN_STRIDE = 1 << 14;
/** The smallest block that is walked at once. */
const LEAST_BLOCK = 1 << 10;
/** How many damaged or legacy records in a row may stand between intact ones of such a chain. */
const LONGEST_BRIDGE = 64;
/** So much of a log says how many rows it will have; what comes before is shown before room is made for millions. */
const TELLING = 4 << 20;
/** Room for so many rows, about a gigabyte, is made on the strength of that. */
const MOST_ROWS_AHEAD = 1 << 25;
/** How many bytes of sound records are followed between two yields. */
const STRIDE = 1 << 20;

export interface ScanOptions {
  source: ByteSource;
  crc32: Crc32;
  /** A table to go on with: the scan starts at its end. A fresh one unless given. */
  table?: RecordTable;
  /** False: record by record, without WebAssembly. The answer is the same; tests compare the two. */
  fast?: boolean;
}

/**
 * Tiles the log with segments, from the table's end to the end of the source, whatever the bytes are
 * (docs/contract.md, "Segments"). Payloads of CRC records are not looked at: that is `checkPayloads`. The rows are not linked.
 */
export function* scan(options: ScanOptions): Steps<RecordTable> {
  const table = options.table ?? new RecordTable();
  const scanner = new Scanner(options.source, options.crc32, table, options.fast ?? true);
  let position = table.end;
  while (position < options.source.size) position = yield* scanner.stride(position);
  table.end = options.source.size;
  return table;
}

/**
 * Where to scan again when the log has grown beyond the table: what stands behind the last settled record may look different
 * now (a torn record is complete, a length is believed because a record follows, nine legacy bytes no longer end the file). With the
 * `size` the log has now, also claims of an earlier gap that reach to there are looked at again; without, they are not.
 */
export function rowToRescanFrom(table: RecordTable, size = 0): number {
  let row = table.rows;
  for (const [claiming, end] of table.claimedEnds) if (end <= size && claiming < row) row = claiming;
  while (row > 0 && !isSettled(table, row - 1)) row--;
  return row;
}

/** Whether no byte behind the row can change what it is: its own CRC or, reached by its framing, its JSON text says so. */
function isSettled(table: RecordTable, row: number): boolean {
  switch (table.verdict(row)) {
    case 'ok':
      return true;
    case 'payload-not-json':
      return !table.isLegacy(row);
    case 'payload-unreadable':
    case 'unprotected':
      return !table.isLegacy(row) || (table.kind(row) === 'store' && !table.foundBySearch(row));
    default:
      return false;
  }
}

/** A store that claims to be intact, by its header. */
interface LongStore {
  end: number;
  low: number;
  high: number;
}

/**
 * The walk behind `scan`, a stride at a time, for callers that know some of the answer already: what another thread has walked is
 * put in with `takeIntact`, and the walk goes on behind it.
 */
export class Scanner {
  /** Until damage is met nothing reads beside it; from then on it has to keep its bytes. */
  #window: Window;
  readonly #size: number;
  readonly #walker: BlockWalker | null;
  /**
   * Grows with what is taken in and falls back at damage: a false length costs one hash of at most so many bytes, which then is in
   * proportion to the intact records before it.
   */
  #blockSize = LEAST_BLOCK;
  #probe: Probe | null = null;
  /** The next record pushed was reached by search. */
  #found = false;
  /** What `followIntact` stopped at because it takes long to hash. */
  #long: LongStore | null = null;
  /** The smallest of the table's claimed ends. */
  #soonest = Number.POSITIVE_INFINITY;

  constructor(
    private readonly source: ByteSource,
    private readonly crc32: Crc32,
    private readonly table: RecordTable,
    fast = true,
  ) {
    this.#window = new Window(source);
    this.#size = source.size;
    this.#walker = fast ? blockWalkerFor(crc32) : null;
    for (const end of table.claimedEnds.values()) this.#soonest = Math.min(this.#soonest, end);
  }

  /** Takes in what stands at `from`: a stride of intact records, and what ended it. Returns where the scan goes on. */
  *stride(from: number): Steps<number> {
    const { table } = this;
    const size = this.#size;
    const followed = this.followIntact(from);
    table.end = followed;
    yield { done: followed, total: size };
    // Only a stride that ended at something else than its own limit leads to the slow path.
    let next = followed;
    if (followed - from < STRIDE && followed < size) {
      if (this.#long) next = yield* this.#takeLong(followed, this.#long);
      if (next === followed) next = yield* this.explain(followed);
    }
    table.end = next;
    return next;
  }

  /** Takes in a store at `from` that `followIntact` left because it is long; returns where it ends, or `from` where it is not intact. */
  *#takeLong(from: number, { end, low, high }: LongStore): Steps<number> {
    let holds: boolean;
    if (this.#probe) {
      yield* this.#probe.hashLong(from);
      holds = this.#probe.crcHolds(from, end);
    } else holds = yield* longCrcHolds(this.#window, from, end, this.crc32);
    if (!holds) return from;
    this.table.push(from, this.#found ? INFO_OK_STORE | INFO_FOUND : INFO_OK_STORE, low, high);
    this.#found = false;
    return end;
  }

  /** Takes in consecutive intact CRC records that were walked elsewhere, rows [from, to) of the columns, and end at `end`. */
  takeIntact(columns: RowColumns, from: number, to: number, end: number): void {
    if (to <= from) return;
    const first = this.table.rows;
    const rows = first + to - from;
    if (rows > this.table.offsets.length) this.#makeRoom(rows, end);
    this.table.pushColumns(columns, from, to);
    if (this.#found) this.table.info[first]! |= INFO_FOUND;
    this.#found = false;
    this.table.end = end;
  }

  /**
   * Makes room for the rows that the log will have if it goes on as it did up to `end`: growing by halves would copy every column again
   * and again. Room that is never used costs addresses only, but short records at the beginning must not claim all of those.
   */
  #makeRoom(rows: number, end: number): void {
    const least = Math.ceil(rows * 1.25) + 1024;
    const expected = end < TELLING ? 0 : Math.ceil((rows / end) * this.#size * 1.02) + 1024;
    try {
      this.table.reserve(Math.max(least, Math.min(expected, Math.max(rows * 4, MOST_ROWS_AHEAD))));
    } catch {
      // A system that counts addresses as memory has none left for a guess.
      this.table.reserve(least);
    }
  }

  /** Takes in intact records up to a block's size; returns where it stopped, which may be where it started. */
  #walkBlock(walker: BlockWalker, from: number, limit: number): number {
    const window = this.#window;
    const wanted = Math.min(this.#blockSize, this.#size - from);
    // What is left of the window will do, unless it is little: reading on costs as much as what is thrown away.
    if (from < window.base || window.base + window.bytes.length - from < Math.min(wanted, LEAST_BLOCK)) {
      window.load(from, wanted);
    }
    const at = from - window.base;
    const length = Math.min(wanted, window.bytes.length - at);
    walker.input.set(window.bytes.subarray(at, at + length));
    let stopped = 0;
    for (let full = true; full; ) {
      const rows = walker.walk(stopped, length, Math.min(length, limit - from), from);
      stopped = walker.stoppedAt;
      this.takeIntact(walker.columns, 0, rows, from + stopped);
      full = walker.isFull(rows);
    }
    return from + stopped;
  }

  /** Takes in consecutive intact CRC records, a stride at most; returns where the first other byte stands. */
  followIntact(from: number): number {
    const { table, crc32 } = this;
    const size = this.#size;
    let position = from;
    const limit = from + STRIDE;
    this.#long = null;
    while (position < limit && position + CRC_DELETE_SIZE <= size) {
      if (this.#walker) {
        const walked = this.#walkBlock(this.#walker, position, limit);
        if (walked > position) {
          this.#blockSize = Math.min(BLOCK_SIZE, Math.max(this.#blockSize, 4 * (walked - position)));
          position = walked;
          continue;
        }
        // Not intact, or longer than the block: judged below.
      }
      const window = this.#window;
      if (!window.load(position, STORE_HEADER_SIZE) && size - position >= STORE_HEADER_SIZE) break;
      const at = position - window.base;
      const marker = window.bytes[at];
      let end: number;
      let info: number;
      if (marker === Marker.crcStore) {
        end = position + CRC_STORE_OVERHEAD + readU32(window.bytes, at + LENGTH_FIELD_OFFSET);
        if (end > size) break;
        info = INFO_OK_STORE;
      } else if (marker === Marker.crcDelete) {
        end = position + CRC_DELETE_SIZE;
        info = INFO_OK_DELETE;
      } else {
        break;
      }
      const low = readU32(window.bytes, at + 1);
      const high = readU32(window.bytes, at + 5);
      if (end - position > HASHED_AT_ONCE) {
        this.#long = { end, low, high };
        break;
      }
      // Where there is damage, many false lengths may overlap: the slow path has a way to hash them in bounded work.
      if (this.#probe && end - position > LONGEST_HASHED_HERE) {
        if (!this.#probe.crcHolds(position, end)) break;
      } else if (!crcHolds(window, position, end, crc32)) {
        break;
      }
      table.push(position, this.#found ? info | INFO_FOUND : info, low, high);
      this.#found = false;
      this.#blockSize = Math.min(BLOCK_SIZE, Math.max(this.#blockSize, 4 * (end - position)));
      position = end;
    }
    return position;
  }

  #push(
    offset: number,
    kind: SegmentKind,
    format: RecordFormat,
    verdict: Verdict,
    low: number | null,
    high: number | null,
    possible: PossibleRecords | null = null,
  ): void {
    const found = this.#found && kind !== 'gap';
    const info = encodeInfo(kind, format, verdict, found, low !== null);
    const row = this.table.push(offset, info, low ?? 0, high ?? 0);
    if (found) this.#found = false;
    if (possible && possible.length > 0) this.table.possible.set(row, possible);
  }

  /** Accounts for what stands at `position`, where no intact CRC record does; returns where the scan goes on. */
  *explain(position: number): Steps<number> {
    this.#blockSize = LEAST_BLOCK;
    if (!this.#probe) {
      this.#probe = new Probe(this.source, this.crc32);
      this.#window = new Window(this.source, true);
    }
    return yield* this.#explain(this.#probe, position);
  }

  *#explain(probe: Probe, position: number): Steps<number> {
    const size = this.#size;
    if (position >= (yield* probe.zeroTail())) {
      this.#push(position, 'gap', 'crc', 'zero-filled', null, null);
      return size;
    }
    const frame = probe.frame(position);
    if (!frame) return yield* this.#gap(probe, position, position + 1, null, null);
    const { kind, format, low, high, end } = frame;

    if (end === null || end > size) {
      const next = yield* probe.search(position + 1, size, 'any');
      if (next < 0) {
        this.#push(position, kind, format, 'torn', low, high);
        return size;
      }
      this.#restsOnEnd(end ?? size + 1);
      return yield* this.#gapTo(probe, position, next, low, high, null);
    }

    if (format === 'crc') return yield* this.#explainCrcFailed(probe, position, end, kind, low, high);

    if (kind === 'delete') {
      // A CRC inside is better evidence than nine bytes that begin with 02.
      const inside = yield* probe.search(position + 1, end, 'crc');
      if (inside >= 0 || !(yield* this.#startsRecord(probe, end)))
        return yield* this.#gap(probe, position, position + 1, low, high);
      this.#push(position, kind, format, 'unprotected', low, high);
      return end;
    }

    if (probe.legacyPayloadIsJson(position, end)) {
      if (this.#found && probe.isSupportedLegacyStore(position)) this.#restsOnEnd(probe.until);
      this.#push(position, kind, format, 'unprotected', low, high);
      return end;
    }
    const inside = yield* probe.search(position + 1, end, 'crc');
    if (inside < 0 && (yield* this.#startsRecord(probe, end))) {
      this.#push(position, kind, format, 'payload-not-json', low, high);
      return end;
    }
    return yield* this.#gap(probe, position, position + 1, low, high);
  }

  /** As the probe says; an answer that rests on where the file ends is remembered with the row about to be pushed. */
  *#startsRecord(probe: Probe, position: number): Steps<boolean> {
    const starts = yield* probe.startsRecord(position);
    this.#restsOnEnd(probe.until);
    return starts;
  }

  #restsOnEnd(until: number): void {
    // Whoever looks at an earlier row again comes past this one: only a sooner end is worth remembering.
    if (until >= this.#soonest) return;
    this.table.claimedEnds.set(this.table.rows, until);
    this.#soonest = until;
  }

  /** A CRC record whose CRC fails and whose extent fits the file: is its length to be believed? */
  *#explainCrcFailed(
    probe: Probe,
    position: number,
    end: number,
    kind: SegmentKind,
    low: number | null,
    high: number | null,
  ): Steps<number> {
    if (end < this.#size) yield* probe.hashLong(end);
    const anchored = end === this.#size || probe.intactEnd(end) >= 0;
    const possible = new PossibleRecords();
    if (end === this.#size) this.#restsOnEnd(end + 1);
    else if (!anchored) this.#restsOnEnd(probe.mayBecomeIntactAt(end));
    if (anchored) {
      for (let from = position + 1; ; ) {
        const start = yield* probe.search(from, end, 'crc');
        if (start < 0) break;
        const chain = new PossibleRecords();
        let at = start;
        while (at < end) {
          yield* probe.hashLong(at);
          const next = probe.intactEnd(at);
          if (next >= 0) addPossible(chain, probe, at, next);
          const onward = next >= 0 ? next : yield* this.#bridge(probe, at, end);
          if (onward < 0) break;
          at = onward;
          if (chain.length % CHAIN_STRIDE === 0) yield { done: at, total: this.#size };
        }
        if (at >= end) return yield* this.#gapTo(probe, position, start, low, high, possible);
        possible.add(chain);
        from = at;
        yield { done: from, total: this.#size };
      }
      this.#push(position, kind, 'crc', 'crc-mismatch', low, high, possible);
      return end;
    }
    const inside = yield* probe.search(position + 1, end, 'any');
    if (inside < 0 && (yield* this.#startsRecord(probe, end))) {
      this.#push(position, kind, 'crc', 'crc-mismatch', low, high);
      return end;
    }
    return yield* this.#gap(probe, position, position + 1, low, high);
  }

  /**
   * Over records inside a damaged one that are not intact but framed as if they were (legacy ones, one whose own CRC fails): the
   * next intact record they lead to, or `end` exactly; -1 where they lead nowhere, as the bytes behind a ghost do.
   */
  *#bridge(probe: Probe, from: number, end: number): Steps<number> {
    let position = from;
    for (let hop = 0; hop < LONGEST_BRIDGE; hop++) {
      yield* probe.hashLong(position);
      if (position === end || (hop > 0 && probe.intactEnd(position) >= 0)) return position;
      const frame = probe.frame(position);
      if (frame?.end == null || frame.end > end) return -1;
      const legacyStore = frame.format === 'legacy' && frame.kind === 'store';
      if (legacyStore && !probe.legacyPayloadIsJson(position, frame.end)) return -1;
      position = frame.end;
    }
    return -1;
  }

  /** Searches from `from` for the next record; what lies before it, from `position`, is a gap. */
  *#gap(probe: Probe, position: number, from: number, low: number | null, high: number | null): Steps<number> {
    const next = yield* probe.search(from, this.#size, 'any');
    return yield* this.#gapTo(probe, position, next < 0 ? this.#size : next, low, high, null);
  }

  /** Pushes [position, end) as gap segments, runs of zeros apart; the first one carries the claim and the possible records. */
  *#gapTo(
    probe: Probe,
    position: number,
    end: number,
    low: number | null,
    high: number | null,
    possible: PossibleRecords | null,
  ): Steps<number> {
    const zeroTail = yield* probe.zeroTail();
    let first = true;
    const push = (offset: number, verdict: Verdict) => {
      this.#push(offset, 'gap', 'crc', verdict, first ? low : null, first ? high : null, first ? possible : null);
      first = false;
    };
    let pending = position; // start of bytes not yet pushed
    let runStart = -1;
    const closeRun = (runEnd: number) => {
      if (runStart >= 0 && runEnd - runStart >= ZERO_RUN) {
        if (runStart > pending) push(pending, 'unknown-bytes');
        push(runStart, 'zero-filled');
        pending = runEnd;
      }
      runStart = -1;
    };
    const body = Math.min(end, Math.max(position, zeroTail));
    for (let at = position; at < body; at += WINDOW_SIZE) {
      const bytes = this.source.read(at, Math.min(WINDOW_SIZE, body - at));
      for (let index = 0; index < bytes.length; index++) {
        if (bytes[index] === 0) {
          if (runStart < 0) runStart = at + index;
        } else if (runStart >= 0) closeRun(at + index);
      }
      yield { done: at, total: this.#size };
    }
    closeRun(body);
    if (pending < body) push(pending, 'unknown-bytes');
    if (body < end) push(body, 'zero-filled');
    this.#found = end < this.#size;
    return end;
  }
}

function addPossible(list: PossibleRecords, probe: Probe, offset: number, end: number): void {
  const { low, high } = probe.frame(offset)!;
  list.push(offset, end - offset, low ?? 0, high ?? 0);
}
