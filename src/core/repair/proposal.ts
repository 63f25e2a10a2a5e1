import {
  CRC_DELETE_SIZE,
  CRC_SIZE,
  CRC_STORE_OVERHEAD,
  LENGTH_FIELD_OFFSET,
  Marker,
  STORE_HEADER_SIZE,
} from '../record.ts';

/** What kind of damage a candidate undoes. A wrong marker or length is named so whatever its size in bits. */
export type CandidateKind =
  | 'bit-flip'
  | 'byte'
  | 'two-bytes'
  | 'length'
  | 'marker'
  | 'stored-crc'
  | 'dropped-byte'
  | 'inserted-byte';

/** Bytes to replace: `before` stands at `offset` (relative to the record's start) and becomes `after`. */
export interface Change {
  offset: number;
  /** Empty where a missing byte is put in. */
  before: Uint8Array;
  /** Empty where a byte too many is taken out. */
  after: Uint8Array;
}

/** A repair that fits, before it is known whether it leaves JSON: no bytes of the record are copied for it. */
export interface Proposal {
  kind: CandidateKind;
  change: Change;
  /** Bytes of the repaired record. */
  length: number;
  provenByCrc: boolean;
  expectedByAccident: number;
}

/** A copy of bytes[start, end). Not `slice`: on a Node Buffer that is a view, and writing into it would change the log's bytes. */
export function copyOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return new Uint8Array(bytes.subarray(start, end));
}

/** Cuts equal bytes off both ends of a replacement, so that a change names only what changes. */
export function replacement(bytes: Uint8Array, offset: number, after: Uint8Array): Change {
  let start = 0;
  let end = after.length;
  while (start < end && bytes[offset + start] === after[start]) start++;
  while (end > start && bytes[offset + end - 1] === after[end - 1]) end--;
  return {
    offset: offset + start,
    before: copyOf(bytes, offset + start, offset + end),
    after: copyOf(after, start, end),
  };
}

/** One byte of the repaired record; undefined beyond the bytes at hand. */
export function repairedByte(bytes: Uint8Array, change: Change, index: number): number | undefined {
  if (index < change.offset) return bytes[index];
  if (index < change.offset + change.after.length) return change.after[index - change.offset];
  return bytes[index - change.after.length + change.before.length];
}

/** The repaired record, as a copy. */
export function repairedRecord(bytes: Uint8Array, proposal: Pick<Proposal, 'change' | 'length'>): Uint8Array {
  const { change, length } = proposal;
  const record = new Uint8Array(length);
  record.set(bytes.subarray(0, Math.min(change.offset, length)));
  record.set(change.after, change.offset);
  const rest = change.offset + change.after.length;
  const source = change.offset + change.before.length;
  record.set(bytes.subarray(source, source + length - rest), rest);
  return record;
}

/** Four bytes of the repaired record as a little-endian u32. */
export function repairedU32(bytes: Uint8Array, change: Change, index: number): number {
  let value = 0;
  for (let place = 3; place >= 0; place--) value = value * 256 + (repairedByte(bytes, change, index + place) ?? 0);
  return value;
}

/** Whether the repaired bytes frame exactly the record they are taken for: a CRC store or delete of that length. */
export function isFramed(bytes: Uint8Array, change: Change, length: number): boolean {
  const marker = repairedByte(bytes, change, 0);
  if (marker === Marker.crcDelete) return length === CRC_DELETE_SIZE;
  if (marker !== Marker.crcStore || length < CRC_STORE_OVERHEAD) return false;
  return repairedU32(bytes, change, LENGTH_FIELD_OFFSET) === length - CRC_STORE_OVERHEAD;
}

/** Payload range of the repaired record, or null for a delete. */
export function payloadRange(
  bytes: Uint8Array,
  proposal: Pick<Proposal, 'change' | 'length'>,
): { start: number; end: number } | null {
  const marker = repairedByte(bytes, proposal.change, 0);
  if (marker === Marker.crcStore) return { start: STORE_HEADER_SIZE, end: proposal.length - CRC_SIZE };
  if (marker === Marker.legacyStore) return { start: STORE_HEADER_SIZE, end: proposal.length };
  return null;
}

/**
 * A few bytes' look at whether the payload can be JSON: its first and last byte, and the changed bytes with their
 * neighbours (control characters, broken UTF-8). It spares the full check for most repairs that fit by accident and never
 * turns down valid JSON (RFC 8259 sections 2, 7 and 8.1).
 */
export function mayLeaveJson(bytes: Uint8Array, proposal: Pick<Proposal, 'change' | 'length'>): boolean {
  const range = payloadRange(bytes, proposal);
  if (range === null) return true;
  const { start, end } = range;
  if (end <= start) return false;
  const at = (index: number): number => repairedByte(bytes, proposal.change, index) ?? 0;
  if (!canBegin(at(start)) || !canEnd(at(end - 1))) return false;
  const { offset, after } = proposal.change;
  for (let index = Math.max(start, offset - 1); index < Math.min(end, offset + after.length + 1); index++) {
    if (!isLegal(at(index))) return false;
    if (index + 1 < end && !mayFollow(at(index), at(index + 1))) return false;
  }
  return true;
}

function isWhiteSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** White space, `{ [ " -`, a digit, or the first letter of true, false, null. */
function canBegin(byte: number): boolean {
  return isWhiteSpace(byte) || isDigit(byte) || [0x7b, 0x5b, 0x22, 0x2d, 0x74, 0x66, 0x6e].includes(byte);
}

/** White space, `} ] "`, a digit, or the last letter of true, false, null. */
function canEnd(byte: number): boolean {
  return isWhiteSpace(byte) || isDigit(byte) || [0x7d, 0x5d, 0x22, 0x65, 0x6c].includes(byte);
}

/** A byte that can stand anywhere in JSON text as UTF-8. */
function isLegal(byte: number): boolean {
  return byte < 0x80 ? byte >= 0x20 || isWhiteSpace(byte) : byte !== 0xc0 && byte !== 0xc1 && byte <= 0xf4;
}

/** Whether UTF-8 allows the second byte behind the first. */
function mayFollow(first: number, second: number): boolean {
  const continues = second >= 0x80 && second <= 0xbf;
  if (first < 0x80) return !continues;
  return first < 0xc0 || continues;
}
