import type { View } from '../../core/generation.ts';
import { LENGTH_FIELD_OFFSET, STORE_HEADER_SIZE } from '../../core/record.ts';
import { StateCode } from '../../core/record-table.ts';
import { formatU64 } from '../../core/u64.ts';
import type { RecordState, Row } from '../../shared/protocol.ts';
import type { CollectionState } from './collection.ts';

/** How much of a payload a row shows. */
const PREVIEW_BYTES = 240;

const lenient = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true });

/** Byte range of the payload of a row's store inside the log; null for deletes and gaps. */
export function payloadRange(state: CollectionState, row: number): { from: number; to: number } | null {
  const { table } = state;
  if (table.kind(row) !== 'store') return null;
  const offset = table.offsets[row]!;
  const end = offset + table.length(row);
  const torn = table.verdict(row) === 'torn';
  const from = Math.min(offset + STORE_HEADER_SIZE, end);
  const to = torn || table.isLegacy(row) ? end : end - 4;
  return { from, to: Math.max(from, to) };
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
export function describeRow(state: CollectionState, view: View, row: number): Row {
  const { table, source } = state;
  const kind = table.kind(row);
  const offset = table.offsets[row]!;
  const length = table.length(row);
  const described: Row = {
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
  if (range) described.preview = previewOf(source.read(range.from, Math.min(PREVIEW_BYTES, range.to - range.from)));
  else if (kind === 'gap') described.preview = previewOf(source.read(offset, Math.min(PREVIEW_BYTES, length)));
  return described;
}

/** Text of the first bytes, with nothing torn at the end by the cut itself. */
function previewOf(bytes: Uint8Array): string {
  let end = bytes.length;
  if (end === PREVIEW_BYTES) {
    while (end > PREVIEW_BYTES - 4 && (bytes[end - 1]! & 0xc0) === 0x80) end--;
    if (end > 0 && bytes[end - 1]! >= 0xc0) end--;
  }
  return lenient.decode(bytes.subarray(0, end));
}
