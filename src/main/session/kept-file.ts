import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';

/** How files that are kept of a data directory are named: its path would be too long, and is nobody's business. */
export function keptName(directory: string): string {
  return createHash('sha256').update(directory).digest('hex').slice(0, 32);
}

/**
 * What is kept of one data directory through crashes and restarts: outside the data directory, readable by the user alone. One file
 * a directory, named by the hash of its path, replaced whole so that a crash leaves the old or the new one.
 */
export class KeptFile<Value> {
  readonly #folder: string;
  readonly #path: string;
  /** What tells this version of the file from others, when it was read or written here last. */
  #known = '';

  /** @param kind names the folder in the settings directory */
  constructor(
    settingsDirectory: string,
    kind: string,
    directory: string,
    private readonly schema: z.ZodType<Value>,
  ) {
    this.#folder = join(settingsDirectory, kind);
    this.#path = join(this.#folder, `${keptName(directory)}.json`);
  }

  /** What was kept; null where there is nothing, or nothing that can be read. What cannot be read is moved aside. */
  read(): Value | null {
    this.#known = this.#version();
    let text: string;
    try {
      text = readFileSync(this.#path, 'utf8');
    } catch {
      return null;
    }
    const parsed = this.schema.safeParse(tryParse(text));
    if (parsed.success) return parsed.data;
    // Never overwritten unread: the person's work may still be in it. Where it cannot be moved it cannot be replaced either.
    try {
      renameSync(this.#path, `${this.#path}.unreadable-${Date.now()}`);
    } catch {}
    return null;
  }

  /** Whether another window wrote it since it was read or written here. */
  isChanged(): boolean {
    return this.#version() !== this.#known;
  }

  /** Replaces what is kept; null removes it. Throws what the system says. */
  write(value: Value | null): void {
    if (value === null) {
      rmSync(this.#path, { force: true });
      this.#known = this.#version();
      return;
    }
    // A name of one's own: another window may be at it too.
    const next = `${this.#path}.${randomUUID()}.tmp`;
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    try {
      writeFileSync(next, JSON.stringify(value), { mode: 0o600 });
      renameSync(next, this.#path);
    } catch (thrown) {
      // Half a copy would only take room, which may be what is short.
      rmSync(next, { force: true });
      throw thrown;
    }
    this.#known = this.#version();
  }

  /** It is replaced whole, so its number changes with its content; size and time for systems that give a number again. */
  #version(): string {
    try {
      const { ino, size, mtimeNs } = statSync(this.#path, { bigint: true });
      return `${ino} ${size} ${mtimeNs}`;
    } catch {
      return '';
    }
  }
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
