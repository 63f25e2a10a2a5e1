import type { ByteSource } from '../../core/byte-source.ts';
import { type PayloadCheckResult, type PayloadPart, PayloadParts, readFrom } from '../../core/payload-check.ts';
import { checkPart, type PayloadFindings } from '../../core/payload-part.ts';
import type { RecordTable } from '../../core/record-table.ts';
import type { WorkProgress } from '../../core/steps.ts';
import { VelescopeError } from '../../shared/errors.ts';
import { type CrewOptions, LogCrew } from './log-crew.ts';
import type { LogThread } from './log-threads.ts';

export interface CheckFileOptions extends CrewOptions {
  source: ByteSource;
  /** Scanned; its verdicts are what the check changes. */
  table: RecordTable;
  /** First row to look at; 0 unless given. */
  fromRow?: number;
  signal?: AbortSignal;
  onProgress?: (progress: WorkProgress) => void;
  /** Bytes a part; only tests need another than the usual. */
  partSize?: number;
  /** Whether to begin only once every thread has loaded: for tests, whose logs are checked before that. */
  waitForThreads?: boolean;
}

/** Parts a thread has been given at a time: it must not wait for a message between two. */
const PARTS_AHEAD = 2;
/** Less than this one thread checks in the time that others take to start. */
const WORTH_THREADS = 128 << 20;
/**
 * A part of more than this ends with a record that long. Its payload is judged in one go, a tenth of a second at the least, so it is
 * left to threads that nobody waits for.
 */
const HEAVY = 16 << 20;
/** How long this thread works between two looks at its messages. */
const SLICE_MILLISECONDS = 8;

/**
 * `checkPayloads` with as many threads as are given: the same verdicts and the same counts, whatever their number. What another thread
 * does not finish this one does itself, all of it when threads cannot be started. Throws CANCELLED when the signal says so; the
 * verdicts found up to there stay.
 * @returns also how many parts other threads checked.
 */
export async function checkFile(options: CheckFileOptions): Promise<PayloadCheckResult & { received: number }> {
  const { source, table, signal, onProgress } = options;
  const read = readFrom(source);
  const parts = new Parts(options);
  const abort = () => parts.close();
  signal?.addEventListener('abort', abort, { once: true });
  let sliceEnd = performance.now() + SLICE_MILLISECONDS;
  const breathe = async (): Promise<void> => {
    if (performance.now() < sliceEnd) return;
    onProgress?.({ done: parts.done, total: table.end });
    await new Promise((resolve) => setImmediate(resolve));
    if (signal?.aborted) throw new VelescopeError('CANCELLED', 'The check was cancelled.');
    sliceEnd = performance.now() + SLICE_MILLISECONDS;
  };
  try {
    if (options.waitForThreads) await parts.crew.loaded();
    for (;;) {
      if (signal?.aborted) throw new VelescopeError('CANCELLED', 'The check was cancelled.');
      const number = parts.takeHere();
      if (number === null) {
        if (parts.isDone) break;
        await parts.crew.news();
        continue;
      }
      const steps = checkPart(parts.part(number).ranges, read);
      let step = steps.next();
      for (; !step.done; step = steps.next()) await breathe();
      parts.finish(number, step.value);
      await breathe();
    }
    onProgress?.({ done: table.end, total: table.end });
    return { ...parts.result, received: parts.received };
  } finally {
    signal?.removeEventListener('abort', abort);
    parts.close();
  }
}

/** The parts of a check, who works on them, and what came of it. */
class Parts {
  readonly #parts: PayloadParts;
  /** Parts handed out whose findings are not in the table yet. */
  readonly #open = new Map<number, PayloadPart>();
  /** Findings that wait for those of earlier parts: they go into the table in the order of the log. */
  readonly #found = new Map<number, PayloadFindings>();
  /** Parts that a lost thread leaves behind. */
  #left: number[] = [];
  /** Parts that wait for another thread. */
  #heavy: number[] = [];
  #next = 0;
  #merged = 0;
  /** Bytes of the log whose findings are in the table. */
  done: number;
  /** How many parts other threads have checked. */
  received = 0;

  readonly crew = new LogCrew({
    give: (thread) => this.#give(thread),
    take: (response) => {
      if (response.type !== 'check') return;
      this.received++;
      this.finish(response.part, response.findings);
    },
    leave: (parts) => this.#left.push(...parts),
  });

  constructor(options: CheckFileOptions) {
    const { table, fromRow = 0, partSize } = options;
    this.#parts = new PayloadParts(table, fromRow, table.rows, partSize);
    this.done = table.end - this.#parts.left;
    if (partSize || this.#parts.left >= WORTH_THREADS || this.#parts.hasLongerThan(HEAVY)) this.crew.start(options);
  }

  #give(thread: LogThread): void {
    while (thread.busy.size < PARTS_AHEAD) {
      const part = this.#heavy.pop() ?? this.#take();
      if (part === null) return;
      thread.give({ type: 'check', part, ranges: this.part(part).ranges });
    }
  }

  get result(): PayloadCheckResult {
    return this.#parts.result;
  }

  /** Whether every part was handed out and its findings are in the table. */
  get isDone(): boolean {
    return this.#open.size === 0;
  }

  part(number: number): PayloadPart {
    return this.#open.get(number)!;
  }

  /** The number of a part that nobody works on; null when there is none. */
  #take(): number | null {
    const left = this.#left.pop();
    if (left !== undefined) return left;
    const part = this.#parts.next();
    if (part === null) return null;
    this.#open.set(this.#next, part);
    return this.#next++;
  }

  /** The same for this thread: not one that would hold it up, as long as there are others. */
  takeHere(): number | null {
    for (;;) {
      if (this.crew.size === 0) return this.#heavy.pop() ?? this.#take();
      const number = this.#take();
      if (number === null || this.part(number).bytes < HEAVY) return number;
      this.#heavy.push(number);
      this.crew.giveAll();
    }
  }

  finish(number: number, findings: PayloadFindings): void {
    this.#found.set(number, findings);
    for (let next = this.#found.get(this.#merged); next; next = this.#found.get(this.#merged)) {
      this.#parts.take(next);
      this.done += this.part(this.#merged).bytes;
      this.#open.delete(this.#merged);
      this.#found.delete(this.#merged++);
    }
  }

  close(): void {
    this.crew.close();
  }
}
