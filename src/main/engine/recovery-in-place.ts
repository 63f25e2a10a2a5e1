import { join } from 'node:path';
import { VelescopeError } from '../../shared/errors.ts';
import { type FileStatus, type Files, type OpenFile, statusOrNull, systemCode } from './files.ts';
import { LOG_FILE, takeDatabaseLock, takeLogLock } from './lock.ts';
import type { Holder } from './lock-holder.ts';
import { removeQuietly } from './recovery-target.ts';
import { SNAPSHOT_FILE } from './snapshot-file.ts';

const BEFORE = 'before-recovery';
/** What file systems without hard links answer (FAT, some network drives), or one whose file has too many already. */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EINVAL', 'EXDEV', 'EACCES']);

export interface InPlace {
  /** Directory in the collection that holds what was there before. */
  keptIn: string;
  /** The old log's second name. */
  keptAs: string;
}

/** A collection that nobody else writes to. */
export interface LockedCollection {
  /** Open for reading; null where there is none. */
  log: OpenFile | null;
  release(): void;
}

/** Takes the database's lock and the log's. LOCK_HELD, LOCK_UNAVAILABLE and the system's errors; then nothing is held. */
export function lockCollection(
  files: Files,
  directory: string,
  findHolder: (path: string) => Holder | null,
): LockedCollection {
  const lock = takeDatabaseLock(files, directory, findHolder);
  let log: OpenFile | null = null;
  try {
    const path = join(directory, LOG_FILE);
    if (statusOrNull(files, path) !== null) {
      log = files.open(path, 'read');
      takeLogLock(log, findHolder);
    }
  } catch (thrown) {
    log?.close();
    lock.release();
    throw thrown;
  }
  return {
    log,
    release: () => {
      log?.close();
      lock.release();
    },
  };
}

/**
 * Puts `work/payloads.log` in the place of the collection's, and `work/payloads.snapshot` after it. Both are synced and proven, the
 * locks are held. The order (docs/design.md, rule 5): the old files get second names in `work`, durably; the old snapshot is removed,
 * durably, because it would lie about the new log; the new log is renamed over the old one; only when that is durable the new
 * snapshot follows, which belongs to it alone. Where it fails and the old log still stands, the old snapshot is given back and
 * `discard` is called before the error is thrown; where nobody can tell any more which log stands, everything is kept.
 */
export function replaceLog(files: Files, directory: string, work: string, discard: () => void): InPlace {
  const log = join(directory, LOG_FILE);
  const snapshot = join(directory, SNAPSHOT_FILE);
  const keptAs = join(work, `${LOG_FILE}.${BEFORE}`);
  const snapshotKeptAs = join(work, `${SNAPSHOT_FILE}.${BEFORE}`);
  let old: FileStatus | null = null;
  let hasSnapshot = false;
  try {
    old = files.status(log);
    hasSnapshot = statusOrNull(files, snapshot) !== null;
    for (const name of [LOG_FILE, SNAPSHOT_FILE]) takeOver(files, log, join(work, name));
    giveSecondName(files, log, keptAs);
    if (hasSnapshot) giveSecondName(files, snapshot, snapshotKeptAs);
    files.syncDirectory(work);
    files.syncDirectory(directory);
    if (hasSnapshot) {
      files.unlink(snapshot);
      files.syncDirectory(directory);
    }
    files.rename(join(work, LOG_FILE), log);
  } catch (thrown) {
    try {
      // A call may have failed and done its work all the same: what is there now tells, not how far we came.
      const now = old && files.status(log);
      if (now?.inode === old?.inode && now?.device === old?.device) {
        if (hasSnapshot && statusOrNull(files, snapshot) === null) {
          giveSecondName(files, snapshotKeptAs, snapshot);
          files.syncDirectory(directory);
        }
        for (const path of [snapshotKeptAs, keptAs]) removeQuietly(files, path, 'file');
        discard();
      }
    } catch {
      // The first error is the one to tell; what is kept in `work` is kept.
    }
    throw thrown;
  }
  files.syncDirectory(directory);
  files.syncDirectory(work);
  addSnapshot(files, join(work, SNAPSHOT_FILE), snapshot, directory);
  return { keptIn: work, keptAs };
}

/**
 * Gives a new file the owner and mode of the old log, durably: VelesDB appends to it under its own user, which need not be ours.
 * PERMISSION_DENIED where that is not allowed: the collection would then be missing after the next start.
 */
function takeOver(files: Files, log: string, path: string): void {
  if (statusOrNull(files, path) === null) return;
  try {
    files.copyPermissions(log, path);
  } catch (thrown) {
    const code = systemCode(thrown);
    if (code !== 'EPERM' && code !== 'EACCES') throw thrown;
    throw new VelescopeError(
      'PERMISSION_DENIED',
      `${log} belongs to another user, and so would have to what replaces it`,
      {
        next: 'Run this as the user that VelesDB runs as. Nothing was changed.',
        cause: thrown,
        data: { path: log },
      },
    );
  }
  const file = files.open(path, 'append');
  try {
    file.sync();
  } finally {
    file.close();
  }
}

/** Without its snapshot the new log is read whole, so a failure here is none of the recovery. */
function addSnapshot(files: Files, from: string, to: string, directory: string): void {
  try {
    if (statusOrNull(files, from) === null) return;
    files.rename(from, to);
    files.syncDirectory(directory);
  } catch {
    // The log is in place and proven.
  }
}

function giveSecondName(files: Files, path: string, second: string): void {
  try {
    files.link(path, second);
    return;
  } catch (thrown) {
    if (!NO_LINKS.has(systemCode(thrown) ?? '')) throw thrown;
  }
  files.copy(path, second);
  const file = files.open(second, 'append');
  try {
    file.sync();
  } finally {
    file.close();
  }
}

/** `NAME-20260131T235959Z`, or with a number behind it where that is taken. */
export function freshName(files: Files, directory: string, name: string, now: Date): string {
  const time = now.toISOString().replace(/[-:]|\.\d+/g, '');
  const base = join(directory, `${name}-${time}`);
  for (let number = 1; ; number++) {
    const path = number === 1 ? base : `${base}-${number}`;
    if (statusOrNull(files, path) === null) return path;
  }
}
