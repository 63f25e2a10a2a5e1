import { availableParallelism } from 'node:os';
import { type ByteSource, MemorySource } from '../../core/byte-source.ts';
import { RecordTable } from '../../core/record-table.ts';
import { FileSource, refuseShortReads } from '../engine/file-source.ts';
import { type Files, type OpenFile, statusOrNull } from '../engine/files.ts';
import { LOG_FILE } from '../engine/lock.ts';
import { LogThread } from '../engine/log-threads.ts';
import { nodeFiles } from '../engine/node-files.ts';
import { scanFile } from '../engine/parallel-scan.ts';
import { join } from './directory.ts';
import { workerUrl } from './worker-url.ts';

/** A log opened for looking: no lock, no file made. */
export interface ReadableLog {
  /** Empty where there is no log, as it is to VelesDB. */
  source: ByteSource;
  /** Null where there is no log. */
  file: OpenFile | null;
  close(): void;
}

/** Opens a collection's log for reading, at the size it has now. NOT_A_FILE, or what the system says. */
export function openLogForReading(files: Files, directory: string): ReadableLog {
  const path = join(directory, LOG_FILE);
  if (statusOrNull(files, path) === null) {
    return { source: new MemorySource(new Uint8Array(0)), file: null, close: () => {} };
  }
  const file = files.open(path, 'read');
  return { source: refuseShortReads(new FileSource(file)), file, close: () => file.close() };
}

/** More threads than this wait for the disk, and for the one that puts their parts together. */
const MOST_THREADS = 8;

/** What a pass that works in several threads needs to know of them. */
export function threadsFor(files: Files, file: OpenFile | null): { file: OpenFile | null; workers: number } {
  // Other threads open the log by its path: it has to be a file of this machine.
  return { file: files === nodeFiles ? file : null, workers: Math.min(MOST_THREADS, availableParallelism()) };
}

/** As many as are loaded before anybody knows how long the log is. */
const MOST_PREPARED = 3;

/** Loads threads for passes over a log that is still to be opened. They go when the passes are through (`LogThread.endIdle`). */
export function prepareThreads(): void {
  try {
    LogThread.prepare(Math.min(MOST_PREPARED, availableParallelism() - 1), workerUrl('log'));
  } catch {
    // The passes work alone then.
  }
}

/** Scans a log into a table and links its rows; a long one with as many threads as there are processors. */
export async function scanLog(files: Files, { source, file }: ReadableLog): Promise<RecordTable> {
  const table = new RecordTable();
  await scanFile({ source, table, ...threadsFor(files, file), workerUrl: () => workerUrl('log') });
  return table;
}
