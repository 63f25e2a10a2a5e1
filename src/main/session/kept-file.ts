import { createHash, randomUUID } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';
import { VelescopeError } from '../../shared/errors.ts';
import { systemCode } from '../engine/files.ts';
import { tryLockDescriptor } from '../engine/flock.ts';
import { nodeFiles } from '../engine/node-files.ts';
import { tryParse } from './try-parse.ts';

/** Whoever holds the lock reads and writes one file; one that takes longer is stopped or hangs. */
const LOCK_PATIENCE_MILLISECONDS = 5_000;
const LOCK_PAUSE_MILLISECONDS = 2;
/** One for the folder: it stays, empty, and the lock of a file that is removed meanwhile would guard nothing. */
const LOCK_NAME = 'lock';

/** How files that are kept of a data directory are named: its path would be too long, and is nobody's business. */
export function keptName(directory: string): string {
  return createHash('sha256').update(directory).digest('hex').slice(0, 32);
}

/**
 * What is kept of one data directory through crashes and restarts: outside the data directory, readable by the user alone. One file
 * a directory, named by the hash of its path, replaced whole so that a crash leaves the old or the new one. All processes that work on the
 * directory share it: a change is made under the system's lock of a file beside it, which ends with its holder, however that ends.
 *
 * Rejected: a lock that is a file's existence (after a kill somebody has to guess whether it is stale), a file for each draft (an import
 * would make thousands), a journal (shortening it needs a lock again).
 */
export class KeptFile<Value> {
  readonly #folder: string;
  readonly #base: string;
  /** What tells this version of the file from others, when it was read or written here last; null before. */
  #known: string | null = null;
  #value: Value | null = null;

  /**
   * @param kind names the folder in the settings directory
   * @param onMovedAside is told where a file went that could not be understood
   */
  constructor(
    settingsDirectory: string,
    kind: string,
    directory: string,
    private readonly schema: z.ZodType<Value>,
    private readonly onMovedAside: (to: string) => void = () => {},
  ) {
    this.#folder = join(settingsDirectory, kind);
    this.#base = join(this.#folder, keptName(directory));
  }

  /** Where it is. */
  get path(): string {
    return `${this.#base}.json`;
  }

  /**
   * What is kept now; the same object as long as nobody changed it. Null where there is nothing, or nothing that can be understood, which is
   * moved aside. Throws what the system says where there is something and it cannot be read.
   */
  read(): Value | null {
    const version = this.#version();
    if (version === this.#known) return this.#value;
    let text: string | null = null;
    try {
      text = readFileSync(this.path, 'utf8');
    } catch (thrown) {
      const code = systemCode(thrown);
      if (code !== 'ENOENT' && code !== 'ENOTDIR') throw thrown;
    }
    const parsed = text === null ? null : this.schema.safeParse(tryParse(text));
    // Never overwritten unread: the person's work may still be in it.
    if (parsed && !parsed.success) {
      const aside = `${this.path}.unreadable-${Date.now()}`;
      renameSync(this.path, aside);
      this.onMovedAside(aside);
    }
    this.#value = parsed?.success ? parsed.data : null;
    this.#known = parsed && !parsed.success ? null : version;
    return this.#value;
  }

  /**
   * Replaces what is kept by what `change` makes of it, while nobody else can; null removes it. Throws what the system says, and then
   * nothing changed.
   */
  update(change: (now: Value | null) => Value | null): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const lock = openSync(join(this.#folder, LOCK_NAME), 'a', 0o600);
    try {
      const isLocked = waitForLock(lock);
      this.#write(change(this.read()), isLocked);
    } finally {
      closeSync(lock);
    }
  }

  #write(value: Value | null, isLocked: boolean): void {
    if (value === null) rmSync(this.path, { force: true });
    else {
      // Under the lock one name is enough, and what a kill left of it is written over. Without it others may be at it too.
      const next = isLocked ? `${this.#base}.tmp` : `${this.#base}.${randomUUID()}.tmp`;
      try {
        const file = openSync(next, 'w', 0o600);
        try {
          writeFileSync(file, JSON.stringify(value));
          // Else the name may outlive a power failure, and the content not.
          fsyncSync(file);
        } finally {
          closeSync(file);
        }
        renameSync(next, this.path);
        syncName(this.#folder);
      } catch (thrown) {
        // Half a copy would only take room, which may be what is short.
        rmSync(next, { force: true });
        throw thrown;
      }
    }
    this.#known = this.#version();
    this.#value = value;
  }

  /** It is replaced whole, so its number changes with its content; size and time for systems that give a number again. */
  #version(): string {
    try {
      const { ino, size, mtimeNs } = statSync(this.path, { bigint: true });
      return `${ino} ${size} ${mtimeNs}`;
    } catch {
      return '';
    }
  }
}

/** Takes the lock, waiting for whoever has it. False where the system has none to give: then changes at the same moment may collide. */
function waitForLock(descriptor: number): boolean {
  const until = Date.now() + LOCK_PATIENCE_MILLISECONDS;
  for (;;) {
    try {
      if (tryLockDescriptor(descriptor, true)) return true;
    } catch {
      return false;
    }
    if (Date.now() > until) {
      throw new VelescopeError('LOCK_HELD', 'another Velescope has kept its settings locked for some seconds');
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOCK_PAUSE_MILLISECONDS);
  }
}

/** After it a power failure leaves the new file under its name; where the system cannot promise that, it leaves one of the two. */
function syncName(folder: string): void {
  try {
    nodeFiles.syncDirectory(folder);
  } catch {
    // The rename is done, which is what was asked for.
  }
}
