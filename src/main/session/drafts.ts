import { z } from 'zod';
import { VelescopeError } from '../../shared/errors.ts';
import type { Draft } from '../../shared/protocol.ts';
import { KeptFile } from './kept-file.ts';

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
 * Drafts of one data directory, kept through crashes and restarts. All windows on the directory share them: what another one kept or
 * dropped is taken in before anything is done here, so that no window writes over the drafts of another.
 */
export class DraftStore {
  readonly #file: KeptFile<z.infer<typeof storedSchema>>;
  readonly #drafts = new Map<string, KeptDraft>();
  #changedAt = 0;
  #isKept = true;

  /** @param warn is told once when drafts cannot be kept on the disk any more */
  constructor(
    settingsDirectory: string,
    private readonly directory: string,
    private readonly warn: (warning: VelescopeError) => void,
  ) {
    this.#file = new KeptFile(settingsDirectory, 'drafts', directory, storedSchema);
    this.#read();
  }

  list(): KeptDraft[] {
    this.#takeIn();
    return [...this.#drafts.values()];
  }

  get(id: string): KeptDraft | undefined {
    this.#takeIn();
    return this.#drafts.get(id);
  }

  put(drafts: Draft[]): KeptDraft[] {
    this.#takeIn();
    // Later than any before it, also within one millisecond: a window tells by it which texts it has.
    this.#changedAt = Math.max(Date.now(), this.#changedAt + 1);
    const changedAt = new Date(this.#changedAt).toISOString();
    const kept = drafts.map((draft) => ({ ...draft, changedAt }));
    for (const draft of kept) this.#drafts.set(draft.id, draft);
    this.#save();
    return kept;
  }

  drop(ids: readonly string[]): void {
    this.#takeIn();
    for (const id of ids) this.#drafts.delete(id);
    this.#save();
  }

  #takeIn(): void {
    // What could not be kept is only here: the file is older, whoever wrote it.
    if (this.#isKept && this.#file.isChanged()) this.#read();
  }

  #read(): void {
    this.#drafts.clear();
    for (const draft of this.#file.read()?.drafts ?? []) {
      this.#drafts.set(draft.id, draft);
      this.#changedAt = Math.max(this.#changedAt, Date.parse(draft.changedAt) || 0);
    }
  }

  /**
   * A disk that is full must neither stop a draft from being written to the log, which would free it, nor make a write that succeeded
   * look like one that failed: it is said, once, and the drafts hold till the window is closed.
   */
  #save(): void {
    const { directory } = this;
    try {
      const drafts = [...this.#drafts.values()];
      this.#file.write(drafts.length === 0 ? null : { format: 1, directory, drafts });
      this.#isKept = true;
    } catch (thrown) {
      const wasKept = this.#isKept;
      this.#isKept = false;
      if (!wasKept) return;
      const words = `Drafts hold until this window is closed, and could not be kept: ${(thrown as Error).message}`;
      const next = 'Write the changes now, or make room on the disk that holds your settings.';
      this.warn(new VelescopeError('IO_ERROR', words, { next, cause: thrown }));
    }
  }
}
