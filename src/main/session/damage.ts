import { type ExplainContext, explainDamage, prepareExplaining } from '../../core/explain.ts';
import { GENERATIONS } from '../../core/generation.ts';
import { CRC_SIZE, Marker, STORE_HEADER_SIZE } from '../../core/record.ts';
import { candidatesOfRow } from '../../core/recovery/repairs.ts';
import type { Candidate, Candidates } from '../../core/repair/candidates.ts';
import type { Steps } from '../../core/steps.ts';
import { highU32, lowU32 } from '../../core/u64.ts';
import { VelescopeError } from '../../shared/errors.ts';
import type { CandidateView, Damage, Result } from '../../shared/protocol.ts';
import type { CollectionState } from './collection.ts';
import { describeRow } from './rows.ts';

const lenient = new TextDecoder('utf-8', { fatal: false });

/** Of the possible records inside a piece of damage so many are named: there may be half a million, and nobody reads them. */
const MOST_POSSIBLE = 200;
/** Rows between two steps. */
const STRIDE = 1 << 16;

/** Rows that are damaged, in file order, made anew when the table changed. */
export class DamageList {
  #rows: readonly number[] = [];
  #revision = -1;

  constructor(private readonly state: CollectionState) {}

  /** In steps; of the table as it is when they end. */
  *rows(revision: number): Steps<readonly number[]> {
    if (this.#revision === revision) return this.#rows;
    const rows: number[] = [];
    const { table } = this.state;
    for (let row = 0; row < table.linkedRows; row++) {
      if (table.isDamaged(row)) rows.push(row);
      if (row % STRIDE === 0) yield { done: row, total: table.linkedRows };
    }
    this.#rows = rows;
    this.#revision = revision;
    return rows;
  }
}

function explainContext(state: CollectionState): ExplainContext {
  const snapshot = state.snapshot.state === 'read' ? state.snapshot.snapshot : null;
  return { source: state.wholeSource, table: state.table, snapshot };
}

/** Pieces of damage in words, in steps: one that is long is read for it. */
export function* describeDamages(
  state: CollectionState,
  rows: readonly number[],
  isInFlight: (row: number) => boolean,
): Steps<Damage[]> {
  const { table } = state;
  if (rows.length > 0) yield* prepareExplaining({ ...explainContext(state), source: state.sourceForPass() });
  const described: Damage[] = [];
  for (const row of rows) {
    // Of a log that was read anew, or cut, in between.
    if (table !== state.table || row >= table.linkedRows || !table.isDamaged(row)) break;
    described.push(describeDamage(state, row, isInFlight(row)));
    yield { done: described.length, total: rows.length };
  }
  return described;
}

/** One piece of damage in words. */
function describeDamage(state: CollectionState, row: number, inFlight: boolean): Damage {
  const { table } = state;
  const described = describeRow(state, 'salvage', row);
  const explained = explainDamage(explainContext(state), row);
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
    morePossible: Math.max(0, (table.possible.get(row)?.length ?? 0) - MOST_POSSIBLE),
    possible: (table.possible.get(row)?.first(MOST_POSSIBLE) ?? []).map(({ offset, length, id }) => ({
      offset: String(offset),
      length,
      id: String(id),
    })),
  };
}

/** What could repair a damaged row, best first. Nothing is applied. */
export function candidatesFor(state: CollectionState, row: number): Candidates {
  return candidatesOfRow({ source: state.wholeSource, table: state.table }, row) ?? { candidates: [], more: 0 };
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
