import type { OpenFile } from './files.ts';
import { LogThread, type PartResponse } from './log-threads.ts';
import { workerFileOf } from './worker-file.ts';

/** Who may help with a pass over a log, and on which file. */
export interface CrewOptions {
  /** The log for other threads. Null: the pass has none. */
  file: OpenFile | null;
  /** How many threads work on the pass, the one that asks among them; below 2 it has no others. */
  workers: number;
  /** The bundle of log-worker.ts. */
  workerUrl: () => URL;
}

/** What a pass gives its threads to do, and what it does with what comes of it. */
export interface CrewWork {
  /** Gives a thread that has loaded parts to do, as many as it should have by now; none is as well. */
  give(thread: LogThread): void;
  take(response: PartResponse): void;
  /** A thread broke: these parts are somebody else's now. */
  leave(parts: ReadonlySet<number>): void;
}

/**
 * The threads of one pass over a log. Any of them may be missing or break: what they were given is then left to the others, in the end
 * to the thread that asks, which also says what is wrong with the file, if it is the file.
 */
export class LogCrew {
  #threads: LogThread[] = [];
  #closed = false;
  #wake: (() => void) | null = null;

  constructor(private readonly work: CrewWork) {}

  /** Takes threads and gives them what there is to do. Where none can be started, the crew stays empty. */
  start({ file, workers, workerUrl }: CrewOptions): void {
    if (!file || workers < 2) return;
    try {
      this.#threads = LogThread.take(workers - 1, workerUrl(), workerFileOf(file), {
        onIdle: (thread) => this.#give(thread),
        onResponse: (_, response) => {
          this.work.take(response);
          this.#tell();
        },
        onLost: (thread) => this.#lose(thread),
      });
    } catch {
      return;
    }
    this.giveAll();
  }

  /** How many threads there are, beside the one that asks. */
  get size(): number {
    return this.#threads.length;
  }

  /** Resolves when each thread has loaded or was lost. */
  async loaded(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.loaded));
  }

  /** There is more to do than before. */
  giveAll(): void {
    for (const thread of this.#threads) this.#give(thread);
  }

  /** Whether one of the threads works on a part. */
  isAt(part: number): boolean {
    return this.#threads.some((thread) => thread.busy.has(part));
  }

  /** Resolves when a thread has answered or was lost from now on, or the crew was closed. One waits at a time. */
  news(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  /** Ends the pass; nothing is taken from its threads any more. */
  close(): void {
    this.#closed = true;
    for (const thread of this.#threads) thread.release();
    this.#threads = [];
    this.#tell();
  }

  #give(thread: LogThread): void {
    // What one is given that has not loaded yet would be waited for.
    if (thread.ready && !this.#closed) this.work.give(thread);
  }

  #lose(thread: LogThread): void {
    this.#threads = this.#threads.filter((other) => other !== thread);
    this.work.leave(thread.busy);
    thread.busy.clear();
    this.#tell();
  }

  #tell(): void {
    this.#wake?.();
    this.#wake = null;
  }
}
