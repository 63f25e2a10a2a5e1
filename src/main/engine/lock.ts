import { basename, dirname, join, resolve } from 'node:path';
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
 * Paths of the lock files that guard a collection: in its parent, when that has one, or when the collection belongs to a
 * database (it has a `config.json`), which then gets one, as VelesDB would make it. None where neither is so: a bare
 * payload log belongs to no database, and only its own lock guards it. A collection reached through a symbolic link has two
 * parents, the one it is named in and the one it really lies in, and a VelesDB may run in either.
 */
export function databaseLockPaths(files: Files, directory: string): string[] {
  const named = join(dirname(resolve(directory)), LOCK_FILE);
  // Not joined: the system, not the text, follows `..` from where the link leads.
  const real = `${directory}/../${LOCK_FILE}`;
  const namedStatus = statusOrNull(files, named);
  const realStatus = statusOrNull(files, real);
  const same = namedStatus?.inode === realStatus?.inode && namedStatus?.device === realStatus?.device;
  const paths = [...(namedStatus ? [named] : []), ...(realStatus && !same ? [real] : [])];
  if (paths.length > 0) return paths;
  return statusOrNull(files, join(directory, CONFIG_FILE)) === null ? [] : [named];
}

/**
 * Takes the locks of the database (so that a running VelesDB keeps us out, and we keep it out): all or none. LOCK_HELD, naming
 * the holder where `findHolder` knows it; LOCK_UNAVAILABLE; READ_ONLY or PERMISSION_DENIED where a lock file cannot be opened
 * for writing.
 */
export function takeDatabaseLock(
  files: Files,
  directory: string,
  findHolder: (path: string) => Holder | null,
): WriteLock {
  const paths = databaseLockPaths(files, directory);
  const held: OpenFile[] = [];
  const release = () => {
    for (const file of held.splice(0)) file.close();
  };
  try {
    for (const path of paths) {
      const file = openLockFile(files, path);
      lockOrClose(file, true, findHolder);
      held.push(file);
    }
  } catch (thrown) {
    release();
    throw thrown;
  }
  return { paths, release };
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
