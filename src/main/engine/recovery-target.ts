import { dirname, join, resolve } from 'node:path';
import { VelescopeError } from '../../shared/errors.ts';
import { type FileStatus, type Files, statusOrNull, systemCode } from './files.ts';

/** Room for what is not worth counting: reports, directories, rounding to blocks. */
const SLACK = 1 << 20;

/**
 * Refuses a target that is the source, lies in it or holds it (TARGET_IS_SOURCE), by device and inode, so that symbolic links and
 * other spellings make no difference; and one that is not empty (TARGET_NOT_EMPTY) or no directory (NOT_A_DIRECTORY).
 *
 * @param sources directories that nothing may be written in: the collection, and a database whose collections are all recovered
 */
export function requireFreshTarget(files: Files, sources: readonly string[], target: string): void {
  const path = resolve(target);
  const status = statusOrNull(files, path);
  const above = directoriesAbove(files, nearestExisting(files, path));
  for (const source of sources) {
    const own = files.status(resolve(source));
    if (above.some((directory) => isSame(directory, own))) throw isSource(target, source, 'lies in');
    if (status !== null && directoriesAbove(files, resolve(source)).some((directory) => isSame(directory, status))) {
      throw isSource(target, source, 'holds');
    }
  }
  if (status === null) return;
  if (status.kind !== 'directory') {
    throw new VelescopeError('NOT_A_DIRECTORY', `${target} should be a new directory and is a ${status.kind}`, {
      next: 'Name a directory that does not exist yet.',
      data: { target },
    });
  }
  const names = files.list(path);
  if (names.length > 0) {
    throw new VelescopeError('TARGET_NOT_EMPTY', `${target} should be empty and holds ${names.length} entries`, {
      next: 'Name a directory that does not exist yet; a recovery writes over nothing.',
      data: { target },
    });
  }
}

function isSource(target: string, source: string, how: string): VelescopeError {
  return new VelescopeError('TARGET_IS_SOURCE', `${target} is, or ${how}, what is being recovered: ${source}`, {
    next: 'Name a directory somewhere else: the source is never written to.',
    data: { target, source },
  });
}

function isSame(a: FileStatus, b: FileStatus): boolean {
  return a.inode === b.inode && a.device === b.device;
}

/** The path, or the nearest directory above it, that is there. */
export function nearestExisting(files: Files, path: string): string {
  for (let at = path; ; at = dirname(at)) if (statusOrNull(files, at) !== null || dirname(at) === at) return at;
}

/** A directory and all above it, as they are on the disk: `..` follows the real parent where a path came through a link. */
function directoriesAbove(files: Files, path: string): FileStatus[] {
  const found: FileStatus[] = [];
  let at = path;
  for (;;) {
    const status = files.status(at);
    const before = found.at(-1);
    if (before && isSame(before, status)) return found;
    found.push(status);
    const physical = `${at}/..`;
    // Files in memory have neither links nor `..`.
    at = status.kind === 'directory' && statusOrNull(files, physical) !== null ? physical : dirname(at);
  }
}

/**
 * DISK_FULL where the disk that holds `path` has less free than `bytes`; nothing where it does not tell. A file system that is read
 * only has nothing free either: that is TARGET_READ_ONLY, and found out by making a directory and removing it again.
 */
export function requireSpace(files: Files, path: string, bytes: number): void {
  const free = files.freeSpace(nearestExisting(files, resolve(path)));
  if (free === null || free >= bytes + SLACK) return;
  const probe = missingDirectories(files, path)[0] ?? join(path, 'velescope-probe');
  try {
    files.makeDirectory(probe);
    removeQuietly(files, probe, 'directory');
  } catch (thrown) {
    const refusal = targetRefusal(path, thrown);
    if (refusal !== null) throw refusal;
  }
  throw new VelescopeError('DISK_FULL', `The recovery needs ${bytes + SLACK} bytes at ${path}; ${free} are free`, {
    next: 'Make room, or name a target on another disk. Nothing was written.',
    data: { needed: bytes + SLACK, free },
  });
}

/** TARGET_READ_ONLY or PERMISSION_DENIED where that is why nothing could be made at a target; null for any other failure. */
export function targetRefusal(path: string, thrown: unknown): VelescopeError | null {
  const code = systemCode(thrown);
  const next =
    'Name a target that can be written to; the result, its evidence and the report go there. Nothing was written.';
  if (code === 'EROFS') {
    const words = `The result cannot be written to ${path}: that file system is read only`;
    return new VelescopeError('TARGET_READ_ONLY', words, { next, cause: thrown });
  }
  if (code === 'EACCES' || code === 'EPERM') {
    const words = `The result cannot be written to ${path}: the system refuses it (${code})`;
    return new VelescopeError('PERMISSION_DENIED', words, { next, cause: thrown });
  }
  return null;
}

/** The directories that have to be made for `path` to be one, the innermost last. */
export function missingDirectories(files: Files, path: string): string[] {
  const missing: string[] = [];
  for (let at = path; statusOrNull(files, at) === null && dirname(at) !== at; at = dirname(at)) missing.unshift(at);
  return missing;
}

/** Makes the directories of `missingDirectories`, durable by name. */
export function makeDurableDirectories(files: Files, missing: readonly string[]): void {
  for (const directory of missing) {
    files.makeDirectory(directory);
    files.syncDirectory(dirname(directory));
  }
}

/** Removes what a failed run made, as far as it can; what stays is marked as incomplete. */
export function removeQuietly(files: Files, path: string, kind: 'file' | 'directory'): boolean {
  try {
    if (kind === 'file') files.unlink(path);
    else files.removeDirectory(path);
    return true;
  } catch (thrown) {
    return systemCode(thrown) === 'ENOENT';
  }
}
