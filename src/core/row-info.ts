import type { RecordFormat } from './record.ts';
import { type SegmentKind, VERDICTS, type Verdict } from './segment.ts';

/** What a record is in the salvage view. The position is its code in the `states` column. */
export const RECORD_STATES = ['gap', 'live', 'superseded', 'dead', 'damaged'] as const;
export type RecordState = (typeof RECORD_STATES)[number];
export const StateCode = { gap: 0, live: 1, superseded: 2, dead: 3, damaged: 4 } as const;

export const KINDS: readonly SegmentKind[] = ['store', 'delete', 'gap'];
export const KIND_MASK = 0b11;
export const LEGACY_BIT = 1 << 2;
export const VERDICT_SHIFT = 3;
export const VERDICT_MASK = 0b111 << VERDICT_SHIFT;
export const FOUND_BIT = 1 << 6;
export const HAS_ID_BIT = 1 << 7;

export const VerdictCode = Object.fromEntries(VERDICTS.map((verdict, code) => [verdict, code])) as Record<
  Verdict,
  number
>;

/** The `info` byte of a row: kind, format, verdict, found by search, whether it has an id. */
export function encodeInfo(
  kind: SegmentKind,
  format: RecordFormat,
  verdict: Verdict,
  foundBySearch: boolean,
  hasId: boolean,
): number {
  return (
    KINDS.indexOf(kind) |
    (format === 'legacy' ? LEGACY_BIT : 0) |
    (VerdictCode[verdict] << VERDICT_SHIFT) |
    (foundBySearch ? FOUND_BIT : 0) |
    (hasId ? HAS_ID_BIT : 0)
  );
}

/** What an info byte says of a row; for tables over all 256 of them, which is how loops over millions of rows ask. */
export function decodeInfo(info: number): { kind: SegmentKind; legacy: boolean; verdict: Verdict } {
  return {
    kind: KINDS[info & KIND_MASK] ?? 'gap',
    legacy: (info & LEGACY_BIT) !== 0,
    verdict: VERDICTS[(info & VERDICT_MASK) >> VERDICT_SHIFT]!,
  };
}

export const INFO_OK_STORE = encodeInfo('store', 'crc', 'ok', false, true);
export const INFO_OK_DELETE = encodeInfo('delete', 'crc', 'ok', false, true);
export const INFO_FOUND = FOUND_BIT;

/** In `LINKING`: salvage applies such a row (`RecordTable.isApplied`). */
export const APPLIED = 1 << 3;
/** In `LINKING`: such a row is in its id's chain; a gap, or a record cut before its id was whole, is in none. */
export const CHAINED = 1 << 4;
export const STATE_MASK = 0b111;

function isApplied(info: number): boolean {
  if ((info & KIND_MASK) === 2) return false;
  switch (VERDICTS[(info & VERDICT_MASK) >> VERDICT_SHIFT]) {
    case 'ok':
    case 'unprotected':
    case 'payload-unreadable':
      return true;
    case 'payload-not-json':
      return (info & LEGACY_BIT) === 0;
    default:
      return false;
  }
}

/** For every info byte, what linking makes of such a row: its first state, whether it is in a chain, whether it is applied. */
export const LINKING = Uint8Array.from({ length: 256 }, (_, info) => {
  const kind = info & KIND_MASK;
  if (kind === 2) return StateCode.gap;
  if ((info & HAS_ID_BIT) === 0) return StateCode.damaged | (isApplied(info) ? APPLIED : 0);
  if (!isApplied(info)) return StateCode.damaged | CHAINED;
  return (kind === 0 ? StateCode.live : StateCode.dead) | CHAINED | APPLIED;
});
