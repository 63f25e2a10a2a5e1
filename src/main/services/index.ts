import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { VelescopeError } from '../../shared/errors.ts';
import type {
  CallContext,
  Collection,
  Database,
  Handlers,
  Health,
  Method,
  Params,
  Place,
  ProtocolEvent,
  Result,
} from '../../shared/protocol.ts';
import { METHODS } from '../../shared/protocol.ts';
import { LOCK_FILE } from '../engine/lock.ts';
import { findHolder } from '../engine/lock-holder.ts';
import { nodeFiles } from '../engine/node-files.ts';
import type { SessionMethod } from '../session/handlers.ts';
import { type CollectionEntry, inspectDirectory } from './directory.ts';
import { measureHealth, untouchedHealth } from './health.ts';
import { holderWords } from './in-flight.ts';
import { opaqueName, Places } from './places.ts';
import type { Download, Services, ServicesOptions } from './services-type.ts';
import { SessionHost } from './session-host.ts';
import { SessionThreads } from './session-threads.ts';
import { SettingsStore } from './settings.ts';

declare const __VELESCOPE_VERSION__: string | undefined;

/** Version of the application, put in by the build. */
export const VERSION = typeof __VELESCOPE_VERSION__ === 'string' ? __VELESCOPE_VERSION__ : '0.0.0-source';

interface OpenDatabase {
  name: string;
  path: string;
  kind: Database['kind'];
  /** Collections by their opaque names. */
  collections: Map<string, CollectionEntry>;
  health: Map<string, Health>;
}

/** Calls after which a collection's badge may be another one. */
const CHANGE_HEALTH: ReadonlySet<Method> = new Set([
  'recovery.applyInPlace',
  'recovery.putInPlace',
  'writing.trimTail',
  'snapshot.create',
  'snapshot.remove',
]);
/** Drafts belong to the directory: other sessions on it are told. */
const CHANGE_DRAFTS: ReadonlySet<Method> = new Set([
  'drafts.put',
  'drafts.drop',
  'drafts.takeBack',
  'drafts.write',
  'import.lines',
]);

/**
 * Everything behind the protocol. The main process keeps no record of any log: it hands out opaque names, starts a worker for each
 * open collection, and passes calls on to it.
 */
