import type { Worker } from 'node:worker_threads';
import { fromErrorValue, VelescopeError } from '../../shared/errors.ts';
import type { CallContext, ProtocolEvent, Summary } from '../../shared/protocol.ts';
import type { SessionMethod } from '../session/handlers.ts';
import type { FromWorker, ToWorker, WorkerStart } from '../session/messages.ts';
import { notStarted, type SessionThreads } from './session-threads.ts';

const ENDED = new VelescopeError('NO_SUCH_SESSION', 'The session has ended.');
const CLOSE_PATIENCE_MILLISECONDS = 5_000;

/** The main process's end of a session's worker: passes calls on, keeps nothing of their content. */
export class SessionHost {
  /** Null while its turn to start has not come. */
  #worker: Worker | null = null;
  readonly #wanted = new AbortController();
  readonly #pending = new Map<
    number,
    { resolve(value: unknown): void; reject(error: unknown): void; context: CallContext }
  >();
  #nextCall = 1;
  readonly #ready: Promise<Summary>;
  #started: { resolve(summary: Summary): void; reject(error: unknown): void } | null = null;
  #closed: (() => void) | null = null;
  #ended = false;

  constructor(
    readonly start: WorkerStart,
    threads: SessionThreads,
    private readonly emit: (event: ProtocolEvent) => void,
    private readonly onEnd: () => void,
  ) {
    this.#ready = new Promise((resolve, reject) => {
      this.#started = { resolve, reject };
    });
    // Told to whoever asks.
    this.#ready.catch(() => {});
    threads.take(this.#wanted.signal).then(
      (worker) => this.#use(worker),
      (thrown) => this.#end(thrown instanceof VelescopeError ? thrown : ENDED),
    );
  }

  #use(worker: Worker): void {
    if (this.#ended) {
      void worker.terminate();
      return;
    }
    this.#worker = worker;
    worker.on('message', (message: FromWorker) => this.#receive(message));
    worker.on('error', (error) =>
      this.#end(
        this.#started ? notStarted(error) : new VelescopeError('INTERNAL', `The session broke: ${error.message}`),
      ),
    );
    worker.on('exit', () => this.#end(ENDED));
    this.#send({ type: 'start', start: this.start });
  }

  /** Resolves with the first summary, or rejects with why the directory could not be opened. */
  ready(): Promise<Summary> {
    return this.#ready;
  }

  call(method: SessionMethod, params: unknown, context: CallContext, path: string | null = null): Promise<unknown> {
    if (this.#ended) return Promise.reject(ENDED);
    const call = this.#nextCall++;
    return new Promise((resolve, reject) => {
      this.#pending.set(call, { resolve, reject, context });
      const abort = () => this.#send({ type: 'cancel', call });
      if (context.signal.aborted) abort();
      context.signal.addEventListener('abort', abort, { once: true });
      this.#send({ type: 'call', call, method, params, path });
    });
  }

  /** Ends the session: what was accepted is written, locks are released, then the thread stops. */
  async close(): Promise<void> {
    if (this.#ended) return;
    if (this.#worker === null) {
      this.#wanted.abort();
      this.#end(ENDED);
      return;
    }
    const closed = new Promise<void>((resolve) => {
      this.#closed = resolve;
    });
    this.#send({ type: 'close' });
    await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, CLOSE_PATIENCE_MILLISECONDS).unref())]);
    await this.#worker.terminate();
  }

  #send(message: ToWorker): void {
    this.#worker?.postMessage(message);
  }

  #receive(message: FromWorker): void {
    switch (message.type) {
      case 'started':
        this.#started?.resolve(message.summary);
        this.#started = null;
        return;
      case 'failed':
        this.#started?.reject(fromErrorValue(message.error));
        return;
      case 'event':
        this.emit(message.event);
        return;
      case 'closed':
        this.#closed?.();
        return;
      case 'progress':
        this.#pending.get(message.call)?.context.progress(message.progress);
        return;
      default: {
        const pending = this.#pending.get(message.call);
        this.#pending.delete(message.call);
        if (message.type === 'result') pending?.resolve(message.value);
        else pending?.reject(fromErrorValue(message.error));
      }
    }
  }

  #end(error: VelescopeError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#started?.reject(error);
    this.#closed?.();
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
    this.onEnd();
  }
}
