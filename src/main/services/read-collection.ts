import { type ByteSource, MemorySource } from '../../core/byte-source.ts';
import { FileSource } from '../engine/file-source.ts';
import { type Files, statusOrNull } from '../engine/files.ts';
import { LOG_FILE } from '../engine/lock.ts';
import { join } from './directory.ts';

/** A log opened for looking: no lock, no file made. */
export interface ReadableLog {
  /** Empty where there is no log, as it is to VelesDB. */
  source: ByteSource;
  close(): void;
}

/** Opens a collection's log for reading, at the size it has now. NOT_A_FILE, or what the system says. */
export function openLogForReading(files: Files, directory: string): ReadableLog {
  const path = join(directory, LOG_FILE);
  if (statusOrNull(files, path) === null) return { source: new MemorySource(new Uint8Array(0)), close: () => {} };
  const file = files.open(path, 'read');
  return { source: new FileSource(file), close: () => file.close() };
}
