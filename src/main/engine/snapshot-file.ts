import { join } from 'node:path';
import type { VelesError } from '../../core/generation.ts';
import { parseSnapshot, type Snapshot } from '../../core/snapshot.ts';
import { toErrorValue, VelescopeError } from '../../shared/errors.ts';
import { crc32 } from './crc32.ts';
import { appendFully, type Files, statusOrNull } from './files.ts';

export const SNAPSHOT_FILE = 'payloads.snapshot';
/** What VelesDB writes a snapshot to before the rename; one that was left over is ignored and overwritten. */
export const SNAPSHOT_TEMPORARY_FILE = 'payloads.snapshot.tmp';
/** 250 million entries. Larger ones could not be held in one buffer, and no VelesDB could have built them. */
const SNAPSHOT_LIMIT = 4_000_000_000;

export type LoadedSnapshot =
  | { state: 'absent' }
  | { state: 'valid'; snapshot: Snapshot; bytes: number }
  /** It is there, and every generation ignores it for this reason. */
  | { state: 'invalid'; error: VelesError; bytes: number }
  /** It could not be read here; another process may read it well. */
  | { state: 'unreadable'; error: VelesError };

/** Reads `payloads.snapshot` with every check of docs/format.md, "Snapshot". Never throws: whatever is wrong is a value. */
export function loadSnapshot(files: Files, directory: string): LoadedSnapshot {
  const path = join(directory, SNAPSHOT_FILE);
  let bytes: Uint8Array;
  try {
    if (statusOrNull(files, path) === null) return { state: 'absent' };
    bytes = files.readWhole(path, SNAPSHOT_LIMIT);
  } catch (thrown) {
    const { code, message } = toErrorValue(thrown);
    if (code === 'NOT_FOUND') return { state: 'absent' };
    const error: VelesError = { kind: 'InvalidData', message };
    return code === 'NOT_A_FILE' ? { state: 'invalid', error, bytes: 0 } : { state: 'unreadable', error };
  }
  const parsed = parseSnapshot(bytes, crc32);
  return parsed.ok
    ? { state: 'valid', snapshot: parsed.snapshot, bytes: bytes.length }
    : { state: 'invalid', error: parsed.error, bytes: bytes.length };
}

/**
 * Puts `bytes` (of `encodeSnapshot`) in place of the snapshot so that at every instant the old or the new one is there:
 * temporary file, fsync, read back and checked, rename, directory fsync. The caller has synced the log up to the
 * snapshot's position before. System errors pass through; VERIFY_FAILED when the disk gives back something else. A failure
 * before the rename leaves the old snapshot as it was.
 */
export function writeSnapshot(files: Files, directory: string, bytes: Uint8Array): void {
  const temporary = join(directory, SNAPSHOT_TEMPORARY_FILE);
  if (statusOrNull(files, temporary) !== null) files.unlink(temporary);
  try {
    const file = files.open(temporary, 'create');
    try {
      appendFully(file, bytes, 0, bytes.length);
      file.sync();
    } finally {
      file.close();
    }
    if (!parseSnapshot(files.readWhole(temporary, SNAPSHOT_LIMIT), crc32).ok) {
      throw new VelescopeError('VERIFY_FAILED', `${temporary} does not hold what was written to it`, {
        next: 'The old snapshot is still in place and the log is complete. Check the disk.',
      });
    }
    files.rename(temporary, join(directory, SNAPSHOT_FILE));
  } catch (thrown) {
    removeQuietly(files, temporary);
    throw thrown;
  }
  files.syncDirectory(directory);
}

/** Left-overs are harmless, and the error that led here is the one to tell. */
function removeQuietly(files: Files, path: string): void {
  try {
    files.unlink(path);
  } catch {
    // As it was.
  }
}
