import type { ByteSource } from '../../core/byte-source.ts';
import { type BlockWalker, blockWalkerFor } from '../../core/fast-scan.ts';
import { findRun, PartColumns, type ScannedPart, scanPart } from '../../core/fast-scan-part.ts';
import type { RecordTable } from '../../core/record-table.ts';
import { Scanner } from '../../core/scan.ts';
import type { WorkProgress } from '../../core/steps.ts';
import { HASHED_AT_ONCE } from '../../core/window.ts';
import { VelescopeError } from '../../shared/errors.ts';
import { crc32 } from './crc32.ts';
import { type OpenFile, readFully } from './files.ts';
import { type CrewOptions, LogCrew } from './log-crew.ts';
import type { LogThread, PartResponse } from './log-threads.ts';

export interface ScanFileOptions extends CrewOptions {
  /** The log as `scan` reads it; the scan starts at the table's end and goes to the source's. */
  source: ByteSource;
  table: RecordTable;
  signal?: AbortSignal;
  onProgress?: (progress: WorkProgress) => void;
  /** Bytes a part; only tests need another than the usual. */
  partSize?: number;
  /** Whether to begin only once every thread has loaded: for tests, whose logs are scanned before that. */
  waitForThreads?: boolean;
}

/**
 * How much one thread walks at once: a few milliseconds, so that rows appear early and in order and the threads end together; large
 * enough that a message costs nothing beside it.
 */
const PART_SIZE = 8 << 20;
/** The log's beginning is walked so far before the rows in it are shown. */
const FIRST_PIECE = 1 << 20;
/** Parts a thread has been given at a time: it must not wait for a message between two. */
const PARTS_AHEAD = 4;
/** A log smaller than this is read before a thread has started. */
const WORTH_THREADS = 24 << 20;
/** How long this thread works between two looks at its messages. */
const SLICE_MILLISECONDS = 8;
/** Rows are linked in batches: more at once is faster, fewer are seen sooner. */
const LEAST_LINKED = 1 << 14;
const MOST_LINKED = 1 << 17;

/**
 * Scans a log into a table and links its rows, with as many threads as are given. The answer is that of `scan`, row for row, whatever
 * the log holds: other threads' parts are taken in only from a record at which the scan from the beginning arrives, and all else this
 * thread scans itself, as it does when threads cannot be started. Throws CANCELLED when the signal says so; the table then ends where
 * the scan stood.
 * @returns how many parts other threads walked.
 */
export async function scanFile(options: ScanFileOptions): Promise<number> {
  const { source, table, signal, onProgress } = options;
  const size = source.size;
  const scanner = new Scanner(source, crc32, table);
  const parts = new Parts(options);
  const abort = () => parts.close();
  signal?.addEventListener('abort', abort, { once: true });
  let sliceEnd = performance.now() + SLICE_MILLISECONDS;

  const breathe = async (): Promise<void> => {
    if (performance.now() < sliceEnd) return;
    onProgress?.({ done: table.end, total: size });
    await new Promise((resolve) => setImmediate(resolve));
    if (signal?.aborted) throw new VelescopeError('CANCELLED', 'The scan was cancelled.');
    sliceEnd = performance.now() + SLICE_MILLISECONDS;
  };
  const linkSome = async (least: number): Promise<void> => {
    while (table.rows - table.linkedRows >= least && table.rows > table.linkedRows) {
      table.link(Math.min(table.rows, table.linkedRows + MOST_LINKED));
      await breathe();
    }
  };
  // The first at once: somebody is waiting to see them.
  const leastLinked = () =>
    table.linkedRows === 0 ? 1 : Math.min(MOST_LINKED, Math.max(LEAST_LINKED, table.linkedRows >> 3));

  try {
    if (options.waitForThreads) await parts.crew.loaded();
    for (let position = table.end; position < size; ) {
      if (signal?.aborted) throw new VelescopeError('CANCELLED', 'The scan was cancelled.');
      const waiting = parts.pending(position);
      if (waiting) {
        // While another thread walks what comes next, this one walks what comes later, as the others do.
        if (parts.walkOne()) {
          await breathe();
          continue;
        }
        // Waiting time costs nothing: everything that is there gets linked.
        await linkSome(0);
        await waiting;
        continue;
      }
      const part = parts.done(position) ?? parts.walkFrom(position);
      const run = part && findRun(part, position);
      if (part && run) {
        scanner.takeIntact(part.columns, run.row, run.to, run.end);
        position = run.end;
      } else {
        const steps = scanner.stride(position);
        for (let step = steps.next(); ; step = steps.next()) {
          if (step.done) {
            position = step.value;
            break;
          }
          await breathe();
        }
      }
      parts.forgetBefore(position);
      await linkSome(leastLinked());
      await breathe();
    }
    table.end = size;
    await linkSome(0);
    onProgress?.({ done: size, total: size });
    return parts.received;
  } finally {
    signal?.removeEventListener('abort', abort);
    parts.close();
  }
}

