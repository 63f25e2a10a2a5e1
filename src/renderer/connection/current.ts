import type { CallOptions, Client } from '../../shared/connection.ts';
import type { Method, Params, Result } from '../../shared/protocol.ts';
import type { Connection } from './connect.ts';

/**
 * The one connection of this window. A module variable rather than a React context: actions run outside of components (key
 * presses, events, timers), and a window has one engine for its whole life. The way to it may break and be made anew.
 */
let current: Connection | null = null;

export function setConnection(connection: Connection): void {
  current = connection;
}

export function connection(): Connection | null {
  return current;
}

export function client(): Client {
  if (!current) throw new Error('The window is not connected yet.');
  return current.client;
}

/** Calls the engine. Rejects with a VelescopeError; `CANCELLED` when the signal was aborted. */
export function call<M extends Method>(method: M, params: Params<M>, options?: CallOptions): Promise<Result<M>> {
  return client().call(method, params, options);
}
