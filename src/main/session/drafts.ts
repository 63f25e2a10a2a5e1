import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { VelescopeError } from '../../shared/errors.ts';
import type { Draft } from '../../shared/protocol.ts';

const storedSchema = z.object({
  format: z.literal(1),
  directory: z.string(),
  drafts: z.array(
    z.object({
      id: z.string(),
      action: z.enum(['store', 'delete']),
      text: z.string().nullable(),
      base: z.object({ offset: z.string(), text: z.string().nullable() }).nullable(),
      changedAt: z.string(),
    }),
  ),
});

/** A draft with the time of its last change, ISO 8601. */
export type KeptDraft = Draft & { changedAt: string };

/**
 * Drafts of one data directory: kept through crashes and restarts, outside the data directory, readable by the user alone.
 * One file a directory, named by the hash of its real path, replaced whole so that a crash leaves the old or the new one.
 */
export class DraftStore {
  readonly #folder: string;
  readonly #path: string;
  readonly #drafts = new Map<string, KeptDraft>();

  constructor(
    settingsDirectory: string,
    private readonly directory: string,
  ) {
    this.#folder = join(settingsDirectory, 'drafts');
    this.#path = join(this.#folder, `${createHash('sha256').update(directory).digest('hex').slice(0, 32)}.json`);
    let text: string;
    try {
      text = readFileSync(this.#path, 'utf8');
    } catch {
      return;
    }
    const parsed = storedSchema.safeParse(tryParse(text));
    if (!parsed.success) {
      // Never overwritten unread: the person's work may still be in it.
      renameSync(this.#path, `${this.#path}.unreadable-${Date.now()}`);
      return;
    }
    for (const draft of parsed.data.drafts) this.#drafts.set(draft.id, draft);
  }

  list(): KeptDraft[] {
    return [...this.#drafts.values()];
  }

  get(id: string): KeptDraft | undefined {
    return this.#drafts.get(id);
  }

  put(drafts: Draft[]): KeptDraft[] {
    const changedAt = new Date().toISOString();
    const kept = drafts.map((draft) => ({ ...draft, changedAt }));
    for (const draft of kept) this.#drafts.set(draft.id, draft);
    this.#save();
    return kept;
  }

  drop(ids: readonly string[]): void {
    for (const id of ids) this.#drafts.delete(id);
    this.#save();
  }

  #save(): void {
    if (this.#drafts.size === 0) {
      rmSync(this.#path, { force: true });
      return;
    }
    const next = `${this.#path}.tmp`;
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      writeFileSync(next, JSON.stringify({ format: 1, directory: this.directory, drafts: this.list() }), {
        mode: 0o600,
      });
      renameSync(next, this.#path);
    } catch (thrown) {
      throw new VelescopeError('IO_ERROR', `The draft could not be kept: ${(thrown as Error).message}`, {
        next: 'Write the change now, or make room on the disk that holds your settings.',
        cause: thrown,
      });
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
