import { join } from 'node:path';
import type { VelesError } from '../../core/generation.ts';
import { CRC_SIZE } from '../../core/record.ts';
import { parseSnapshot, type Snapshot } from '../../core/snapshot.ts';
import { runToEnd, type Steps } from '../../core/steps.ts';
import { toErrorValue, VelescopeError } from '../../shared/errors.ts';
import { crc32 } from './crc32.ts';
import { appendFully, type Files, readFully, requireLimit, statusOrNull } from './files.ts';

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

/** How much of a snapshot is read between two yields: a few milliseconds. */
const PIECE = 4 << 20;

/** Reads `payloads.snapshot` with every check of docs/format.md, "Snapshot". Never throws: whatever is wrong is a value. */
export function loadSnapshot(files: Files, directory: string): LoadedSnapshot {
  return runToEnd(readSnapshot(files, directory));
}

/** The same in steps: one of ten million entries takes a few tenths of a second. Yields progress in bytes of the file. */
export function* readSnapshot(files: Files, directory: string): Steps<LoadedSnapshot> {
  const path = join(directory, SNAPSHOT_FILE);
  let bytes: Uint8Array;
  let computed = 0;
  try {
    if (statusOrNull(files, path) === null) return { state: 'absent' };
    const file = files.open(path, 'read');
    try {
      const size = file.size();
      requireLimit(path, size, SNAPSHOT_LIMIT);
      bytes = new Uint8Array(size);
      const hashed = Math.max(0, size - CRC_SIZE);
      for (let at = 0; at < size; ) {
        const count = readFully(file, bytes, at, Math.min(PIECE, size - at), at);
        if (count === 0) {
          bytes = bytes.subarray(0, at);
          break;
        }
        if (at < hashed) computed = crc32(bytes.subarray(at, Math.min(at + count, hashed)), computed);
        at += count;
        yield { done: at, total: size };
      }
      // A file that was cut while it was read: what was hashed is not all but the last four bytes.
      if (bytes.length < size) computed = crc32(bytes.subarray(0, Math.max(0, bytes.length - CRC_SIZE)));
    } finally {
      file.close();
    }
  } catch (thrown) {
    const { code, message } = toErrorValue(thrown);
    if (code === 'NOT_FOUND') return { state: 'absent' };
    const error: VelesError = { kind: 'InvalidData', message };
    return code === 'NOT_A_FILE' ? { state: 'invalid', error, bytes: 0 } : { state: 'unreadable', error };
  }
  // The one CRC that is asked for is that of all but the last four bytes, which was computed on the way.
  const parsed = parseSnapshot(bytes, () => computed);
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
