import { z } from 'zod';
import { VelescopeError } from '../../shared/errors.ts';
import type { Draft } from '../../shared/protocol.ts';
import type { Files } from '../engine/files.ts';
import { followFile } from './following.ts';
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
      document: z.string().optional(),
    }),
  ),
});

/** A draft, and the document of a window that it was made of, where that is known. */
export type MadeDraft = Draft & { document?: string | undefined };

/** A draft with the time of its last change, ISO 8601. */
export type KeptDraft = MadeDraft & { changedAt: string };

/** What to make of the drafts of some ids; null drops one. */
export type DraftChanges = ReadonlyMap<string, MadeDraft | null>;

/** What a change did to one id: the draft before it, and when the one after it was made; null where there was, or is, none. */
export interface DraftStep {
  id: string;
  before: KeptDraft | null;
  after: string | null;
}

/**
 * Drafts of one data directory, kept through crashes and restarts. All windows on the directory share them, whichever process they belong
 * to: a change is made to the drafts as they are kept at that moment, so that no window writes over the drafts of another.
 */
export class DraftStore {
  readonly #file: KeptFile<z.infer<typeof storedSchema>>;
  /** As they were kept when last looked. */
  #kept: ReadonlyMap<string, KeptDraft> = new Map();
  #keptOf: unknown;
  /** What the disk has not taken: it holds here, over what is kept. Null is a draft that was dropped. */
  readonly #unkept = new Map<string, KeptDraft | null>();
  #latest = 0;

  /** @param warn is told once when drafts cannot be kept on the disk any more */
  constructor(
    settingsDirectory: string,
    private readonly directory: string,
    private readonly warn: (warning: VelescopeError) => void,
  ) {
    this.#file = new KeptFile(settingsDirectory, 'drafts', directory, storedSchema, (to) => this.#warnMoved(to));
    try {
      this.#look();
    } catch (thrown) {
      this.#warnUnread(thrown);
    }
  }

  /** Whether the disk has taken all of them. */
  get isKept(): boolean {
    return this.#unkept.size === 0;
  }

  list(): KeptDraft[] {
    return [...this.#all().values()];
  }

  get(id: string): KeptDraft | undefined {
    return this.#all().get(id);
  }

  /** Calls `changed` whenever another process changed the drafts, until the returned function is called. */
  follow(files: Files, changed: () => void): () => void {
    return followFile(files, this.#file.path, () => {
      const before = this.#keptOf;
      try {
        this.#look();
      } catch {
        return;
      }
      if (this.#keptOf !== before) changed();
    });
  }

  put(drafts: readonly MadeDraft[]): KeptDraft[] {
    this.change(() => new Map(drafts.map((draft) => [draft.id, draft])));
    const all = this.#all();
    return drafts.map(({ id }) => all.get(id)!);
  }

  drop(ids: readonly string[]): DraftStep[] {
    return this.change((now) => new Map(ids.filter((id) => now.has(id)).map((id) => [id, null])));
  }

  /** Drops drafts as they were read: one that somebody changed since stays. */
  dropUnchanged(drafts: readonly KeptDraft[]): void {
    const isSame = (now: ReadonlyMap<string, KeptDraft>) => (draft: KeptDraft) =>
      now.get(draft.id)?.changedAt === draft.changedAt;
    this.change((now) => new Map(drafts.filter(isSame(now)).map(({ id }) => [id, null])));
  }

  /**
   * Makes changes that `make` works out from the drafts there are, with nobody else's in between. Returns what was done, for taking it back.
   *
   * A disk that is full must neither stop a draft from being written to the log, which would free it, nor make a write that succeeded
   * look like one that failed: it is said, once, and the drafts hold till the window is closed.
   */
  change(make: (now: ReadonlyMap<string, KeptDraft>) => DraftChanges): DraftStep[] {
    const { directory } = this;
    let steps: DraftStep[] = [];
    const apply = (now: Map<string, KeptDraft>): void => {
      steps = this.#steps(now, make(now));
    };
    try {
      this.#file.update((value) => {
        const now = this.#over(value);
        apply(now);
        return now.size === 0 ? null : { format: 1, directory, drafts: [...now.values()] };
      });
      this.#unkept.clear();
      this.#look();
    } catch (thrown) {
      const wasKept = this.#unkept.size === 0;
      const now = new Map(this.#all());
      apply(now);
      for (const { id } of steps) this.#unkept.set(id, now.get(id) ?? null);
      if (wasKept && steps.length > 0) this.#warnUnkept(thrown);
    }
    return steps;
  }

  /** Applies changes to drafts; each gets its time. */
  #steps(now: Map<string, KeptDraft>, changes: DraftChanges): DraftStep[] {
    // Later than any before it, also within one millisecond: a window tells by it which texts it has.
    for (const draft of now.values()) this.#latest = Math.max(this.#latest, Date.parse(draft.changedAt) || 0);
    this.#latest = Math.max(Date.now(), this.#latest + 1);
    const changedAt = new Date(this.#latest).toISOString();
    const steps: DraftStep[] = [];
    for (const [id, draft] of changes) {
      steps.push({ id, before: now.get(id) ?? null, after: draft && changedAt });
      if (draft) now.set(id, { ...draft, changedAt });
      else now.delete(id);
    }
    return steps;
  }

  #all(): ReadonlyMap<string, KeptDraft> {
    try {
      this.#look();
    } catch {
      // Said when it was opened, or when it could not be written: what was read last is the best there is.
    }
    if (this.#unkept.size === 0) return this.#kept;
    return this.#over({ drafts: [...this.#kept.values()] });
  }

  #look(): void {
    const value = this.#file.read();
    if (value !== null && value === this.#keptOf) return;
    this.#keptOf = value;
    this.#kept = new Map((value?.drafts ?? []).map((draft) => [draft.id, draft]));
  }

  /** What is kept, with what is not kept over it. */
  #over(value: { drafts: readonly KeptDraft[] } | null): Map<string, KeptDraft> {
    const all = new Map((value?.drafts ?? []).map((draft) => [draft.id, draft]));
    for (const [id, draft] of this.#unkept) {
      if (draft) all.set(id, draft);
      else all.delete(id);
    }
    return all;
  }

  #warnUnkept(thrown: unknown): void {
    const words = `Drafts hold until this window is closed, and could not be kept: ${(thrown as Error).message}`;
    const next = 'Write the changes now, or make room on the disk that holds your settings.';
    this.warn(new VelescopeError('IO_ERROR', words, { next, cause: thrown }));
  }

  #warnMoved(to: string): void {
    const words = 'There were drafts of this collection, and their file holds nothing that can be understood.';
    this.warn(new VelescopeError('IO_ERROR', words, { next: `It is kept as ${to}: look into it for what you typed.` }));
  }

  #warnUnread(thrown: unknown): void {
    const words = `There are drafts of this collection, and they could not be read: ${(thrown as Error).message}`;
    const next = 'They are left as they are. Make the file readable and open the collection again.';
    this.warn(new VelescopeError('IO_ERROR', words, { next, cause: thrown }));
  }
}
