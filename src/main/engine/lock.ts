import { basename, dirname, join } from 'node:path';
import { VelescopeError } from '../../shared/errors.ts';
import type { Files, OpenFile } from './files.ts';
import { statusOrNull, systemCode } from './files.ts';
import type { Holder } from './lock-holder.ts';

/** VelesDB's lock file in the database root (docs/format.md, "Data directory"). Its existence means nothing. */
export const LOCK_FILE = 'velesdb.lock';
export const LOG_FILE = 'payloads.log';
export const CONFIG_FILE = 'config.json';

/** The locks that writing to a collection needs. */
export interface WriteLock {
  /** Files whose lock is held, in the order taken. */
  readonly paths: readonly string[];
  release(): void;
}

/**
 * Path of the lock file that guards a collection: in its parent, when that has one, or when the collection belongs to a
 * database (it has a `config.json`), which then gets one, as VelesDB would make it. Null where neither is so: a bare
 * payload log belongs to no database, and only its own lock guards it.
 */
export function databaseLockPath(files: Files, directory: string): string | null {
  const path = join(dirname(directory), LOCK_FILE);
  if (statusOrNull(files, path) !== null) return path;
  return statusOrNull(files, join(directory, CONFIG_FILE)) === null ? null : path;
}

/**
 * Takes the database's lock (so that a running VelesDB keeps us out, and we keep it out) and then the log's (which
 * VelesDB never takes, so that two Velescopes never write together). `log` is the open payload log, null when there is
 * none yet. LOCK_HELD, naming the holder where `findHolder` knows it; LOCK_UNAVAILABLE; READ_ONLY or PERMISSION_DENIED
 * where the lock file cannot be opened for writing. Takes both or none.
 */
export function takeDatabaseLock(
  files: Files,
  directory: string,
  findHolder: (path: string) => Holder | null,
): WriteLock {
  const path = databaseLockPath(files, directory);
  if (path === null) return { paths: [], release: () => {} };
  const file = openLockFile(files, path);
  lockOrClose(file, true, findHolder);
  return { paths: [path], release: () => file.close() };
}

/** Takes the lock of the open log. LOCK_HELD when another Velescope writes. The lock goes with the file's `close`. */
export function takeLogLock(log: OpenFile, findHolder: (path: string) => Holder | null): void {
  if (!log.tryLock(false)) throw held(log.path, findHolder(log.path));
}

function openLockFile(files: Files, path: string): OpenFile {
  try {
    return files.open(path, 'append');
  } catch (thrown) {
    const code = systemCode(thrown);
    if (code !== 'EACCES' && code !== 'EPERM' && code !== 'EROFS') throw thrown;
    throw new VelescopeError(
      code === 'EROFS' ? 'READ_ONLY' : 'PERMISSION_DENIED',
      `${path} cannot be opened for writing, and writing needs its lock`,
      { next: 'Change the permissions, or copy the database to where you may write.', cause: thrown, data: { path } },
    );
  }
}

function lockOrClose(file: OpenFile, whole: boolean, findHolder: (path: string) => Holder | null): void {
  try {
    if (file.tryLock(whole)) return;
  } catch (thrown) {
    file.close();
    throw thrown;
  }
  file.close();
  throw held(file.path, findHolder(file.path));
}

function held(path: string, holder: Holder | null): VelescopeError {
  const who = holder === null ? 'another process' : `${holder.name ?? 'a process'} (process ${holder.pid})`;
  return new VelescopeError('LOCK_HELD', `${basename(path)} is locked by ${who}, so nothing may be written beside it`, {
    next: 'Close the program that has the database open, then turn writing on again. Reading goes on working.',
    data: { path, ...(holder === null ? {} : { pid: holder.pid, name: holder.name }) },
  });
}
