import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Candidate } from '../../core/repair/candidates.ts';
import { toErrorValue, VelescopeError } from '../../shared/errors.ts';
import { candidatesFor } from './damage.ts';
import { KeptFile } from './kept-file.ts';
import type { Session } from './session.ts';

const storedSchema = z.object({
  format: z.literal(1),
  directory: z.string(),
  /** Where the damage starts in the log, and the SHA-256 of the repaired record. */
  accepted: z.array(z.object({ offset: z.int().min(0), record: z.string() })),
});

/** A candidate that a person accepted for the damage in a row; `index` is its number in the row's list. */
export interface Accepted {
  row: number;
  index: number;
  candidate: Candidate;
}

/**
 * The repair candidates that a person accepted for the recovery of one session's log. What was accepted is kept through a reload of
 * the window and a restart, by offset and by hash of the repaired record: rows have other numbers in another reading of the log, and
 * a candidate counts only while the damaged bytes still lead to exactly that record.
 */
export class AcceptedCandidates {
  readonly #file: KeptFile<z.infer<typeof storedSchema>>;
  /** Hash of the repaired record by offset of the damage, as kept. */
  readonly #kept = new Map<number, string>();
  /** Changes that the disk has not taken. */
  readonly #unkept: ((kept: Map<number, string>) => void)[] = [];
  /** By row, with the place of the damage when it was accepted: a log that grows may give the row to something else. */
  readonly #byRow = new Map<number, Accepted & { offset: number; length: number }>();
  #restoring: Promise<void> | null = null;

  constructor(private readonly session: Session) {
    const { settingsDirectory } = session.options;
    this.#file = new KeptFile(settingsDirectory, 'accepted', session.directory, storedSchema);
    try {
      for (const { offset, record } of this.#file.read()?.accepted ?? []) this.#kept.set(offset, record);
    } catch (thrown) {
      const words = `What was accepted for recovery before could not be read: ${toErrorValue(thrown).message}`;
      session.warn(new VelescopeError('IO_ERROR', words, { cause: thrown }));
    }
  }

  accept(row: number, index: number, candidate: Candidate): void {
    const { table } = this.session.state;
    const offset = table.offsets[row]!;
    this.#byRow.set(row, { row, index, candidate, offset, length: table.length(row) });
    this.#keep((kept) => kept.set(offset, hashOf(candidate)));
  }

  takeBack(row: number): void {
    this.#byRow.delete(row);
    this.#keep((kept) => kept.delete(this.session.state.table.offsets[row]!));
  }

  /** What is accepted for this reading of the log, by row. What was kept from before comes once the log has been read. */
  async list(): Promise<Accepted[]> {
    if (this.session.phase === 'ready') {
      this.#restoring ??= this.#restore();
      await this.#restoring;
    }
    const { table } = this.session.state;
    for (const [row, { offset, length }] of this.#byRow) {
      const same = row < table.rows && table.offsets[row] === offset && table.length(row) === length;
      if (!same || !table.isDamaged(row)) this.#byRow.delete(row);
    }
    return [...this.#byRow.values()].sort((a, b) => a.row - b.row);
  }

  /** The log is read anew: rows get other numbers. What was accepted comes back where the damage is the same. */
  forgetRows(): void {
    this.#byRow.clear();
    this.#restoring = null;
  }

  /** What was accepted is carried out. */
  clear(): void {
    this.forgetRows();
    this.#keep((kept) => kept.clear());
  }

  async #restore(): Promise<void> {
    const { session } = this;
    for (const [offset, record] of [...this.#kept]) {
      await session.breathe();
      // Read anew meanwhile: the next call begins again.
      if (session.phase !== 'ready') {
        this.#restoring = null;
        return;
      }
      const { table } = session.state;
      const row = table.rowStartingAt(offset);
      if (row < 0 || !table.isDamaged(row) || this.#byRow.has(row)) continue;
      const { candidates } = candidatesFor(session.state, row);
      const index = candidates.findIndex((candidate) => hashOf(candidate) === record);
      if (index >= 0) {
        this.#byRow.set(row, { row, index, candidate: candidates[index]!, offset, length: table.length(row) });
      }
    }
  }

  /**
   * Changes what is kept, here and on the disk, where another window may have accepted something too. A person's home that cannot be
   * written to must not keep them from a recovery: it is said, and the acceptance holds till the end.
   */
  #keep(change: (kept: Map<number, string>) => void): void {
    change(this.#kept);
    this.#unkept.push(change);
    try {
      this.#file.update((now) => {
        const kept = new Map((now?.accepted ?? []).map(({ offset, record }) => [offset, record]));
        for (const each of this.#unkept) each(kept);
        const accepted = [...kept].map(([offset, record]) => ({ offset, record }));
        return accepted.length === 0 ? null : { format: 1, directory: this.session.directory, accepted };
      });
      this.#unkept.length = 0;
    } catch (thrown) {
      const { message } = toErrorValue(thrown);
      const words = `What was accepted for recovery holds until this window is closed, and could not be kept: ${message}`;
      this.session.warn(new VelescopeError('IO_ERROR', words, { cause: thrown }));
    }
  }
}

function hashOf({ record }: Candidate): string {
  return createHash('sha256').update(record).digest('hex');
}
