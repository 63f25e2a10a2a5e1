import { VelescopeError } from '../shared/errors.ts';
import { type Handlers, METHODS, type ProtocolEvent } from '../shared/protocol.ts';
import type { Download, Services } from './services/services-type.ts';

/**
 * Services for tests of what carries the protocol: each call is refused but those given, and everything done to it is recorded.
 * What the services themselves do is tested with the real ones.
 */
export function standInServices(given: Partial<Handlers> = {}, downloads: Record<string, Download> = {}) {
  const listeners = new Set<(event: ProtocolEvent) => void>();
  const opened: string[] = [];
  const state = { closed: 0 };
  const refusing = Object.fromEntries(
    METHODS.map((method) => [
      method,
      () => {
        throw new VelescopeError('NOT_ALLOWED', `${method} is not part of this test.`);
      },
    ]),
  ) as unknown as Handlers;
  const services: Services = {
    handlers: {
      ...refusing,
      'app.info': () => ({ version: '0.0.0', door: 'browser', readOnly: false, platform: 'test' }),
      'settings.get': () => ({ theme: 'dark', view: 'v3.12', detailWidth: null }),
      'settings.set': () => ({}),
      ...given,
    },
    onEvent(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async openPath(path) {
      opened.push(path);
      emit({ event: 'opened', database: database(path) });
      return database(path);
    },
    download: (name) => downloads[name] ?? null,
    async close() {
      state.closed += 1;
    },
  };
  const emit = (event: ProtocolEvent) => {
    for (const listener of listeners) listener(event);
  };
  return { services, opened, state, listeners, emit };
}

/** What opening `path` answers here. */
export function database(path: string) {
  return {
    database: 'd1',
    name: 'stand-in',
    path,
    kind: 'root' as const,
    lock: { held: false, holder: null },
    collections: [],
  };
}