/** The parts of a log, who walks them, and what came of it. */
class Parts {
  readonly #size: number;
  readonly #partSize: number;
  /** Parts walked and not yet passed. */
  readonly #walked = new Map<number, ScannedPart>();
  /** The next part nobody has been given. */
  #next: number;
  readonly #count: number;
  /** How many parts other threads have walked. */
  received = 0;
  #spare: ArrayBuffer[] = [];
  readonly crew = new LogCrew({
    give: (thread) => this.#give(thread),
    take: (response) => this.#receive(response),
    // What a broken thread was given is scanned by this one, when it comes there.
    leave: () => {},
  });

  readonly file: OpenFile | null;
  readonly walker = blockWalkerFor(crc32);

  constructor(options: ScanFileOptions) {
    this.file = options.file;
    this.#size = options.source.size;
    this.#partSize = options.partSize ?? PART_SIZE;
    this.#count = Math.ceil(this.#size / this.#partSize);
    // This thread begins at once; the others find their place ahead of it.
    this.#next = Math.floor(options.table.end / this.#partSize) + 1;
    const left = this.#size - options.table.end;
    if (left >= 3 * this.#partSize && (options.partSize || left >= WORTH_THREADS)) this.crew.start(options);
  }

  #give(thread: LogThread): void {
    // Towards the end fewer, so that all threads end together.
    const ahead = Math.min(PARTS_AHEAD, Math.ceil((this.#count - this.#next) / (2 * this.crew.size + 2)));
    while (thread.busy.size < ahead && this.#next < this.#count && this.#room) {
      const part = this.#next++;
      const buffer = this.#spare.pop() ?? new ArrayBuffer(1 << 16);
      const from = part * this.#partSize;
      const to = Math.min(this.#size, from + this.#partSize);
      thread.give({ type: 'scan', part, from, to, size: this.#size, buffer }, [buffer]);
    }
  }

  /** Whether more parts may be walked before those there are have been taken in: memory is bounded. */
  get #room(): boolean {
    return this.#walked.size < this.crew.size * PARTS_AHEAD * 2;
  }

  #receive(response: PartResponse): void {
    if (response.type !== 'scan') return;
    const { part, rows, runs, buffer } = response;
    this.received++;
    this.#walked.set(part, { columns: new PartColumns(buffer), rows, runs });
  }

  /** While another thread walks the part at `position`: a promise of news. Null when it is done or nobody's. */
  pending(position: number): Promise<void> | null {
    const part = Math.floor(position / this.#partSize);
    // A part that nobody has been given is this thread's now.
    this.#next = Math.max(this.#next, part + 1);
    return this.crew.isAt(part) ? this.crew.news() : null;
  }

  /** Walks the next part that nobody has been given, in this thread; false when there is none to be had. */
  walkOne(): boolean {
    const { walker, file } = this;
    if (!walker || !file || this.#next >= this.#count || !this.#room) return false;
    const part = this.#next++;
    const from = part * this.#partSize;
    this.#walked.set(part, this.#walk(walker, file, from, this.#endOf(part), false));
    return true;
  }

  #endOf(part: number): number {
    return Math.min(this.#size, (part + 1) * this.#partSize);
  }

  /**
   * Walks what is left of a part that nobody has walked, in this thread, from where the scan stands: as the scan would, but with the
   * bytes read to where they are hashed. Null where the scan has to go itself: the part has been walked already.
   */
  walkFrom(position: number): ScannedPart | null {
    const { walker, file } = this;
    const part = Math.floor(position / this.#partSize);
    if (!walker || !file || this.#walked.has(part)) return null;
    if (position === 0) return this.#walk(walker, file, 0, Math.min(this.#endOf(0), FIRST_PIECE), true);
    const walked = this.#walk(walker, file, position, this.#endOf(part), true);
    this.#walked.set(part, walked);
    return walked;
  }

  #walk(walker: BlockWalker, file: OpenFile, from: number, to: number, synchronised: boolean): ScannedPart {
    return scanPart({
      read: (into, start, length, position) => readFully(file, into, start, length, position),
      size: this.#size,
      from,
      to,
      synchronised,
      walker,
      crc32,
      // The scan hashes those in steps.
      longest: HASHED_AT_ONCE,
      columns: new PartColumns(this.#spare.pop() ?? new ArrayBuffer(1 << 16)),
    });
  }

  done(position: number): ScannedPart | null {
    return this.#walked.get(Math.floor(position / this.#partSize)) ?? null;
  }

  /** The scan has come to `position`: what lies before it is of no more use. */
  forgetBefore(position: number): void {
    const first = Math.floor(position / this.#partSize);
    for (const [part, { columns }] of this.#walked) {
      if (part >= first) continue;
      this.#walked.delete(part);
      this.#spare.push(columns.buffer);
      this.crew.giveAll();
    }
  }

  close(): void {
    this.crew.close();
    this.#walked.clear();
    this.#spare = [];
  }
}
