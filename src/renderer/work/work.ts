import { VelescopeError } from '../../shared/errors.ts';
import { type CarriedText, piecesOfText, putTextsBack, takeTextsOut } from './carried-texts.ts';
import { JOBS, type JobName, type JobParams, type JobResult, type WorkAnswer, type WorkRequest } from './jobs.ts';

/** From this many characters on, work on a whole text is done in a worker: below it takes less time than one frame. */
export const LARGE_FROM = 1 << 18;

/** So long parts of a text are sent before the window may do something else. */
const SLICE_MILLISECONDS = 4;

/** A way to a worker. `failed` is called when it does not start or dies: what it was at is lost then. */
export interface Pipe {
  post(request: WorkRequest): void;
  onAnswer(answer: (answer: WorkAnswer) => void, failed: () => void): void;
  close(): void;
}

/** A part of a text. Parts of one number are the same: what a worker has already is not sent again. */
export interface Part {
  number: number;
  text(): string;
}

/** A text in parts of whole characters, which are taken one at a time. It has a number of its own too. */
export interface Source {
  number: number;
  parts(): Iterable<Part>;
}

export interface JobOptions {
  /** The text that the job is about, in place of the one in the parameters. */
  source?: Source;
  /** A job that nobody waits for any more is not begun; one that runs is left to end, and its result dropped. */
  signal?: AbortSignal;
  /** A job that runs longer than this many milliseconds is ended with its worker, and rejects with TookTooLong. Not done where there is none. */
  limit?: number;
}

/** A job did not end within its limit, or there is no worker that could be ended with it. */
export class TookTooLong extends Error {}

/**
 * Runs jobs in a worker, one after the other. Where no worker starts they run where they are asked for: the window stops for a
 * moment then, but nothing is left unchecked.
 */
export class Work {
  #pipe: Pipe | null = null;
  #broken = false;
  /** The number of the text that the worker holds. */
  #held: number | null = null;
  /** The numbers of the parts that it has. */
  #parts: ReadonlySet<number> = new Set();
  #queue: Promise<unknown> = Promise.resolve();

  constructor(private readonly connect: () => Pipe | null) {}

  /** Runs a job. Rejects with CANCELLED when the signal was aborted, else only with what the job itself throws. */
  run<Name extends JobName>(name: Name, params: JobParams<Name>, options: JobOptions = {}): Promise<JobResult<Name>> {
    const result = this.#queue.then(() => this.#next(name, params, options));
    this.#queue = result.catch(() => {});
    return result as Promise<JobResult<Name>>;
  }

  async #next(name: JobName, params: object, { source, signal, limit }: JobOptions): Promise<unknown> {
    throwIfAborted(signal);
    const pipe = this.#open();
    if (!pipe) {
      if (limit !== undefined) throw new TookTooLong();
      return runHere(name, params, source);
    }
    let end = (_late: 'late') => {};
    const answer = new Promise<Answer | null | 'late'>((resolve) => {
      end = resolve;
      pipe.onAnswer(collectAnswer(resolve), () => resolve(null));
    });
    if (source && source.number !== this.#held) await this.#hold(pipe, source);
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
    const timer = limit === undefined ? undefined : setTimeout(() => end('late'), limit);
    const got = await answer;
    clearTimeout(timer);
    if (got === null || got === 'late') {
      // One that did not end is no reason not to start another; one that died is.
      this.#broken = got === null;
      this.#close(pipe);
      if (limit !== undefined) throw new TookTooLong();
      return runHere(name, params, source);
    }
    throwIfAborted(signal);
    if (got.type === 'failed') throw new Error(got.message);
    return got.value;
  }

  #close(pipe: Pipe): void {
    pipe.close();
    this.#pipe = null;
    this.#held = null;
    this.#parts = new Set();
  }

  /** Has the worker hold a text: it is sent what it has not got of it. */
  async #hold(pipe: Pipe, source: Source): Promise<void> {
    const numbers: number[] = [];
    let began = performance.now();
    for (const part of source.parts()) {
      numbers.push(part.number);
      if (!this.#parts.has(part.number)) pipe.post({ type: 'part', number: part.number, text: carried(part.text()) });
      if (performance.now() - began < SLICE_MILLISECONDS) continue;
      await breathe();
      began = performance.now();
    }
    pipe.post({ type: 'whole', parts: Float64Array.from(numbers) });
    this.#held = source.number;
    this.#parts = new Set(numbers);
  }

  #open(): Pipe | null {
    if (!this.#pipe && !this.#broken) {
      this.#pipe = this.connect();
      this.#broken = this.#pipe === null;
    }
    return this.#pipe;
  }
}

type Answer = Exclude<WorkAnswer, { type: 'text' }>;

/** Puts an answer together that comes with large texts in pieces. They become one string when it is first looked into. */
function collectAnswer(whole: (answer: Answer) => void): (answer: WorkAnswer) => void {
  const texts: CarriedText[] = [];
  return (answer) => {
    if (answer.type === 'text') {
      if (answer.path) texts.push({ path: answer.path, text: answer.text });
      else texts.at(-1)!.text += answer.text;
      return;
    }
    if (answer.type === 'done') putTextsBack(answer, texts);
    whole(answer);
  };
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
  return job(source ? { ...params, text: Array.from(source.parts(), (part) => part.text()).join('') } : params);
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
      const isBytes = 'text' in request && typeof request.text !== 'string';
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
