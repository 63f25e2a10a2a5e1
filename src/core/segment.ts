import type { RecordFormat, RecordKind } from './record.ts';

/** What is known of a segment; a closed list (docs/contract.md, "Segments"). The position is its code in columns. */
export const VERDICTS = [
  'ok',
  'unprotected',
  'crc-mismatch',
  'payload-not-json',
  'payload-unreadable',
  'torn',
  'zero-filled',
  'unknown-bytes',
] as const;
export type Verdict = (typeof VERDICTS)[number];

export type SegmentKind = RecordKind | 'gap';

/** A byte range of the log. Segments tile the file: every byte is in exactly one. */
export interface Segment {
  offset: number;
  length: number;
  kind: SegmentKind;
  format?: RecordFormat;
  /** The id of a record, or the one a CRC-failed or torn record claims. */
  id?: bigint;
  /** The id that unbelieved bytes claim to belong to. */
  claimedId?: bigint;
  verdict: Verdict;
  /** Reached by searching after damage, not by following lengths. */
  foundBySearch: boolean;
}

/** A CRC-valid record inside the extent of a damaged one, not certain enough to be believed: listed, never applied. */
export interface PossibleRecord {
  offset: number;
  length: number;
  id: bigint;
}

/** Every verdict but `ok` and `unprotected` is damage. */
export function isDamage(verdict: Verdict): boolean {
  return verdict !== 'ok' && verdict !== 'unprotected';
}

/** Whether a segment counts as a record: torn ones and gaps do not. */
export function isRecord(segment: Pick<Segment, 'kind' | 'verdict'>): boolean {
  return segment.kind !== 'gap' && segment.verdict !== 'torn';
}
