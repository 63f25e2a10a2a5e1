import { fromErrorValue, toErrorValue, VelescopeError } from './errors.ts';
import {
  CALLS,
  type CallContext,
  type CallProgress,
  type Handlers,
  type Method,
  type Params,
  type ProtocolEvent,
  type Request,
  type Response,
  type Result,
  requestSchema,
} from './protocol.ts';

/** Calls that one peer may have running; a window needs a dozen. */
export const MOST_CALLS = 256;

/** Options of one call. */
export interface CallOptions {
  signal?: AbortSignal;
  onProgress?: (progress: CallProgress) => void;
}

/** The calling side of the protocol, whatever carries it. */
export interface Client {
  call<M extends Method>(method: M, params: Params<M>, options?: CallOptions): Promise<Result<M>>;
  onEvent(listener: (event: ProtocolEvent) => void): () => void;
}

/**
 * Makes a client of a pair of pipes: `send` carries requests away, the returned `receive` takes what comes back. Every call
 * has an id of its own, so that cancelling one never touches another that is in flight.
 */
export function createClient(send: (request: Request) => void): {
  client: Client;
  receive(response: Response): void;
  /** Fails every call in flight, when the pipe broke. */
  disconnect(reason: string): void;
} {
  let nextCall = 0;
  const pending = new Map<
    number,
    { resolve(value: unknown): void; reject(error: unknown): void; onProgress: CallOptions['onProgress'] }
  >();
  const listeners = new Set<(event: ProtocolEvent) => void>();

  const client: Client = {
    call<M extends Method>(method: M, params: Params<M>, options: CallOptions = {}): Promise<Result<M>> {
      const call = nextCall++;
      return new Promise<Result<M>>((resolve, reject) => {
        const { signal } = options;
        if (signal?.aborted) {
          reject(cancelled());
          return;
        }
        const abort = () => {
          // The caller is answered at once; the engine stops at its next slice, and its late answer finds nobody.
          pending.delete(call);
          send({ type: 'cancel', call });
          reject(cancelled());
        };
        signal?.addEventListener('abort', abort, { once: true });
        const settle = () => signal?.removeEventListener('abort', abort);
        pending.set(call, {
          resolve: (value) => {
            settle();
            resolve(value as Result<M>);
          },
          reject: (error) => {
            settle();
            reject(error);
          },
          onProgress: options.onProgress,
        });
        send({ type: 'call', call, method, params });
      });
    },
    onEvent(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };

  return {
    client,
    receive(response) {
      if (response.type === 'event') {
        for (const listener of listeners) listener(response.event);
        return;
      }
      const entry = pending.get(response.call);
      if (!entry) return;
      if (response.type === 'progress') {
        entry.onProgress?.(response.progress);
        return;
      }
      pending.delete(response.call);
      if (response.type === 'result') entry.resolve(response.value);
      else entry.reject(fromErrorValue(response.error));
    },
    disconnect(reason) {
      const error = new VelescopeError('DISCONNECTED', reason, {
        next: 'Wait until it is back: what you type stays in this window.',
      });
      for (const entry of pending.values()) entry.reject(error);
      pending.clear();
    },
  };
}

function cancelled(): VelescopeError {
  return new VelescopeError('CANCELLED', 'The call was cancelled.');
}

/**
 * The answering side: parses each request against its schema (unknown keys refused), runs the handler, and answers. One server
 * per peer, so that a peer can only cancel its own calls and what it left running ends with it.
 */
export function createServer(handlers: Handlers, send: (response: Response) => void) {
  const running = new Map<number, AbortController>();
  const cleanUps: (() => void)[] = [];
  let closed = false;

  async function run(call: number, method: Method, params: unknown): Promise<void> {
    const controller = new AbortController();
    running.set(call, controller);
    const context: CallContext = {
      signal: controller.signal,
      onPeerClosed: (cleanUp) => {
        if (closed) cleanUp();
        else cleanUps.push(cleanUp);
      },
      progress: (progress) => send({ type: 'progress', call, progress }),
    };
    try {
      const parsed = CALLS[method].params.safeParse(params);
      if (!parsed.success) {
        const issue = parsed.error.issues[0];
        throw new VelescopeError(
          'BAD_REQUEST',
          `${method}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim(),
        );
      }
      const handler = handlers[method] as (params: unknown, context: CallContext) => unknown;
      const value = await handler(parsed.data, context);
      send({ type: 'result', call, value });
    } catch (thrown) {
      send({ type: 'error', call, error: toErrorValue(thrown) });
    } finally {
      running.delete(call);
    }
  }

  return {
    /** Takes one message of the peer, of any shape. */
    receive(message: unknown): void {
      const request = requestSchema.safeParse(message);
      if (!request.success) {
        const call = typeof message === 'object' && message !== null ? (message as { call?: unknown }).call : undefined;
        if (typeof call === 'number') {
          send({ type: 'error', call, error: { code: 'BAD_REQUEST', message: 'The message is not a request.' } });
        }
        return;
      }
      if (request.data.type === 'cancel') {
        running.get(request.data.call)?.abort();
        return;
      }
      const { call, method, params } = request.data;
      if (!Object.hasOwn(CALLS, method)) {
        send({
          type: 'error',
          call,
          error: { code: 'UNKNOWN_METHOD', message: `There is no call named ${method.slice(0, 64)}.` },
        });
        return;
      }
      if (running.size >= MOST_CALLS) {
        send({
          type: 'error',
          call,
          error: { code: 'TOO_LARGE', message: `More than ${MOST_CALLS} calls are running.` },
        });
        return;
      }
      if (running.has(call)) {
        send({ type: 'error', call, error: { code: 'BAD_REQUEST', message: `Call ${call} is already running.` } });
        return;
      }
      void run(call, method as Method, params);
    },
    event(event: ProtocolEvent): void {
      send({ type: 'event', event });
    },
    /** Cancels everything the peer left running. */
    close(): void {
      closed = true;
      for (const controller of running.values()) controller.abort();
      running.clear();
      for (const cleanUp of cleanUps.splice(0)) cleanUp();
    },
  };
}
export type Server = ReturnType<typeof createServer>;
