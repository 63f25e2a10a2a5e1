import type { ByteSource } from '../../core/byte-source.ts';
import type { View } from '../../core/generation.ts';
import { CRC_SIZE, LENGTH_FIELD_OFFSET, STORE_HEADER_SIZE } from '../../core/record.ts';
import { StateCode } from '../../core/record-table.ts';
import type { SegmentKind, Verdict } from '../../core/segment.ts';
import { formatU64 } from '../../core/u64.ts';
import type { RecordState, ScannedRow } from '../../shared/protocol.ts';
import type { CollectionState } from './collection.ts';

/** How much of a payload a row shows. */
const PREVIEW_BYTES = 240;

const lenient = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true });

/** What has to be known of a segment to read it; its place is that of a row, or one that a snapshot names. */
export interface Shape {
  offset: number;
  length: number;
  kind: SegmentKind;
  verdict: Verdict;
  legacy: boolean;
}

export function shapeOf({ table }: CollectionState, row: number): Shape {
  return {
    offset: table.offsets[row]!,
    length: table.length(row),
    kind: table.kind(row),
    verdict: table.verdict(row),
    legacy: table.isLegacy(row),
  };
}

/** Byte range of a store's payload inside the log; null for deletes and gaps. */
export function payloadRangeOf({ offset, length, kind, verdict, legacy }: Shape): { from: number; to: number } | null {
  if (kind !== 'store') return null;
  const end = offset + length;
  const from = Math.min(offset + STORE_HEADER_SIZE, end);
  const to = verdict === 'torn' || legacy ? end : end - CRC_SIZE;
  return { from, to: Math.max(from, to) };
}

/** The same of a row. */
export function payloadRange(state: CollectionState, row: number): { from: number; to: number } | null {
  return payloadRangeOf(shapeOf(state, row));
}

/** What a row is in a view: a generation may serve another record of the id, or none. */
export function stateInView(state: CollectionState, view: View, row: number): RecordState {
  const { table } = state;
  const own = table.states[row]!;
  if (own === StateCode.gap) return 'gap';
  const difference = state.difference(view);
  if (difference && table.hasId(row)) {
    const low = table.idLow[row]!;
    const high = table.idHigh[row]!;
    const served = difference.served.find(low, high);
    if (served >= 0) {
      if (difference.served.offsetAt(served) === table.offsets[row]! + LENGTH_FIELD_OFFSET) return 'live';
      if (own === StateCode.live) return 'superseded';
    } else if (own === StateCode.live && difference.absent.find(low, high) >= 0) {
      return 'superseded';
    }
  }
  return table.state(row);
}

/** A row as the window sees it. */
export function describeRow(state: CollectionState, view: View, row: number): ScannedRow {
  const { table, source } = state;
  const kind = table.kind(row);
  const offset = table.offsets[row]!;
  const length = table.length(row);
  const described: ScannedRow = {
    row,
    offset: String(offset),
    length,
    kind,
    verdict: table.verdict(row),
    foundBySearch: table.foundBySearch(row),
    state: stateInView(state, view, row),
    versions: table.versions(row),
    preview: '',
  };
  if (kind !== 'gap') described.format = table.isLegacy(row) ? 'legacy' : 'crc';
  if (table.hasId(row)) {
    const id = formatU64(table.idLow[row]!, table.idHigh[row]!);
    if (kind === 'gap') described.claimedId = id;
    else described.id = id;
  }
  const range = payloadRange(state, row);
  if (range) described.preview = previewOf(source, range.from, range.to);
  else if (kind === 'gap') described.preview = previewOf(source, offset, offset + length);
  return described;
}

/** Text of the first bytes of a range, with nothing torn at the end by the cut itself. */
export function previewOf(source: ByteSource, from: number, to: number): string {
  const bytes = source.read(from, Math.min(PREVIEW_BYTES, to - from));
  let end = bytes.length;
  if (end === PREVIEW_BYTES) {
    while (end > PREVIEW_BYTES - 4 && (bytes[end - 1]! & 0xc0) === 0x80) end--;
    if (end > 0 && bytes[end - 1]! >= 0xc0) end--;
  }
  return lenient.decode(bytes.subarray(0, end));
}
