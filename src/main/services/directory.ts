import { dirname, join as joinPath, resolve } from 'node:path';
import { isAccepted } from '../../core/json/check.ts';
import { toErrorValue, VelescopeError } from '../../shared/errors.ts';
import { type Files, statusOrNull } from '../engine/files.ts';
import { CONFIG_FILE, LOCK_FILE, LOG_FILE } from '../engine/lock.ts';
import { EVIDENCE_DIRECTORY, EVIDENCE_INDEX, REPORT_JSON } from '../engine/recovery-report.ts';
import { INCOMPLETE_MARKER } from '../engine/recovery-write.ts';
import { SNAPSHOT_FILE } from '../engine/snapshot-file.ts';

/** The highest `schema_version` that any VelesDB release accepts (docs/format.md, "Data directory"). */
export const NEWEST_SCHEMA = 2;
/** A config.json is a few hundred bytes; what is larger than this is something else. */
const CONFIG_LIMIT = 1 << 20;

export type CollectionKind = 'vector' | 'graph' | 'metadata' | 'unknown';

/** Why VelesDB would not list a collection, or why it cannot be looked into. */
export interface CollectionProblem {
  code:
    | 'CONFIG_MISSING'
    | 'CONFIG_BROKEN'
    | 'SCHEMA_TOO_NEW'
    | 'RECOVERY_INCOMPLETE'
    | 'LOG_NOT_A_FILE'
    | 'SNAPSHOT_NOT_A_FILE'
    | 'UNREADABLE_DIRECTORY';
  message: string;
}

/** One collection's directory, by what its names tell: no byte of its log was read. */
export interface CollectionEntry {
  /** The directory's name as on disk; may hold anything. */
  name: string;
  /** As the root was given, joined with the name. */
  path: string;
  /** The directory is a symbolic link and may lead anywhere. */
  isLink: boolean;
  kind: CollectionKind;
  hasLog: boolean;
  /** 0 where there is no log. */
  logBytes: number;
  hasSnapshot: boolean;
  hasConfig: boolean;
  /** A recovery wrote it: it carries its report and its evidence, and no config.json, because only its log goes over. */
  isRecovered: boolean;
  problem: CollectionProblem | null;
}

/** What a directory is (docs/contract.md, "Command line", DIR). */
export type InspectedDirectory =
  | { kind: 'collection'; path: string; collection: CollectionEntry }
  | { kind: 'root'; path: string; collections: CollectionEntry[] }
  | { kind: 'neither'; path: string };

/**
 * Says whether a directory is a collection, a database root or neither, and lists a root's collections by name. Reads names, sizes
 * and config.json, follows symbolic links, opens no FIFO or device, creates and touches nothing. Throws what the system says where
 * the path leads nowhere or may not be looked into, NOT_A_DIRECTORY where it leads to something else.
 */
export function inspectDirectory(files: Files, path: string): InspectedDirectory {
  requireDirectory(files, path);
  const names = new Set(files.list(path).map((entry) => entry.name));
  if (holdsCollection(names)) {
    const inRoot = statusOrNull(files, joinPath(dirname(resolve(path)), LOCK_FILE)) !== null;
    return { kind: 'collection', path, collection: inspectCollection(files, path, lastName(path), false, inRoot) };
  }
  const collections = listCollections(files, path);
  if (names.has(LOCK_FILE) || collections.some((collection) => collection.hasConfig)) {
    return { kind: 'root', path, collections };
  }
  return { kind: 'neither', path };
}

/** A path joined with a name, the path left exactly as it was given. */
export function join(path: string, name: string): string {
  return path.endsWith('/') || path.endsWith('\\') ? `${path}${name}` : `${path}/${name}`;
}

function lastName(path: string): string {
  return /([^/\\]+)[/\\]*$/.exec(path)?.[1] ?? path;
}

function requireDirectory(files: Files, path: string): void {
  const status = statusOf(files, path);
  if (status.kind === 'directory') return;
  throw new VelescopeError('NOT_A_DIRECTORY', `${path} should be a directory and is a ${status.kind}`, {
    next: `Name the directory that holds ${LOG_FILE}, or the database that holds the collection.`,
    data: { path },
  });
}

function statusOf(files: Files, path: string): ReturnType<Files['status']> {
  try {
    return files.status(path);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown;
    throw new VelescopeError('NOT_FOUND', `${path} is not there, or is a link that leads nowhere`, {
      next: 'Check how it is spelled, and whether the disk that holds it is mounted; a relative path starts at the working directory.',
      data: { path, system: 'ENOENT' },
      cause: thrown,
    });
  }
}

function holdsCollection(names: ReadonlySet<string>): boolean {
  return names.has(LOG_FILE) || names.has(SNAPSHOT_FILE) || names.has(CONFIG_FILE);
}

function listCollections(files: Files, root: string): CollectionEntry[] {
  const collections: CollectionEntry[] = [];
  for (const entry of files.list(root)) {
    if (entry.kind !== 'directory' && entry.kind !== 'link') continue;
    const path = join(root, entry.name);
    const isLink = entry.kind === 'link';
    try {
      if (isLink && statusOrNull(files, path)?.kind !== 'directory') continue;
      const names = new Set(files.list(path).map((child) => child.name));
      if (holdsCollection(names)) collections.push(inspectCollection(files, path, entry.name, isLink, true));
    } catch (thrown) {
      // A link that leads in a circle is no directory; one we may not look into is listed with that reason.
      if (isLink) continue;
      collections.push({
        ...nothingKnown(entry.name, path, isLink),
        problem: { code: 'UNREADABLE_DIRECTORY', message: toErrorValue(thrown).message },
      });
    }
  }
  return collections;
}

