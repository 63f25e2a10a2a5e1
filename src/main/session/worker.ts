import { parentPort } from 'node:worker_threads';
import { blockWalkerFor } from '../../core/fast-scan.ts';
import type { View } from '../../core/generation.ts';
import { toErrorValue, VelescopeError } from '../../shared/errors.ts';
import type { CallContext } from '../../shared/protocol.ts';
import { crc32 } from '../engine/crc32.ts';
import { nodeFiles } from '../engine/node-files.ts';
import { prepareThreads } from '../services/read-collection.ts';
import { createSessionHandlers, type SessionHandlers } from './handlers.ts';
import type { FromWorker, ToWorker, WorkerStart } from './messages.ts';
import { Session } from './session.ts';

/**
 * A session's thread: loads, and waits for what it is to open. The engine inside is synchronous: a read here costs a fraction of an awaited one, and nothing it does can
 * hold up the main process. Parameters were parsed by the main process.
 */
const port = parentPort;
if (!port) throw new Error('This module runs as a worker.');
const send = (message: FromWorker) => port.postMessage(message);
const running = new Map<number, AbortController>();
let session: Session | null = null;
let handlers: SessionHandlers | null = null;

// Loaded while nobody waits yet: the routines of a scan, and the threads that help with a long log.
blockWalkerFor(crc32);
prepareThreads();

function begin(start: WorkerStart): void {
  session = new Session({
    name: start.session,
    files: nodeFiles,
    directory: start.directory,
    collectionName: start.collectionName,
    settingsDirectory: start.settingsDirectory,
    readOnly: start.readOnly,
    view: start.view as View,
    emit: (event) => send({ type: 'event', event }),
  });
  try {
    session.start();
    handlers = createSessionHandlers(session);
    send({ type: 'started', summary: session.summary() });
  } catch (thrown) {
    send({ type: 'failed', error: toErrorValue(thrown) });
  }
}

async function run(message: Extract<ToWorker, { type: 'call' }>): Promise<void> {
  const { call, method, params, path } = message;
  const controller = new AbortController();
  running.set(call, controller);
  const context: CallContext = {
    signal: controller.signal,
    onPeerClosed: () => {},
    progress: (progress) => send({ type: 'progress', call, progress }),
  };
  try {
    if (!handlers) throw new VelescopeError('NO_SUCH_SESSION', 'The session did not open.');
    const handler = handlers[method] as (
      params: unknown,
      context: CallContext,
      supplied: { path: string | null },
    ) => unknown;
    send({ type: 'result', call, value: await handler(params, context, { path }) });
  } catch (thrown) {
    send({ type: 'error', call, error: toErrorValue(thrown) });
  } finally {
    running.delete(call);
  }
}

port.on('message', (message: ToWorker) => {
  if (message.type === 'start') begin(message.start);
  else if (message.type === 'call') void run(message);
  else if (message.type === 'cancel') running.get(message.call)?.abort();
  else {
    for (const controller of running.values()) controller.abort();
    try {
      session?.close();
    } finally {
      send({ type: 'closed' });
      port.close();
    }
  }
});
