import type { ByteSource } from '../../core/byte-source.ts';
import type { View } from '../../core/generation.ts';
import { jsonReaderOf, POLICIES } from '../../core/generation.ts';
import { checkPayload } from '../../core/json/check.ts';
import { CRC_SIZE, LENGTH_FIELD_OFFSET, STORE_HEADER_SIZE } from '../../core/record.ts';
import { readU32 } from '../../core/u64.ts';
import { crcOfFileRange } from '../../core/window.ts';
import type { Payload, RecordDetail } from '../../shared/protocol.ts';
import { TEXT_LIMIT } from '../../shared/protocol.ts';
import { crc32 } from '../engine/crc32.ts';
import type { CollectionState } from './collection.ts';
import { describeRow, payloadRangeOf, type Shape, shapeOf } from './rows.ts';

const BINARY_LIMIT = 1 << 20;
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Payload text of a store, or null where it is no UTF-8, not a store, or longer than the protocol carries. */
export function payloadText(state: CollectionState, row: number): string | null {
  const payload = readPayload(state.source, shapeOf(state, row));
  return payload?.encoding === 'text' ? payload.text : null;
}

function readPayload(source: ByteSource, shape: Shape): Payload | null {
  const range = payloadRangeOf(shape);
  if (!range) return null;
  const length = range.to - range.from;
  if (length > TEXT_LIMIT) return { encoding: 'large', bytes: length };
  const bytes = source.read(range.from, length);
  try {
    return { encoding: 'text', text: strict.decode(bytes), bytes: length };
  } catch {
    const shown = bytes.subarray(0, BINARY_LIMIT);
    return {
      encoding: 'binary',
      base64: Buffer.from(shown).toString('base64'),
      bytes: length,
      truncated: shown.length < length,
    };
  }
}

/** Everything about one row. */
export function describeRecord(state: CollectionState, view: View, row: number, revision: number): RecordDetail {
  return {
    ...describeRow(state, view, row),
    revision,
    ...describeContent(state.wholeSource, view, shapeOf(state, row)),
  };
}

/** What a segment holds: its payload, what VelesDB makes of it, its CRC, its fields. */
export function describeContent(
  source: ByteSource,
  view: View,
  shape: Shape,
): Pick<RecordDetail, 'payload' | 'check' | 'crc' | 'fields'> {
  const { offset, length, kind, verdict, legacy } = shape;
  const end = offset + length;

  const payload = readPayload(source, shape);
  let check: RecordDetail['check'] = null;
  const range = payloadRangeOf(shape);
  if (range && verdict !== 'torn' && range.to - range.from <= TEXT_LIMIT) {
    const bytes = source.read(range.from, range.to - range.from);
    const checked = checkPayload(bytes, 0, bytes.length, jsonReaderOf(view));
    check = { state: checked.state, message: checked.state === 'ok' ? null : checked.message };
  }

  let crc: RecordDetail['crc'] = null;
  if (kind !== 'gap' && !legacy && verdict !== 'torn') {
    const computed = crcOfFileRange(source, offset, end - CRC_SIZE, crc32);
    const stored = readU32(source.read(end - CRC_SIZE, CRC_SIZE), 0);
    crc = { stored: hex32(stored), computed: hex32(computed), matches: stored === computed };
  }

  return { payload, check, crc, fields: fieldsOf() };

  function fieldsOf(): RecordDetail['fields'] {
    if (kind === 'gap') return [{ name: verdict === 'zero-filled' ? 'zeros' : 'unknown', from: 0, to: length }];
    const fields: RecordDetail['fields'] = [];
    const add = (name: RecordDetail['fields'][number]['name'], from: number, to: number) => {
      if (from < Math.min(to, length)) fields.push({ name, from, to: Math.min(to, length) });
    };
    add('marker', 0, 1);
    add('id', 1, LENGTH_FIELD_OFFSET);
    if (kind === 'store') {
      add('length', LENGTH_FIELD_OFFSET, STORE_HEADER_SIZE);
      add('payload', STORE_HEADER_SIZE, legacy || verdict === 'torn' ? length : length - CRC_SIZE);
    }
    if (!legacy && verdict !== 'torn') add('crc', length - CRC_SIZE, length);
    else if (kind === 'delete' && !legacy) add('crc', LENGTH_FIELD_OFFSET, length);
    return fields;
  }
}

/** Eight upper-case hexadecimal digits. */
export function hex32(value: number): string {
  return value.toString(16).toUpperCase().padStart(8, '0');
}

/** The releases a view speaks for, in words. */
export function releasesOf(view: View): string {
  return view === 'salvage' ? 'everything intact' : `VelesDB ${POLICIES[view].releases}`;
}