function nothingKnown(name: string, path: string, isLink: boolean): CollectionEntry {
  return {
    name,
    path,
    isLink,
    kind: 'unknown',
    hasLog: false,
    logBytes: 0,
    hasSnapshot: false,
    hasConfig: false,
    isRecovered: false,
    problem: null,
  };
}

function inspectCollection(
  files: Files,
  path: string,
  name: string,
  isLink: boolean,
  inRoot: boolean,
): CollectionEntry {
  const entry = nothingKnown(name, path, isLink);
  const problems: CollectionProblem[] = [];
  const config = readConfig(files, path, inRoot);
  entry.hasConfig = config.exists;
  entry.isRecovered = !config.exists && isWrittenByRecovery(files, path);
  entry.kind = config.kind;
  // What a recovery wrote lacks a config.json by design.
  if (config.problem && !entry.isRecovered) problems.push(config.problem);
  if (look(files, join(path, INCOMPLETE_MARKER)).exists) {
    const message = 'A recovery did not finish here: nothing in it is to be used, and it may be deleted';
    problems.unshift({ code: 'RECOVERY_INCOMPLETE', message });
  }

  const log = look(files, join(path, LOG_FILE));
  entry.hasLog = log.exists;
  entry.logBytes = log.bytes;
  if (log.refusal !== null) problems.push({ code: 'LOG_NOT_A_FILE', message: `${LOG_FILE} ${log.refusal}` });
  const snapshot = look(files, join(path, SNAPSHOT_FILE));
  entry.hasSnapshot = snapshot.exists;
  if (snapshot.refusal !== null) {
    problems.push({ code: 'SNAPSHOT_NOT_A_FILE', message: `${SNAPSHOT_FILE} ${snapshot.refusal}` });
  }
  // The log's own trouble says more than the configuration's.
  entry.problem = problems.find((problem) => problem.code === 'LOG_NOT_A_FILE') ?? problems[0] ?? null;
  return entry;
}

/** By the names that a recovery leaves beside the log; the report is not read, for it may be as long as the damage is manifold. */
function isWrittenByRecovery(files: Files, path: string): boolean {
  const names = [REPORT_JSON, join(EVIDENCE_DIRECTORY, EVIDENCE_INDEX)];
  return names.every((name) => {
    const { exists, refusal } = look(files, join(path, name));
    return exists && refusal === null;
  });
}

function look(files: Files, path: string): { exists: boolean; bytes: number; refusal: string | null } {
  try {
    const status = statusOrNull(files, path);
    if (status === null) return { exists: false, bytes: 0, refusal: null };
    return status.kind === 'file'
      ? { exists: true, bytes: status.size, refusal: null }
      : { exists: true, bytes: 0, refusal: `should be a file and is a ${status.kind}` };
  } catch (thrown) {
    return { exists: true, bytes: 0, refusal: `cannot be looked at: ${toErrorValue(thrown).message}` };
  }
}

/** Kind of a collection by its config.json, and why VelesDB would pass it over, if it would. */
function readConfig(
  files: Files,
  directory: string,
  inRoot: boolean,
): { exists: boolean; kind: CollectionKind; problem: CollectionProblem | null } {
  const path = join(directory, CONFIG_FILE);
  const broken = (message: string, kind: CollectionKind = 'unknown') => ({
    exists: true,
    kind,
    problem: { code: 'CONFIG_BROKEN' as const, message },
  });
  let bytes: Uint8Array;
  try {
    if (statusOrNull(files, path) === null) {
      const message = 'There is no config.json, so VelesDB does not list this directory as a collection';
      return { exists: false, kind: 'unknown', problem: inRoot ? { code: 'CONFIG_MISSING', message } : null };
    }
    bytes = files.readWhole(path, CONFIG_LIMIT);
  } catch (thrown) {
    return broken(`config.json cannot be read: ${toErrorValue(thrown).message}`);
  }
  if (!isAccepted(bytes)) return broken('config.json is not JSON that VelesDB reads, so the collection is passed over');
  const config: unknown = JSON.parse(new TextDecoder().decode(bytes));
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    return broken('config.json does not hold an object, so the collection is passed over');
  }
  const { graph_schema, metadata_only, schema_version } = config as Record<string, unknown>;
  const kind: CollectionKind =
    graph_schema !== undefined && graph_schema !== null ? 'graph' : metadata_only === true ? 'metadata' : 'vector';
  if (schema_version !== undefined && !(Number.isInteger(schema_version) && (schema_version as number) >= 0)) {
    return broken('schema_version in config.json is not a whole number, so the collection is passed over', kind);
  }
  if (typeof schema_version === 'number' && schema_version > NEWEST_SCHEMA) {
    const message = `schema_version in config.json is ${schema_version}, so the collection is passed over: VelesDB accepts ${NEWEST_SCHEMA} at most, and 1.13 to 2.0 only 1`;
    return { exists: true, kind, problem: { code: 'SCHEMA_TOO_NEW', message } };
  }
  return { exists: true, kind, problem: null };
}
