import { realpathSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { escapeInvisible } from '../../core/visible.ts';
import { type Files, statusOrNull } from '../../main/engine/files.ts';
import { LOCK_FILE } from '../../main/engine/lock.ts';
import { LogPayloadStorage, type Operation } from '../../main/engine/log-payload-storage.ts';
import type { Durability } from '../../main/engine/log-writer.ts';
import { LINE_LIMIT, type LineOperation, readOperation } from '../../main/services/operation-lines.ts';
import { toErrorValue, VelescopeError } from '../../shared/errors.ts';
import { type CommandLine, Exit } from '../command-line.ts';
import { oneCollection, printFailure, reporting } from '../directories.ts';
import { JsonLines } from '../json-lines.ts';
import { splitLines } from '../split-lines.ts';

export interface BatchCommandOptions {
  canonical?: boolean;
  durability: Durability;
  json?: boolean;
}

/** Lines that are at hand are written together, with one sync, up to this many bytes of payload. */
const TOGETHER = 4 << 20;

/** `velescope batch`: applies the operations on standard input, a line each, and prints how many lines were applied. */
export function batchCommand(line: CommandLine, directory: string, options: BatchCommandOptions): Promise<Exit> {
  return reporting(line, directory, options, async () => {
    oneCollection(line, directory, 'batch');
    const storage = LogPayloadStorage.open(whereItsLockIs(line.files, directory), {
      files: line.files,
      durability: options.durability,
      writable: true,
      onWarning: (warning) => line.errors.write(`velescope: ${escapeInvisible(warning.message)}\n`),
    });
    const run = new BatchRun(storage, options.canonical ?? false);
    try {
      if (storage.writingRefusal) throw storage.writingRefusal;
      await run.take(line.input);
      // Accepted lines of durability `none` may fail here, which must not read as applied.
      storage.close();
    } catch (thrown) {
      if (run.applied === 0) throw thrown;
      await printFailure(line, directory, toErrorValue(thrown), options, { applied: run.applied });
      return Exit.failed;
    } finally {
      storage.close();
    }
    const { applied, refused } = run;
    new JsonLines(line.out).line(refused ? { directory, applied, refused } : { directory, applied });
    return refused ? Exit.failed : Exit.done;
  });
}

/**
 * The collection's path under which its database's lock file stands beside it: as given where there is one, else with symbolic
 * links resolved, because a link to a collection leads away from the lock that guards it.
 */
function whereItsLockIs(files: Files, directory: string): string {
  const given = resolve(directory);
  return statusOrNull(files, join(dirname(given), LOCK_FILE)) === null ? realpathSync(given) : given;
}

interface Refused {
  line: number;
  code: string;
  message: string;
}

class BatchRun {
  /** Lines whose work is in the log (or in its buffer, in durability `none`). */
  applied = 0;
  refused: Refused | null = null;
  /** Work of lines read and checked, not yet written. */
  #pending: Operation[] = [];
  #pendingLines = 0;
  #pendingBytes = 0;

  constructor(
    private readonly storage: LogPayloadStorage,
    private readonly canonical: boolean,
  ) {}

  /** Applies line after line, up to the first that is refused. */
  async take(input: AsyncIterable<Uint8Array>): Promise<void> {
    let number = 0;
    try {
      for await (const { lines, more } of splitLines(input, LINE_LIMIT)) {
        for (const line of lines) {
          number++;
          const text = number === 1 ? withoutByteOrderMark(line) : line;
          if (isBlank(text)) continue;
          let operation: LineOperation;
          try {
            operation = readOperation(text, this.canonical);
          } catch (thrown) {
            this.#refuse(number, thrown);
            return;
          }
          this.#apply(operation);
        }
        if (!more) this.#write();
      }
      this.#write();
    } catch (thrown) {
      if (!(thrown instanceof VelescopeError && thrown.code === 'TOO_LARGE')) throw thrown;
      this.#refuse(number + 1, thrown);
    }
  }

  /** Stops the run: what came before stays, and is synced whatever the durability. */
  #refuse(line: number, thrown: unknown): void {
    const { code, message } = toErrorValue(thrown);
    this.#write();
    this.storage.sync();
    this.refused = { line, code, message };
  }

  #apply(operation: LineOperation): void {
    if (operation.type === 'write') {
      this.#pendingLines++;
      for (const one of operation.operations) {
        this.#pending.push(one);
        this.#pendingBytes += one.type === 'store' ? one.payload.length : 0;
      }
      if (this.#pendingBytes >= TOGETHER || this.#pendingLines >= 4096) this.#write();
      return;
    }
    this.#write();
    if (operation.type === 'snapshot') this.storage.createSnapshot();
    else this.storage.flush();
    this.applied++;
  }

  /** Writes what is pending, with one sync. Where that fails none of it is in the log, and none of it counts. */
  #write(): void {
    if (this.#pendingLines === 0) return;
    if (this.#pending.length > 0) this.storage.apply(this.#pending);
    this.applied += this.#pendingLines;
    this.#pending = [];
    this.#pendingLines = 0;
    this.#pendingBytes = 0;
  }
}

/** Some programs begin a file of UTF-8 with a mark that says so; it is no part of the first line. */
function withoutByteOrderMark(line: Uint8Array): Uint8Array {
  return line[0] === 0xef && line[1] === 0xbb && line[2] === 0xbf ? line.subarray(3) : line;
}

function isBlank(line: Uint8Array): boolean {
  return line.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}
