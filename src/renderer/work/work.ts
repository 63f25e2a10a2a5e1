import { VelescopeError } from '../../shared/errors.ts';
import { piecesOfText, takeTextsOut } from './carried-texts.ts';
import { JOBS, type JobName, type JobParams, type JobResult, type WorkAnswer, type WorkRequest } from './jobs.ts';

/** From this many characters on, work on a whole text is done in a worker: below it takes less time than one frame. */
export const LARGE_FROM = 1 << 18;

/** A way to a worker. `failed` is called when it does not start or dies: what it was at is lost then. */
export interface Pipe {
  post(request: WorkRequest): void;
  onAnswer(answer: (answer: WorkAnswer) => void, failed: () => void): void;
  close(): void;
}

/** A text in pieces of whole characters, which are taken one at a time. It has a number of its own: what the worker holds already is not sent again. */
export interface Source {
  number: number;
  pieces(): Iterable<string>;
}

export interface JobOptions {
  /** The text that the job is about, in place of the one in the parameters. */
  source?: Source;
  /** A job that nobody waits for any more is not begun; one that runs is left to end, and its result dropped. */
  signal?: AbortSignal;
}

/**
 * Runs jobs in a worker, one after the other. Where no worker starts they run where they are asked for: the window stops for a
 * moment then, but nothing is left unchecked.
 */
export class Work {
  #pipe: Pipe | null = null;
  #broken = false;
  /** The number of the text that the worker holds. */
  #held: number | null = null;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(private readonly connect: () => Pipe | null) {}

  /** Runs a job. Rejects with CANCELLED when the signal was aborted, else only with what the job itself throws. */
  run<Name extends JobName>(name: Name, params: JobParams<Name>, options: JobOptions = {}): Promise<JobResult<Name>> {
    const result = this.#queue.then(() => this.#next(name, params, options));
    this.#queue = result.catch(() => {});
    return result as Promise<JobResult<Name>>;
  }

  async #next(name: JobName, params: object, { source, signal }: JobOptions): Promise<unknown> {
    throwIfAborted(signal);
    const pipe = this.#open();
    if (!pipe) return runHere(name, params, source);
    const answer = new Promise<WorkAnswer | null>((resolve) => pipe.onAnswer(resolve, () => resolve(null)));
    if (source && source.number !== this.#held) {
      this.#held = source.number;
      // Also of an empty text one piece: it takes the place of the one held before.
      pipe.post({ type: 'piece', text: '' });
      for (const text of source.pieces()) {
        pipe.post({ type: 'piece', text: carried(text) });
        await breathe();
      }
    }
    const { message, texts } = takeTextsOut(params);
    for (const { path, text } of texts) {
      let isFirst = true;
      for (const piece of piecesOfText(text)) {
        pipe.post({ type: 'text', path: isFirst ? path : null, text: carried(piece) });
        isFirst = false;
        await breathe();
      }
    }
    pipe.post({ type: 'job', name, params: message, held: source !== undefined });
    const got = await answer;
    if (got === null) {
      this.#broken = true;
      this.#pipe = null;
      pipe.close();
      this.#held = null;
      return runHere(name, params, source);
    }
    throwIfAborted(signal);
    if (!got.ok) throw new Error(got.message);
    return got.value;
  }

  #open(): Pipe | null {
    if (!this.#pipe && !this.#broken) {
      this.#pipe = this.connect();
      this.#broken = this.#pipe === null;
    }
    return this.#pipe;
  }
}

const encoder = new TextEncoder();

/**
 * A piece of text as it goes to a worker: as UTF-8, which is handed over and takes a fraction of what copying a string does. Half a
 * character, which has no UTF-8, goes as it is.
 */
function carried(text: string): string | Uint8Array {
  return text.isWellFormed() ? encoder.encode(text) : text;
}

function runHere(name: JobName, params: object, source: Source | undefined): unknown {
  const job = JOBS[name] as (params: object) => unknown;
  return job(source ? { ...params, text: [...source.pieces()].join('') } : params);
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new VelescopeError('CANCELLED', 'Nobody waits for this any more.');
}

/** Lets the window do what waits: keys, painting. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

function startWorker(): Pipe | null {
  if (typeof Worker === 'undefined') return null;
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'velescope-work' });
  return {
    post: (request) => {
      const isBytes = request.type !== 'job' && typeof request.text !== 'string';
      worker.postMessage(request, isBytes ? [(request.text as Uint8Array<ArrayBuffer>).buffer] : []);
    },
    onAnswer: (answer, failed) => {
      worker.onmessage = (event: MessageEvent<WorkAnswer>) => answer(event.data);
      worker.onerror = failed;
      worker.onmessageerror = failed;
    },
    close: () => worker.terminate(),
  };
}

/** Work on payloads. */
export const payloadWork = new Work(startWorker);
/** Messages to and from the engine, apart: they must not wait behind a check. */
export const messageWork = new Work(startWorker);
