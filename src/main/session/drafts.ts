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

/** Drafts of one data directory, kept through crashes and restarts. */
export class DraftStore {
  readonly #file: KeptFile<z.infer<typeof storedSchema>>;
  readonly #drafts = new Map<string, KeptDraft>();
  #changedAt = 0;

  constructor(
    settingsDirectory: string,
    private readonly directory: string,
  ) {
    this.#file = new KeptFile(settingsDirectory, 'drafts', directory, storedSchema);
    for (const draft of this.#file.read()?.drafts ?? []) this.#drafts.set(draft.id, draft);
  }

  list(): KeptDraft[] {
    return [...this.#drafts.values()];
  }

  get(id: string): KeptDraft | undefined {
    return this.#drafts.get(id);
  }

  put(drafts: Draft[]): KeptDraft[] {
    // Later than any before it, also within one millisecond: a window tells by it which texts it has.
    this.#changedAt = Math.max(Date.now(), this.#changedAt + 1);
    const changedAt = new Date(this.#changedAt).toISOString();
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
    const { directory } = this;
    try {
      this.#file.write(this.#drafts.size === 0 ? null : { format: 1, directory, drafts: this.list() });
    } catch (thrown) {
      throw new VelescopeError('IO_ERROR', `The draft could not be kept: ${(thrown as Error).message}`, {
        next: 'Write the change now, or make room on the disk that holds your settings.',
        cause: thrown,
      });
    }
  }
}
