import { toErrorValue, VelescopeError } from '../../shared/errors.ts';
import type { Database, Health } from '../../shared/protocol.ts';
import { call, connection } from '../connection/current.ts';
import { announce } from './announcements.ts';
import { notify, report, showDialog, useApplication } from './application.ts';
import { forgetDocuments } from './documents.ts';
import { loadDrafts, useDrafts } from './drafts.ts';
import { flushEdits } from './editing.ts';
import { closeSession, openCollection } from './session.ts';
import { useSession } from './session-state.ts';

/** Shows a database: its collections, each with a badge that is found out in the background, and its first collection. */
export async function showDatabase(database: Database): Promise<void> {
  await flushEdits();
  await closeSession();
  forgetDocuments();
  useDrafts.setState({ drafts: new Map() });
  useApplication.setState({ database, failure: null, opening: false, page: 'records', dialog: null });
  announce(`Opened ${database.name}: ${database.collections.length} collections.`);
  void readHealth(database);
  const first = database.collections[0];
  if (database.kind === 'collection' && first) await selectCollection(first.collection);
}

/** Opens a collection of the shown database by its opaque name. */
export async function selectCollection(name: string): Promise<void> {
  const { database } = useApplication.getState();
  const collection = database?.collections.find((entry) => entry.collection === name);
  if (!database || !collection) return;
  if (useSession.getState().collection?.collection === name && useSession.getState().failure === null) {
    useApplication.setState({ page: 'records' });
    return;
  }
  if (!(await canLeave())) return;
  forgetDocuments();
  useDrafts.setState({ drafts: new Map() });
  await openCollection(database.database, collection);
  await loadDrafts();
}

/**
 * Whether what is shown can be left. Where an edit could not be kept, which is said, the person stays with it; asked again, they leave, unless
 * it can be kept once the connection is back: with its collection it would go.
 */
async function canLeave(): Promise<boolean> {
  if (await flushEdits()) return true;
  if (useApplication.getState().lost) {
    const text =
      'What you typed could not be kept yet, and would be lost with this collection: wait until Velescope answers again.';
    notify({ tone: 'plain', text });
    announce(text);
  }
  return false;
}

let healthRun: AbortController | null = null;

/** Finds out the badges, one collection after the other: two scans at once would only fight for the disk. */
async function readHealth(database: Database): Promise<void> {
  healthRun?.abort();
  const controller = new AbortController();
  healthRun = controller;
  for (const collection of database.collections) {
    if (controller.signal.aborted) return;
    if (collection.health.state !== 'unknown') continue;
    try {
      const health = await call(
        'database.health',
        { database: database.database, collection: collection.collection },
        { signal: controller.signal },
      );
      takeHealth(database.database, collection.collection, health);
    } catch (thrown) {
      if (controller.signal.aborted) return;
      takeHealth(database.database, collection.collection, {
        state: 'failed',
        word: toErrorValue(thrown).code === 'DISCONNECTED' ? 'not read' : 'cannot be read',
        records: null,
        damage: 0,
      });
    }
  }
}

/** Takes a badge, from an answer or an event. */
export function takeHealth(database: string, collection: string, health: Health): void {
  useApplication.setState((state) =>
    state.database?.database !== database
      ? {}
      : {
          database: {
            ...state.database,
            collections: state.database.collections.map((entry) =>
              entry.collection === collection ? { ...entry, health } : entry,
            ),
          },
        },
  );
}

/** Asks for a directory: the system's dialog on the desktop, the list of places in the browser door. */
export async function chooseDirectory(): Promise<void> {
  if (useApplication.getState().info?.door === 'browser') {
    showDialog({ name: 'places' });
    return;
  }
  try {
    const database = await call('directory.choose', {});
    if (database) await showDatabase(database);
  } catch (thrown) {
    failed(thrown);
  }
}

/** Opens a place the engine named: a recent one, or one of the list of places. */
export async function openPlace(place: string): Promise<void> {
  if (!(await canLeave())) return;
  useApplication.setState({ opening: true });
  try {
    await showDatabase(await call('directory.open', { place }));
  } catch (thrown) {
    failed(thrown);
  }
}

function failed(thrown: unknown): void {
  const error = toErrorValue(thrown);
  useApplication.setState({ opening: false });
  if (error.code !== 'CANCELLED') {
    useApplication.setState({ failure: { title: 'This directory cannot be opened', error }, dialog: null });
  }
}

/** Reads the list of collections again. */
export async function reloadCollections(): Promise<void> {
  const { database } = useApplication.getState();
  if (!database) return;
  try {
    const fresh = await call('database.list', { database: database.database });
    useApplication.setState({ database: fresh });
    void readHealth(fresh);
  } catch (thrown) {
    report(thrown);
  }
}

/**
 * The shown database over a connection that was made anew, with the badges that could not be read meanwhile. A Velescope that was started
 * anew knows it by another name: it is found by its path there.
 */
export async function findAgain(): Promise<Database | null> {
  const { database } = useApplication.getState();
  if (!database) return null;
  const fresh = await call('database.list', { database: database.database }).catch((thrown: unknown) => {
    if (toErrorValue(thrown).code === 'NO_SUCH_DATABASE') return findByPath(database.path);
    throw thrown;
  });
  useApplication.setState({ database: fresh });
  void readHealth(fresh);
  return fresh;
}

async function findByPath(path: string): Promise<Database> {
  useApplication.setState({ info: await call('app.info', {}) });
  const initial = await call('directory.initial', {}).catch(() => null);
  if (initial?.path === path) return initial;
  const recent = (await call('directory.recents', {})).find((entry) => entry.path === path);
  if (recent) return call('directory.open', { place: recent.place });
  throw new VelescopeError('NO_SUCH_DATABASE', `Velescope was started again for another directory than ${path}.`);
}

/** Leaves the directory, back to the welcome page. */
export async function leaveDirectory(): Promise<void> {
  if (!(await canLeave())) return;
  healthRun?.abort();
  await closeSession();
  forgetDocuments();
  useApplication.setState({ database: null, failure: null, page: 'records' });
  await loadRecents();
}

export async function loadRecents(): Promise<void> {
  useApplication.setState({ recents: await call('directory.recents', {}).catch(() => []) });
}

/** A folder dropped on the window; the browser door cannot take one, and says so. */
export function openDropped(files: FileList | null): void {
  const file = files?.[0];
  const door = connection();
  if (!file || !door) return;
  if (door.openDropped) door.openDropped(file);
  else showDialog({ name: 'places' });
}
