import type { Worker } from 'node:worker_threads';
import { fromErrorValue, VelescopeError } from '../../shared/errors.ts';
import type { CallContext, ProtocolEvent, Summary } from '../../shared/protocol.ts';
import type { SessionMethod } from '../session/handlers.ts';
import type { FromWorker, ToWorker, WorkerStart } from '../session/messages.ts';
import type { SessionThreads } from './session-threads.ts';

const CLOSE_PATIENCE_MILLISECONDS = 5_000;

/** The main process's end of a session's worker: passes calls on, keeps nothing of their content. */
export class SessionHost {
  readonly #worker: Worker;
  readonly #pending = new Map<
    number,
    { resolve(value: unknown): void; reject(error: unknown): void; context: CallContext }
  >();
  #nextCall = 1;
  #started: { resolve(summary: Summary): void; reject(error: unknown): void } | null = null;
  #closed: (() => void) | null = null;
  #ended = false;

  constructor(
    readonly start: WorkerStart,
    threads: SessionThreads,
    private readonly emit: (event: ProtocolEvent) => void,
    private readonly onEnd: () => void,
  ) {
    this.#worker = threads.take();
    this.#worker.on('message', (message: FromWorker) => this.#receive(message));
    this.#worker.on('error', (error) =>
      this.#end(new VelescopeError('INTERNAL', `The session broke: ${error.message}`)),
    );
    this.#worker.on('exit', () => this.#end(new VelescopeError('NO_SUCH_SESSION', 'The session has ended.')));
    this.#send({ type: 'start', start });
  }

  /** Resolves with the first summary, or rejects with why the directory could not be opened. */
  ready(): Promise<Summary> {
    return new Promise((resolve, reject) => {
      this.#started = { resolve, reject };
    });
  }

  call(method: SessionMethod, params: unknown, context: CallContext, path: string | null = null): Promise<unknown> {
    if (this.#ended) return Promise.reject(new VelescopeError('NO_SUCH_SESSION', 'The session has ended.'));
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
    const closed = new Promise<void>((resolve) => {
      this.#closed = resolve;
    });
    this.#send({ type: 'close' });
    await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, CLOSE_PATIENCE_MILLISECONDS).unref())]);
    await this.#worker.terminate();
  }

  #send(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #receive(message: FromWorker): void {
    switch (message.type) {
      case 'started':
        this.#started?.resolve(message.summary);
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
