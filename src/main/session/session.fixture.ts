import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import type { CallContext, CallProgress, Handlers, ProtocolEvent, Result } from '../../shared/protocol.ts';
import { nodeFiles } from '../engine/node-files.ts';
import { createSessionHandlers, type SessionMethod } from './handlers.ts';
import { Session } from './session.ts';

/** A session in this thread, the same object that the worker runs, and its calls. */
export interface StartedSession {
  session: Session;
  call<M extends SessionMethod>(
    method: M,
    params: Omit<Parameters<Handlers[M]>[0], 'session'>,
    options?: { signal?: AbortSignal; onProgress?: (progress: CallProgress) => void },
  ): Promise<Result<M>>;
}

/** A database of one collection for each test of a file, in a directory of its own. */
export function databaseForEach(): {
  readonly directory: string;
  readonly log: string;
  readonly settings: string;
  start(onEvent?: (event: ProtocolEvent) => void): Promise<StartedSession>;
} {
  let root = '';
  const open: Session[] = [];
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'velescope-session-'));
    mkdirSync(join(root, 'things'));
    writeFileSync(join(root, 'velesdb.lock'), '');
    writeFileSync(join(root, 'things', 'config.json'), '{"name":"things","dimension":0,"metadata_only":true}');
  });
  afterEach(() => {
    for (const session of open.splice(0)) session.close();
    rmSync(root, { recursive: true, force: true });
  });
  const paths = {
    get directory() {
      return join(root, 'things');
    },
    get log() {
      return join(root, 'things', 'payloads.log');
    },
    get settings() {
      return join(root, '.settings');
    },
  };
  /** Starts a session and waits until it has read the log. */
  const start = async (emit: (event: ProtocolEvent) => void = () => {}): Promise<StartedSession> => {
    const session = new Session({
      name: 'test',
      files: nodeFiles,
      directory: paths.directory,
      collectionName: 'things',
      settingsDirectory: paths.settings,
      readOnly: false,
      view: 'v3.12',
      emit,
    });
    open.push(session);
    session.start();
    const handlers = createSessionHandlers(session) as unknown as Record<
      string,
      (params: object, context: CallContext, supplied: object) => unknown
    >;
    await session.settled();
    return {
      session,
      async call(method, params, options = {}) {
        const context: CallContext = {
          signal: options.signal ?? new AbortController().signal,
          onPeerClosed: () => {},
          progress: options.onProgress ?? (() => {}),
        };
        return (await handlers[method]!({ session: 'test', ...params }, context, { path: null })) as never;
      },
    };
  };
  return Object.defineProperties({ start }, Object.getOwnPropertyDescriptors(paths)) as ReturnType<
    typeof databaseForEach
  >;
}
