import { VelescopeError } from '../../shared/errors.ts';
import type { CallContext, Health, Summary } from '../../shared/protocol.ts';
import type { CollectionEntry } from './directory.ts';
import { opaqueName } from './places.ts';
import { SessionHost } from './session-host.ts';
import type { SessionThreads } from './session-threads.ts';

/** What can be said of a collection whose log nobody has read yet. */
export function untouchedHealth(entry: CollectionEntry): Health {
  if (entry.problem) return { state: 'failed', word: 'not listed', records: null, damage: 0 };
  if (!entry.hasLog)
    return { state: 'missing', word: entry.hasSnapshot ? 'log missing' : 'no log', records: null, damage: 0 };
  if (entry.logBytes === 0 && !entry.hasSnapshot) return { state: 'empty', word: 'empty log', records: 0, damage: 0 };
  return { state: 'unknown', word: 'not read yet', records: null, damage: 0 };
}

/** The badge for a log that was read. Damage comes before a snapshot that disagrees: it is what cannot be undone. */
export function healthOf(summary: Summary): Health {
  const records = summary.log.records;
  const damage = summary.counts.damaged;
  if (summary.phase === 'failed') return { state: 'failed', word: 'cannot be read', records: null, damage: 0 };
  if (!summary.log.exists) return { state: 'missing', word: 'log missing', records: 0, damage: 0 };
  if (damage > 0) {
    const onlyTail = damage === 1 && summary.damage.tail !== null;
    return onlyTail
      ? { state: 'torn', word: 'torn tail', records, damage }
      : { state: 'damaged', word: `${damage} damaged`, records, damage };
  }
  if (summary.snapshot.state === 'disagrees') return { state: 'snapshot', word: 'snapshot differs', records, damage };
  if (summary.snapshot.state === 'invalid') return { state: 'snapshot', word: 'snapshot invalid', records, damage };
  if (summary.log.bytes === 0) return { state: 'empty', word: 'empty log', records, damage };
  return { state: 'healthy', word: 'healthy', records, damage };
}

/** Reads a collection's log in a worker of its own for the badge. Throws CANCELLED when the call is. */
export async function measureHealth(
  entry: CollectionEntry,
  context: CallContext,
  settingsDirectory: string,
  threads: SessionThreads,
): Promise<Health> {
  let latest: Summary | null = null;
  let ready: (summary: Summary) => void = () => {};
  const done = new Promise<Summary>((resolve) => {
    ready = resolve;
  });
  const session = opaqueName('health');
  const host = new SessionHost(
    {
      session,
      directory: entry.path,
      collectionName: entry.name,
      settingsDirectory,
      readOnly: true,
      view: 'v3.12',
    },
    threads,
    (event) => {
      if (event.event !== 'session') return;
      latest = event.summary;
      context.progress({ done: latest.progress.done, total: latest.progress.total });
      if (latest.phase === 'ready' || latest.phase === 'failed') ready(latest);
    },
    () => {},
  );
  const cancelled = new Promise<never>((_resolve, reject) => {
    const cancel = () => reject(new VelescopeError('CANCELLED', 'The health check was cancelled.'));
    if (context.signal.aborted) cancel();
    context.signal.addEventListener('abort', cancel, { once: true });
  });
  // The window may go away when the health is long known: then nobody waits for this any more.
  cancelled.catch(() => {});
  try {
    await host.ready();
    return healthOf(await Promise.race([done, cancelled]));
  } catch (thrown) {
    if (thrown instanceof VelescopeError && thrown.code === 'CANCELLED') throw thrown;
    return { state: 'failed', word: 'cannot be read', records: null, damage: 0 };
  } finally {
    void host.close();
  }
}
