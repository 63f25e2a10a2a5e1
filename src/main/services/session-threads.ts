import { Worker } from 'node:worker_threads';
import { SYSTEM_ADVICE, VelescopeError } from '../../shared/errors.ts';
import { workerUrl } from './worker-url.ts';

/**
 * How long after one thread was taken the next is loaded: not at once, because that would take a processor from the scan that begins
 * now.
 */
const NEXT_AFTER_MILLISECONDS = 2_000;

/** So many threads start at a time: more take the processors from each other, and from the windows. */
const MOST_STARTING = 2;
/** A thread that has said nothing for so long (its disk may hang) holds the others up no longer. */
const START_PATIENCE_MILLISECONDS = 2_000;

/**
 * Threads for sessions. Loading one takes longer than reading the first rows of a log, so one is kept that has loaded and waits for its
 * start; it keeps no process alive and holds nothing of any log. Others are started when they are needed, a few at a time: thirty at once, the
 * windows of a session that is restored, would hold the main process up for most of a second.
 */
export class SessionThreads {
  #spare: Worker | null = null;
  #timer: NodeJS.Timeout | null = null;
  /** Threads that were given out and have not said anything yet. */
  #starting = 0;
  readonly #waiting: (() => void)[] = [];

  /** @param start makes a thread; tests have another. */
  constructor(readonly start: () => Worker = startThread) {}

  /**
   * A thread to send a start to: the one kept, if there is one, else one that is started when its turn comes. The caller ends it. Throws
   * OUT_OF_RESOURCES where the system gives none, and what the signal is aborted for.
   */
  async take(signal?: AbortSignal): Promise<Worker> {
    while (this.#starting >= MOST_STARTING) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (signal?.aborted) {
      // Its turn is the next one's.
      this.#waiting.shift()?.();
      throw signal.reason;
    }
    const worker = this.#spare ?? this.#startNow();
    this.#spare = null;
    this.#countUntilItAnswers(worker);
    worker.ref();
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.prepare();
    }, NEXT_AFTER_MILLISECONDS).unref();
    return worker;
  }

  #startNow(): Worker {
    try {
      return this.start();
    } catch (thrown) {
      this.#waiting.shift()?.();
      throw notStarted(thrown);
    }
  }

  #countUntilItAnswers(worker: Worker): void {
    this.#starting++;
    const timer = setTimeout(() => answered(), START_PATIENCE_MILLISECONDS).unref();
    const answered = () => {
      clearTimeout(timer);
      for (const event of ANSWERS) worker.off(event, answered);
      this.#starting--;
      this.#waiting.shift()?.();
    };
    for (const event of ANSWERS) worker.once(event, answered);
  }

  /** Loads a thread for the next session, unless one is kept already. */
  prepare(): void {
    if (this.#spare) return;
    let worker: Worker;
    try {
      worker = this.start();
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

const ANSWERS = ['message', 'error', 'exit'] as const;

/** How Node and the system say that there is not enough of something; the code alone does not tell: a thread's is that it failed to start. */
const NOT_ENOUGH = /\bE(MFILE|NFILE|AGAIN|NOMEM)\b|ERR_WORKER_(INIT_FAILED|OUT_OF_MEMORY)/;

/** Why a session has no thread. */
export function notStarted(thrown: unknown): VelescopeError {
  const { code = '', message } = thrown as Error & { code?: string };
  const words = `A collection is opened in a thread of its own, and that did not start: ${message}`;
  if (!NOT_ENOUGH.test(`${code} ${message}`)) {
    const next = 'If it happens again, install Velescope anew: a part of it may be missing.';
    return new VelescopeError('INTERNAL', words, { next, cause: thrown });
  }
  return new VelescopeError('OUT_OF_RESOURCES', words, { next: SYSTEM_ADVICE.OUT_OF_RESOURCES!, cause: thrown });
}

function startThread(): Worker {
  return new Worker(workerUrl('session'), { name: 'session' });
}
