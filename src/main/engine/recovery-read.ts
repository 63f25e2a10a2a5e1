import { join } from 'node:path';
import type { ByteSource } from '../../core/byte-source.ts';
import { checkPayloads } from '../../core/payload-check.ts';
import type { RecordTable } from '../../core/record-table.ts';
import { scan } from '../../core/scan.ts';
import type { Steps } from '../../core/steps.ts';
import { crc32 } from './crc32.ts';
import { FileSource, refuseShortReads } from './file-source.ts';
import { type FileStatus, type Files, type OpenFile, statusOrNull } from './files.ts';
import { LOG_FILE } from './lock.ts';
import { hashOf } from './recovery-pass.ts';

/** A log read whole for a recovery: what a plan is made of, and what makes a change in between show. */
export interface ReadLog {
  files: Files;
  directory: string;
  /** Open for reading; null where there is no log, which is an empty one. */
  log: OpenFile | null;
  seen: FileStatus | null;
  source: ByteSource;
  /** Scanned, linked, payloads checked. */
  table: RecordTable;
  /** SHA-256 of the bytes before they were scanned. */
  inputSha256: string;
  /** Closes the log. */
  close(): void;
}

/**
 * Reads a collection's log for a recovery: hashes it, then scans it and looks at its payloads. Creates nothing, takes no lock.
 * System errors pass through; the log is closed then, and where the caller ends the generator early.
 */
export function* readForRecovery(files: Files, directory: string): Steps<ReadLog> {
  const path = join(directory, LOG_FILE);
  const log = statusOrNull(files, path) === null ? null : files.open(path, 'read');
  let done = false;
  try {
    const seen = log?.status() ?? null;
    const source: ByteSource =
      log && seen ? refuseShortReads(new FileSource(log, seen.size)) : { size: 0, read: () => new Uint8Array(0) };
    const inputSha256 = yield* hashOf(source);
    const table = yield* scan({ source, crc32 });
    table.link();
    yield* checkPayloads({ source, table });
    done = true;
    return { files, directory, log, seen, source, table, inputSha256, close: () => log?.close() };
  } finally {
    if (!done) log?.close();
  }
}
