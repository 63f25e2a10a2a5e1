import { type TransferListItem, Worker } from 'node:worker_threads';
import type { Run } from '../../core/fast-scan-part.ts';
import type { PayloadFindings, PayloadRanges } from '../../core/payload-part.ts';
import type { WorkerFile } from './worker-file.ts';

/** A part of a log to be walked for intact records; the rows go into `buffer`, which comes back. */
export interface ScanRequest {
  type: 'scan';
  part: number;
  from: number;
  to: number;
  /** Bytes of the log. */
  size: number;
  buffer: ArrayBuffer;
}

/** A part of a log's payloads to be looked at. */
export interface CheckRequest {
  type: 'check';
  part: number;
  ranges: PayloadRanges;
}

export type PartRequest = ScanRequest | CheckRequest;
export type ToLogThread = PartRequest | { type: 'open'; file: WorkerFile } | { type: 'close' };

export interface ScanResponse {
  type: 'scan';
  part: number;
  rows: number;
  runs: Run[];
  buffer: ArrayBuffer;
}

export interface CheckResponse {
  type: 'check';
  part: number;
  findings: PayloadFindings;
}

export type PartResponse = ScanResponse | CheckResponse;
export type FromLogThread = PartResponse | { type: 'ready' };

/** What a pass does with its threads. */
export interface LogThreadUser {
  /** The thread has nothing to do, or less than it could have. */
  onIdle(thread: LogThread): void;
  onResponse(thread: LogThread, response: PartResponse): void;
  /** The thread ended by itself. What it was at is in `busy`, and somebody else has to do it. */
  onLost(thread: LogThread): void;
}

/** Threads that have nothing to do, by the program they run. */
const idle = new Map<string, LogThread[]>();

/**
 * Another thread that reads a log for passes of this one (log-worker.ts). A thread takes some 60 ms to load, in which a log of a hundred
 * megabytes is scanned: so it is kept between passes, with no file open, and keeps no process alive meanwhile.
 */
export class LogThread {
  /** Parts given to it and not yet answered. */
  readonly busy = new Set<number>();
  /** Resolves when it has loaded, or is lost. */
  readonly loaded: Promise<void>;
  #onLoaded = () => {};
  readonly #worker: Worker;
  #ready = false;
  #ended = false;
  #user: LogThreadUser | null = null;

  private constructor(private readonly program: string) {
    this.loaded = new Promise((resolve) => {
      this.#onLoaded = resolve;
    });
    this.#worker = new Worker(new URL(program), { name: 'log' });
    this.#worker.on('message', (message: FromLogThread) => this.#receive(message));
    this.#worker.on('error', () => this.#lose());
    this.#worker.on('exit', () => this.#lose());
    // Behind the listeners: one for messages would undo it.
    this.#worker.unref();
  }

  /**
   * Takes threads for a pass over a file, idle ones first. A thread that cannot open that very file ends, which is told as its loss.
   * @throws where a thread cannot be started at all; none is taken then.
   */
  static take(count: number, program: URL, file: WorkerFile, user: LogThreadUser): LogThread[] {
    LogThread.prepare(count, program);
    const taken = idle.get(program.href)!.splice(0, count);
    for (const thread of taken) {
      thread.#user = user;
      thread.#worker.ref();
      thread.#send({ type: 'open', file });
    }
    return taken;
  }

  /** Starts threads until so many are idle. */
  static prepare(count: number, program: URL): void {
    const threads = idle.get(program.href) ?? [];
    idle.set(program.href, threads);
    while (threads.length < count) threads.push(new LogThread(program.href));
  }

  /** Ends all that are idle. */
  static endIdle(): void {
    for (const threads of idle.values()) for (const thread of threads.splice(0)) void thread.#worker.terminate();
  }

  /** Whether it has loaded. What it is given before that is waited for. */
  get ready(): boolean {
    return this.#ready;
  }

  give(request: PartRequest, transfer: TransferListItem[] = []): void {
    this.busy.add(request.part);
    this.#send(request, transfer);
  }

  /** Ends the pass for this thread. One that is still at work is ended with it: nobody waits for what it does. */
  release(): void {
    this.#user = null;
    if (this.#ended) return;
    if (this.busy.size > 0 || !this.#ready) {
      void this.#worker.terminate();
      return;
    }
    this.#send({ type: 'close' });
    this.#worker.unref();
    idle.get(this.program)!.push(this);
  }

  #send(message: ToLogThread, transfer: TransferListItem[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  #receive(message: FromLogThread): void {
    if (message.type === 'ready') {
      this.#ready = true;
      this.#onLoaded();
    } else {
      this.busy.delete(message.part);
      this.#user?.onResponse(this, message);
    }
    this.#user?.onIdle(this);
  }

  #lose(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#onLoaded();
    const threads = idle.get(this.program)!;
    if (threads.includes(this)) threads.splice(threads.indexOf(this), 1);
    this.#user?.onLost(this);
  }
}
