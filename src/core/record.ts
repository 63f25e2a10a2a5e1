import { readU32, writeU32, writeU64 } from './u64.ts';

/** Record grammar of `payloads.log` (docs/format.md, "Record grammar"). All integers are little endian. */
export const Marker = {
  crcStore: 0xc3,
  crcDelete: 0xc4,
  legacyStore: 0x01,
  legacyDelete: 0x02,
} as const;

/** The index stores the offset of the length field, which is this far behind the marker in every format. */
export const LENGTH_FIELD_OFFSET = 9;
/** Marker, id and length of a store. */
export const STORE_HEADER_SIZE = 13;
export const CRC_SIZE = 4;
export const CRC_STORE_OVERHEAD = STORE_HEADER_SIZE + CRC_SIZE;
export const CRC_DELETE_SIZE = 13;
export const LEGACY_DELETE_SIZE = 9;
export const MAX_PAYLOAD_LENGTH = 0xffff_ffff;

export type RecordKind = 'store' | 'delete';
export type RecordFormat = 'crc' | 'legacy';

/** Kind and format a marker byte announces; null for a byte that is no marker. */
export function describeMarker(marker: number): { kind: RecordKind; format: RecordFormat } | null {
  switch (marker) {
    case Marker.crcStore:
      return { kind: 'store', format: 'crc' };
    case Marker.crcDelete:
      return { kind: 'delete', format: 'crc' };
    case Marker.legacyStore:
      return { kind: 'store', format: 'legacy' };
    case Marker.legacyDelete:
      return { kind: 'delete', format: 'legacy' };
    default:
      return null;
  }
}

/** CRC-32/ISO-HDLC of `bytes`, continuing from `seed` (a finalised CRC; 0 to start). Result is unsigned. */
export type Crc32 = (bytes: Uint8Array, seed?: number) => number;

/** A CRC store record for `payload`, CRC over every preceding byte. The caller guarantees the payload length fits u32. */
export function encodeStore(id: bigint, payload: Uint8Array, crc32: Crc32): Uint8Array {
  const record = new Uint8Array(CRC_STORE_OVERHEAD + payload.length);
  record[0] = Marker.crcStore;
  writeU64(record, 1, id);
  writeU32(record, LENGTH_FIELD_OFFSET, payload.length);
  record.set(payload, STORE_HEADER_SIZE);
  const end = STORE_HEADER_SIZE + payload.length;
  writeU32(record, end, crc32(record.subarray(0, end)));
  return record;
}

/** A CRC delete record (13 bytes). */
export function encodeDelete(id: bigint, crc32: Crc32): Uint8Array {
  const record = new Uint8Array(CRC_DELETE_SIZE);
  record[0] = Marker.crcDelete;
  writeU64(record, 1, id);
  writeU32(record, 9, crc32(record.subarray(0, 9)));
  return record;
}

/** A legacy store record (no CRC): written by VelesDB up to 1.5.1; Velescope writes none, fixtures do. */
export function encodeLegacyStore(id: bigint, payload: Uint8Array): Uint8Array {
  const record = new Uint8Array(STORE_HEADER_SIZE + payload.length);
  record[0] = Marker.legacyStore;
  writeU64(record, 1, id);
  writeU32(record, LENGTH_FIELD_OFFSET, payload.length);
  record.set(payload, STORE_HEADER_SIZE);
  return record;
}

/** A legacy delete record (9 bytes, no CRC). */
export function encodeLegacyDelete(id: bigint): Uint8Array {
  const record = new Uint8Array(LEGACY_DELETE_SIZE);
  record[0] = Marker.legacyDelete;
  writeU64(record, 1, id);
  return record;
}

/** Stored CRC of a whole CRC record: its last four bytes. */
export function storedCrc(record: Uint8Array): number {
  return readU32(record, record.length - CRC_SIZE);
}
