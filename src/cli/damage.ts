import { explainDamage } from '../core/explain.ts';
import { candidatesOfRow } from '../core/recovery/repairs.ts';
import type { Candidate } from '../core/repair/candidates.ts';
import { isDamage } from '../core/segment.ts';
import type { Verification } from './verification.ts';

/** Bytes in which repairs are looked for, over all damage of a log: about ten seconds. Hostile bytes would ask for hours. */
const CANDIDATE_BUDGET = 256 << 20;

/** One piece of damage, told. */
export interface ToldDamage {
  row: number;
  explanation: string;
  candidates: readonly Candidate[];
}

/**
 * Tells the damage of a log piece by piece, in file order. `skipped` counts the pieces for which no repair was looked for, because the budget
 * was used up.
 */
export class DamageTeller {
  skipped = 0;
  #looked = 0;

  constructor(private readonly verification: Verification) {}

  *pieces(): Generator<ToldDamage> {
    const { table } = this.verification.state;
    for (let row = 0; row < table.rows; row++) if (isDamage(table.verdict(row))) yield this.#tell(row);
  }

  #tell(row: number): ToldDamage {
    const { state } = this.verification;
    const snapshot = state.snapshot.state === 'read' ? state.snapshot.snapshot : null;
    const { explanation, hint } = explainDamage({ source: state.source, table: state.table, snapshot }, row);
    const text = hint ? `${explanation} ${hint}` : explanation;
    return { row, explanation: text, candidates: this.#candidates(row) };
  }

  #candidates(row: number): readonly Candidate[] {
    // What is still being written needs no repair.
    if (row === this.verification.inFlightRow) return [];
    if (this.#looked > CANDIDATE_BUDGET) {
      this.skipped++;
      return [];
    }
    const { table, source } = this.verification.state;
    // Repairs are looked for in what follows as well, which is most of the work for a short record.
    this.#looked += table.length(row) + (64 << 10);
    return candidatesOfRow({ source, table }, row)?.candidates ?? [];
  }
}
