import { Worker } from 'node:worker_threads';
import { workerUrl } from './worker-url.ts';

/**
 * How long after one thread was taken the next is loaded: not at once, because that would take a processor from the scan that begins
 * now.
 */
const NEXT_AFTER_MILLISECONDS = 2_000;

/**
 * Threads for sessions. Loading one takes longer than reading the first rows of a log, so one is kept that has loaded and waits for its
 * start; it keeps no process alive and holds nothing of any log.
 */
export class SessionThreads {
  #spare: Worker | null = null;
  #timer: NodeJS.Timeout | null = null;

  /** A thread to send a start to: the one kept, if there is one. The caller ends it. */
  take(): Worker {
    const worker = this.#spare ?? startThread();
    this.#spare = null;
    worker.ref();
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.prepare();
    }, NEXT_AFTER_MILLISECONDS).unref();
    return worker;
  }

  /** Loads a thread for the next session, unless one is kept already. */
  prepare(): void {
    if (this.#spare) return;
    let worker: Worker;
    try {
      worker = startThread();
    } catch {
      // The session that needs one says what is wrong.
      return;
    }
    const forget = () => {
      if (this.#spare === worker) this.#spare = null;
    };
    // One that breaks while it loads says so again to the session that starts the next.
    worker.on('error', forget);
    worker.on('exit', forget);
    worker.unref();
    this.#spare = worker;
  }

  async close(): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    await this.#spare?.terminate();
    this.#spare = null;
  }
}

function startThread(): Worker {
  return new Worker(workerUrl('session'), { name: 'session' });
}
