import type { ByteSource } from '../../core/byte-source.ts';
import { MemorySource } from '../../core/byte-source.ts';
import type { VelesError } from '../../core/generation.ts';
import { NO_SNAPSHOT, parseSnapshot, type Snapshot } from '../../core/snapshot.ts';
import { toErrorValue, VelescopeError } from '../../shared/errors.ts';
import { crc32 } from '../engine/crc32.ts';
import { FileSource } from '../engine/file-source.ts';
import { type Files, type OpenFile, statusOrNull } from '../engine/files.ts';
import { LOG_FILE } from '../engine/lock.ts';
import { join, SNAPSHOT_FILE } from './directory.ts';

/** Entries beyond this would not fit one piece of memory: 256 million. */
const SNAPSHOT_LIMIT = 4 * 2 ** 30 - 1;

/** A log opened for looking: no lock, no file made. */
export interface ReadableLog {
  /** Null where there is no log; the source is then empty, as it is to VelesDB. */
  file: OpenFile | null;
  source: ByteSource;
  close(): void;
}

/** Opens a collection's log for reading, at the size it has now. NOT_A_FILE, or what the system says. */
export function openLogForReading(files: Files, directory: string): ReadableLog {
  const path = join(directory, LOG_FILE);
  if (statusOrNull(files, path) === null) {
    return { file: null, source: new MemorySource(new Uint8Array(0)), close: () => {} };
  }
  const file = files.open(path, 'read');
  return { file, source: new FileSource(file), close: () => file.close() };
}

/** A snapshot as VelesDB finds it when it opens: usable, or why it is not used. */
export type FoundSnapshot =
  | { state: 'absent'; error: VelesError }
  | { state: 'invalid'; error: VelesError }
  | { state: 'usable'; snapshot: Snapshot };

/**
 * Reads and checks `payloads.snapshot` (docs/format.md, "Snapshot"). Whatever is wrong with it, VelesDB falls back to a full replay, so
 * every failure is a value, but for a size beyond what is read at once (TOO_LARGE).
 */
export function findSnapshot(files: Files, directory: string): FoundSnapshot {
  const path = join(directory, SNAPSHOT_FILE);
  if (statusOrNull(files, path) === null) return { state: 'absent', error: NO_SNAPSHOT };
  let bytes: Uint8Array;
  try {
    bytes = files.readWhole(path, SNAPSHOT_LIMIT);
  } catch (thrown) {
    if (thrown instanceof VelescopeError && thrown.code === 'TOO_LARGE') throw thrown;
    return { state: 'invalid', error: { kind: 'InvalidData', message: toErrorValue(thrown).message } };
  }
  const parsed = parseSnapshot(bytes, crc32);
  return parsed.ok ? { state: 'usable', snapshot: parsed.snapshot } : { state: 'invalid', error: parsed.error };
}
