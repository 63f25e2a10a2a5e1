import { explainDamage } from '../../core/explain.ts';
import { GENERATIONS } from '../../core/generation.ts';
import { CRC_SIZE, Marker, STORE_HEADER_SIZE } from '../../core/record.ts';
import { candidatesOfRow } from '../../core/recovery/repairs.ts';
import type { Candidate, Candidates } from '../../core/repair/candidates.ts';
import { highU32, lowU32 } from '../../core/u64.ts';
import { VelescopeError } from '../../shared/errors.ts';
import type { CandidateView, Damage, Result } from '../../shared/protocol.ts';
import type { CollectionState } from './collection.ts';
import { describeRow } from './rows.ts';

const lenient = new TextDecoder('utf-8', { fatal: false });

/** Rows that are damaged, in file order, made anew when the table changed. */
export class DamageList {
  #rows: number[] = [];
  #revision = -1;

  constructor(private readonly state: CollectionState) {}

  rows(revision: number): readonly number[] {
    if (this.#revision !== revision) {
      this.#rows = [];
      const { table } = this.state;
      for (let row = 0; row < table.linkedRows; row++) if (table.isDamaged(row)) this.#rows.push(row);
      this.#revision = revision;
    }
    return this.#rows;
  }
}

/** One piece of damage in words. */
export function describeDamage(state: CollectionState, row: number, inFlight: boolean): Damage {
  const { table } = state;
  const described = describeRow(state, 'salvage', row);
  const explained = explainDamage(
    { source: state.source, table, snapshot: state.snapshot.state === 'read' ? state.snapshot.snapshot : null },
    row,
  );
  return {
    row,
    offset: described.offset,
    length: described.length,
    verdict: described.verdict,
    kind: described.kind,
    ...(described.id === undefined ? {} : { id: described.id }),
    ...(described.claimedId === undefined ? {} : { claimedId: described.claimedId }),
    foundBySearch: described.foundBySearch,
    inFlight,
    title: explained.title,
    explanation: explained.explanation,
    hint: explained.hint,
    consequences: GENERATIONS.map((generation) => ({
      generation,
      text: explained.consequences.find((entry) => entry.generation === generation)?.text ?? '',
    })),
    possible: (table.possible.get(row) ?? []).map(({ offset, length, id }) => ({
      offset: String(offset),
      length,
      id: String(id),
    })),
  };
}

/** What could repair a damaged row, best first. Nothing is applied. */
export function candidatesFor(state: CollectionState, row: number): Candidates {
  return candidatesOfRow({ source: state.source, table: state.table }, row) ?? { candidates: [], more: 0 };
}

export function describeCandidates(state: CollectionState, row: number): Result<'damage.candidates'> {
  const { candidates, more } = candidatesFor(state, row);
  return { candidates: candidates.map((candidate, index) => describeCandidate(state, row, candidate, index)), more };
}

function describeCandidate(state: CollectionState, row: number, candidate: Candidate, index: number): CandidateView {
  const low = lowU32(candidate.id);
  const high = highU32(candidate.id);
  return {
    index,
    kind: candidate.kind,
    description: candidate.description,
    provenByCrc: candidate.provenByCrc,
    leavesJson: candidate.leavesJson,
    changes: candidate.changes.map(({ offset, before, after }) => ({
      offset,
      before: Buffer.from(before).toString('hex'),
      after: Buffer.from(after).toString('hex'),
    })),
    id: String(candidate.id),
    length: candidate.length,
    preview: lenient.decode(payloadOf(candidate.record).subarray(0, 4096)),
    mayBecomeDraft: candidate.leavesJson && candidate.provenByCrc && !state.table.hasIntactAfter(row, low, high),
  };
}

function payloadOf(record: Uint8Array): Uint8Array {
  return record[0] === Marker.crcStore ? record.subarray(STORE_HEADER_SIZE, record.length - CRC_SIZE) : NO_BYTES;
}
const NO_BYTES = new Uint8Array(0);

/** The candidate of a damaged row by its number. */
export function candidateAt(state: CollectionState, row: number, index: number): Candidate {
  const candidate = candidatesFor(state, row).candidates[index];
  if (!candidate) throw new VelescopeError('NO_SUCH_RECORD', `There is no candidate ${index} for row ${row}.`);
  return candidate;
}
