import type { ByteSource } from '../byte-source.ts';
import { acceptedBy, checkPayload, isAccepted } from '../json/check.ts';
import { CRC_SIZE, describeMarker, type RecordFormat, type RecordKind, STORE_HEADER_SIZE } from '../record.ts';
import type { RecordTable } from '../record-table.ts';
import {
  type Candidate,
  type CandidateKind,
  type Candidates,
  type Change,
  findCandidates,
  soleProven,
} from '../repair/candidates.ts';
import type { Verdict } from '../segment.ts';

/** A longer segment is too large to be the damage of one record. */
const LARGEST_SEGMENT = 8 << 20;
/** How far behind the segment a record's true end is looked for. */
export const LOOK_BEHIND = 64 << 10;
/** Above what is ever shown: whether a candidate is the only one can be said only of a complete list. */
const MOST_CANDIDATES = 1024;

/** A record that is in the output and was no row of the scan. */
export interface NewRecord {
  kind: RecordKind;
  format: RecordFormat;
  id: bigint;
  /** Bytes of the record as it is written. */
  length: number;
  /** As a scan of the output will give it, which is the word of the releases up to 7.x. */
  verdict: Verdict;
}

/** A candidate that takes the place of damaged bytes. */
export interface Repair extends NewRecord {
  row: number;
  /** Where the damaged bytes start in the input, and how many the repaired record takes the place of. */
  offset: number;
  consumed: number;
  how: CandidateKind;
  description: string;
  provenByCrc: boolean;
  /** By a person; otherwise it was the only one proven. */
  accepted: boolean;
  /** Relative to the record's start. */
  changes: readonly Change[];
  /** Damaged bytes of the segment behind the repaired record. */
  rest: number;
  /** The releases from 8.0 on answer otherwise about the payload. */
  readersDisagree: boolean;
  /** It is in the output. A candidate behind the cut of `point-in-time`, or superseded in a compacted log, is not. */
  enters: boolean;
}

/** Every candidate for the damage in a row, best first; null where the damage is none of a record, or too large to be one's. */
export function candidatesOfRow(
  options: { source: ByteSource; table: RecordTable; maximumCandidates?: number },
  row: number,
): Candidates | null {
  const { source, table } = options;
  const verdict = table.verdict(row);
  const length = table.length(row);
  if ((verdict !== 'crc-mismatch' && verdict !== 'torn' && verdict !== 'unknown-bytes') || length > LARGEST_SEGMENT) {
    return null;
  }
  const offset = table.offsets[row]!;
  const following: number[] = [];
  for (let next = row + 1; next < table.rows; next++) {
    const distance = table.offsets[next]! - offset;
    if (distance > length + LOOK_BEHIND) break;
    if (!table.isDamaged(next)) following.push(distance);
  }
  return findCandidates({
    bytes: source.read(offset, Math.min(length + LOOK_BEHIND, source.size - offset)).slice(),
    segmentLength: length,
    framingBelieved: verdict === 'crc-mismatch',
    followingRecords: following,
    recordOffset: offset,
    isPayloadJson: isAccepted,
    isPlausibleId: (low, high) => table.newestRow(low, high) >= 0 || high === 0,
    ...(options.maximumCandidates === undefined ? {} : { maximumCandidates: options.maximumCandidates }),
  });
}

/**
 * The candidate that may enter a recovery without a person choosing it; null where none is proven, or a choice is left. A byte
 * put in or taken out is never applied unasked: it moves everything behind it, and many places fit as well.
 */
export function candidateWithoutChoice(source: ByteSource, table: RecordTable, row: number): Candidate | null {
  const found = candidatesOfRow({ source, table, maximumCandidates: MOST_CANDIDATES }, row);
  if (found === null || found.more > 0) return null;
  const only = soleProven(found.candidates);
  if (only === null || only.kind === 'dropped-byte' || only.kind === 'inserted-byte') return null;
  return consumedBy(only) <= table.length(row) ? only : null;
}

/** How many bytes of the log a candidate takes the place of. */
export function consumedBy(candidate: Pick<Candidate, 'length' | 'changes'>): number {
  return candidate.changes.reduce((sum, { before, after }) => sum + before.length - after.length, candidate.length);
}

/** Why a candidate that a person accepted cannot enter, in words; null where it can. */
export function obstacleToCandidate(table: RecordTable, row: number, candidate: Candidate): string | null {
  const offset = table.offsets[row];
  if (offset === undefined || row >= table.rows) return `There is no segment ${row} to repair.`;
  // A record whose CRC holds is intact, whatever its payload.
  if (!table.isDamaged(row) || table.isApplied(row))
    return `The record at offset ${offset} is not damaged; there is nothing to repair.`;
  if (consumedBy(candidate) > table.length(row)) {
    return `The candidate accepted for the damage at offset ${offset} reaches over what is intact behind it.`;
  }
  const described = describeMarker(candidate.record[0]!);
  if (described?.format === 'legacy' && described.kind === 'store' && !candidate.leavesJson) {
    return `The candidate accepted for the damage at offset ${offset} leaves a record without CRC whose payload is not JSON, which nothing would believe.`;
  }
  return null;
}

/** A candidate as part of a plan. */
export function repairBy(table: RecordTable, row: number, candidate: Candidate, accepted: boolean): Repair {
  const consumed = consumedBy(candidate);
  const { kind, format } = describeMarker(candidate.record[0]!)!;
  return {
    row,
    offset: table.offsets[row]!,
    consumed,
    how: candidate.kind,
    description: candidate.description,
    provenByCrc: candidate.provenByCrc,
    accepted,
    changes: candidate.changes,
    rest: table.length(row) - consumed,
    enters: false,
    kind,
    format,
    id: candidate.id,
    length: candidate.length,
    ...payloadAnswers(candidate.record, kind, format),
  };
}

function payloadAnswers(
  record: Uint8Array,
  kind: RecordKind,
  format: RecordFormat,
): Pick<Repair, 'verdict' | 'readersDisagree'> {
  const sound = format === 'legacy' ? 'unprotected' : 'ok';
  if (kind === 'delete') return { verdict: sound, readersDisagree: false };
  const end = record.length - (format === 'legacy' ? 0 : CRC_SIZE);
  const { approximate, exact } = acceptedBy(record, STORE_HEADER_SIZE, end);
  const check = approximate ? null : checkPayload(record, STORE_HEADER_SIZE, end);
  const unread = check?.state === 'not-json' ? 'payload-not-json' : 'payload-unreadable';
  return { verdict: approximate ? sound : unread, readersDisagree: approximate !== exact };
}

/** The repaired record, made of the damaged bytes it takes the place of. */
export function repairedBytes(damaged: Uint8Array, repair: Pick<Repair, 'changes' | 'length'>): Uint8Array {
  const record = new Uint8Array(repair.length);
  let from = 0;
  let to = 0;
  for (const { offset, before, after } of repair.changes) {
    const untouched = damaged.subarray(from, from + offset - to);
    record.set(untouched, to);
    record.set(after, offset);
    from += untouched.length + before.length;
    to = offset + after.length;
  }
  record.set(damaged.subarray(from, from + repair.length - to), to);
  return record;
}