export function createServices(options: ServicesOptions): Services {
  const places = new Places(options.root);
  const settings = new SettingsStore(options.settingsDirectory);
  const databases = new Map<string, OpenDatabase>();
  const sessions = new Map<string, { host: SessionHost; directory: string }>();
  const threads = new SessionThreads();
  threads.prepare();
  const targets = new Map<string, { session: string; path: string }>();
  const downloads = new Map<string, Download>();
  const listeners = new Set<(event: ProtocolEvent) => void>();
  const emit = (event: ProtocolEvent) => {
    for (const listener of listeners) listener(event);
  };

  // -------------------------------------------------------------- directories

  function openDirectory(path: string): Database {
    places.require(path);
    const inspected = inspectDirectory(nodeFiles, path);
    if (inspected.kind === 'neither') {
      throw new VelescopeError('NOT_FOUND', `There is no collection and no database in ${path}.`, {
        next: 'Open the directory that holds payloads.log, or the one that holds the collections.',
      });
    }
    const known = [...databases.values()].find((database) => database.path === path);
    const database: OpenDatabase = known ?? {
      name: opaqueName('database'),
      path,
      kind: inspected.kind,
      collections: new Map(),
      health: new Map(),
    };
    databases.set(database.name, database);
    if (options.door === 'desktop') settings.remember(path);
    return list(database);
  }

  /** Reads a database's directory again; a collection keeps its name. */
  function list(database: OpenDatabase): Database {
    const inspected = inspectDirectory(nodeFiles, database.path);
    const entries =
      inspected.kind === 'collection' ? [inspected.collection] : inspected.kind === 'root' ? inspected.collections : [];
    const names = new Map([...database.collections].map(([name, entry]) => [entry.path, name]));
    database.collections = new Map();
    const collections: Collection[] = [];
    for (const entry of entries) {
      // A link may lead out of the served root; then it is as if it were not there.
      if (!places.contains(entry.path)) continue;
      const name = names.get(entry.path) ?? opaqueName('collection');
      database.collections.set(name, entry);
      collections.push({
        collection: name,
        name: entry.name,
        kind: entry.kind,
        logBytes: entry.logBytes,
        hasSnapshot: entry.hasSnapshot,
        recovered: entry.isRecovered,
        problem: entry.problem,
        health: database.health.get(name) ?? untouchedHealth(entry),
      });
    }
    const lockPath = join(database.path, database.kind === 'root' ? '' : '..', LOCK_FILE);
    const holder = findHolder(lockPath);
    const foreign = holder !== null && holder.pid !== process.pid;
    return {
      database: database.name,
      name: basename(database.path) || database.path,
      path: database.path,
      kind: database.kind,
      lock: {
        held: foreign,
        holder: foreign ? holderWords(holder) : null,
      },
      collections,
    };
  }

  function databaseNamed(name: string): OpenDatabase {
    const database = databases.get(name);
    if (!database)
      throw new VelescopeError('NO_SUCH_DATABASE', 'This directory is not open any more.', { next: 'Open it again.' });
    return database;
  }

  function collectionNamed(database: OpenDatabase, name: string): CollectionEntry {
    const entry = database.collections.get(name);
    if (!entry)
      throw new VelescopeError('NO_SUCH_COLLECTION', 'This collection is not listed any more.', {
        next: 'Refresh the list.',
      });
    places.require(entry.path);
    return entry;
  }

  function placesIn(place: string | null): Result<'directory.places'> {
    if (places.root === null)
      throw new VelescopeError('NOT_ALLOWED', 'This door asks with the system’s dialog instead.');
    const path = place === null ? places.root : places.pathOf(place);
    const found: Place[] = [];
    for (const entry of nodeFiles.list(path)) {
      if (entry.kind !== 'directory' && entry.kind !== 'link') continue;
      const child = join(path, entry.name);
      if (!places.contains(child)) continue;
      try {
        const inspected = inspectDirectory(nodeFiles, child);
        found.push({
          place: places.nameOf(child),
          name: entry.name,
          kind: inspected.kind === 'neither' ? 'folder' : inspected.kind,
        });
      } catch {
        // What may not be looked into cannot be opened either.
      }
    }
    const parent = path === places.root ? null : places.nameOf(resolve(path, '..'));
    return { name: path === places.root ? basename(path) : basename(path), parent, places: found };
  }

  // -------------------------------------------------------------- sessions

  async function openSession(params: Params<'session.open'>, context: CallContext): Promise<Result<'session.open'>> {
    const database = databaseNamed(params.database);
    const entry = collectionNamed(database, params.collection);
    const name = opaqueName('session');
    const host = new SessionHost(
      {
        session: name,
        directory: resolve(entry.path),
        collectionName: entry.name,
        settingsDirectory: options.settingsDirectory,
        readOnly: options.readOnly,
        view: params.view,
      },
      threads,
      emit,
      () => sessions.delete(name),
    );
    sessions.set(name, { host, directory: entry.path });
    context.onPeerClosed(() => void closeSession(name));
    try {
      const summary = await host.ready();
      // Whoever cancelled does not get its name, and could never close it.
      if (context.signal.aborted) throw new VelescopeError('CANCELLED', 'Opening the collection was cancelled.');
      return summary;
    } catch (thrown) {
      void closeSession(name);
      throw thrown;
    }
  }

  async function closeSession(name: string): Promise<void> {
    const session = sessions.get(name);
    sessions.delete(name);
    await session?.host.close();
    // What it had not made a draft of is there to be taken up.
    if (session) tellOfDrafts(session.directory, name);
  }

  /** The badge is found out anew when the list of collections is read again. */
  function forgetHealth(directory: string): void {
    for (const { collections, health } of databases.values()) {
      for (const [name, entry] of collections) if (entry.path === directory) health.delete(name);
    }
  }

  function tellOfDrafts(directory: string, by: string): void {
    for (const [name, session] of sessions) {
      if (name !== by && session.directory === directory) emit({ event: 'drafts', session: name });
    }
  }

  function sessionNamed(name: string): { host: SessionHost; directory: string } {
    const session = sessions.get(name);
    if (!session)
      throw new VelescopeError('NO_SUCH_SESSION', 'This collection is not open any more.', { next: 'Open it again.' });
    return session;
  }

  async function chooseTarget(params: Params<'recovery.chooseTarget'>): Promise<Result<'recovery.chooseTarget'>> {
    const session = sessionNamed(params.session);
    // A recovery leaves the log alone but writes a directory beside it; read-only means nothing is written anywhere.
    if (options.readOnly) {
      throw new VelescopeError('READ_ONLY', 'Velescope was started read-only.', {
        next: 'Start it without --read-only to recover, or use velescope recover --to.',
      });
    }
    let path: string | null;
    if (options.ports.chooseTarget) path = await options.ports.chooseTarget(params.name);
    else {
      if (!/^[A-Za-z0-9_][A-Za-z0-9_-]{0,127}$/.test(params.name)) {
        throw new VelescopeError(
          'BAD_REQUEST',
          'A collection’s name has letters, digits, _ and -, and does not begin with -.',
        );
      }
      path = join(session.directory, '..', params.name);
      // The new directory must lie in the served root: its parent does, or it has no place here.
      places.require(join(session.directory, '..'));
      if (existsSync(path))
        throw new VelescopeError('TARGET_NOT_EMPTY', `${params.name} exists already.`, {
          next: 'Choose another name.',
        });
    }
    if (path === null) return null;
    const target = opaqueName('target');
    targets.set(target, { session: params.session, path });
    return { target, path };
  }

  async function exportRecords(
    params: Params<'export.records'>,
    context: CallContext,
  ): Promise<Result<'export.records'>> {
    const { host, directory } = sessionNamed(params.session);
    const fileName = `${basename(directory)}.ndjson`;
    const write = async (path: string) =>
      (await host.call('export.records', params, context, path)) as Result<'export.records'>;
    if (options.ports.chooseExportFile) {
      const path = await options.ports.chooseExportFile(fileName);
      return path === null ? null : write(path);
    }
    const folder = await mkdtemp(join(tmpdir(), 'velescope-export-'));
    try {
      const path = join(folder, 'records.ndjson');
      const made = await write(path);
      const download = opaqueName('download');
      downloads.set(download, { path, fileName });
      return made && { ...made, path: null, download };
    } catch (thrown) {
      await rm(folder, { recursive: true, force: true });
      throw thrown;
    }
  }

  // -------------------------------------------------------------- the calls

  const own: Partial<Handlers> = {
    'app.info': () => ({
      version: VERSION,
      door: options.door,
      readOnly: options.readOnly,
      platform: process.platform,
    }),
    'settings.get': () => {
      const { theme, view, detailWidth } = settings.get();
      return { theme, view, detailWidth };
    },
    'settings.set': ({ theme, view, detailWidth }) => {
      settings.set({
        ...(theme ? { theme } : {}),
        ...(view ? { view } : {}),
        ...(detailWidth === undefined ? {} : { detailWidth }),
      });
      return {};
    },
    'directory.initial': () => (options.initial === null ? null : openDirectory(options.initial)),
    'directory.choose': async () => {
      if (!options.ports.chooseDirectory) {
        throw new VelescopeError('NOT_ALLOWED', 'This door has no dialog.', {
          next: 'Choose from the list of folders.',
        });
      }
      const path = await options.ports.chooseDirectory();
      return path === null ? null : openDirectory(path);
    },
    'directory.places': ({ place }) => placesIn(place),
    'directory.open': ({ place }) => openDirectory(places.pathOf(place)),
    'directory.recents': () => {
      if (options.door !== 'desktop') return [];
      return settings
        .get()
        .recents.filter((path) => existsSync(path))
        .map((path) => ({ place: places.nameOf(path), name: basename(path), path }));
    },
    'database.list': ({ database }) => list(databaseNamed(database)),
    'database.health': async ({ database: name, collection }, context) => {
      const database = databaseNamed(name);
      const entry = collectionNamed(database, collection);
      const health = await measureHealth(entry, context, options.settingsDirectory, threads);
      database.health.set(collection, health);
      emit({ event: 'health', database: name, collection, health });
      return health;
    },
    'session.open': openSession,
    'session.close': async ({ session }) => {
      await closeSession(session);
      return {};
    },
    'recovery.chooseTarget': chooseTarget,
    'recovery.apply': async (params, context) => {
      const target = targets.get(params.target);
      if (!target || target.session !== params.session) {
        throw new VelescopeError('NO_SUCH_PLACE', 'This target was not chosen here.', {
          next: 'Choose where the result goes.',
        });
      }
      const result = (await sessionNamed(params.session).host.call(
        'recovery.apply',
        params,
        context,
        target.path,
      )) as Result<'recovery.apply'>;
      targets.delete(params.target);
      return { ...result, database: openDirectory(target.path).database };
    },
    'export.records': exportRecords,
  };

  const handlers = Object.fromEntries(
    METHODS.map((method: Method) => [
      method,
      own[method] ??
        (async (params: { session: string }, context: CallContext) => {
          const { host, directory } = sessionNamed(params.session);
          const result = await host.call(method as SessionMethod, params, context);
          if (CHANGE_HEALTH.has(method)) forgetHealth(directory);
          if (CHANGE_DRAFTS.has(method)) tellOfDrafts(directory, params.session);
          return result;
        }),
    ]),
  ) as unknown as Handlers;

  return {
    handlers,
    onEvent(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async openPath(path) {
      const database = openDirectory(resolve(path));
      emit({ event: 'opened', database });
      return database;
    },
    download: (name) => downloads.get(name) ?? null,
    async close() {
      await Promise.all([...sessions.keys()].map(closeSession));
      await threads.close();
      // A file to take away is a copy of payloads: it does not outlive the server that answered with it.
      for (const download of downloads.values()) {
        if ('path' in download) await rm(dirname(download.path), { recursive: true, force: true });
      }
      downloads.clear();
      listeners.clear();
    },
  };
}
