/**
 * Where can the error sit, if the CRC is to agree? CRC-32 is linear, so an error of value e at the start of the last d
 * bytes of a record (its stored CRC counted in) changes computed xor stored by e times x^(8(d-4)). Each search here walks
 * once over the bytes with a table step each; none hashes a record again per position. Facts about the layout of a record:
 * docs/format.md section 1. All positions are relative to the record's marker.
 */
import { crc32, shift, shiftByte, unshift, unshiftBit, unshiftByte } from '../crc32-algebra.ts';
import { CRC_SIZE, LENGTH_FIELD_OFFSET, STORE_HEADER_SIZE } from '../record.ts';
import { readU32 } from '../u64.ts';

/** Bytes that would make the CRC agree: `error` is xored in at `position`, low byte first, over `size` bytes. */
export interface AdjacentError {
  position: number;
  error: number;
  size: 1 | 2;
}

/** Another value of the length field under which the CRC agrees, alone or with one wrong byte beside the field. */
export interface LengthError {
  payloadLength: number;
  /** A wrong byte directly before (the id's last) or behind (the first of the payload) the length field. */
  neighbour: { position: number; error: number } | null;
}

/** A byte that is missing before `position`. */
export interface DroppedByte {
  position: number;
  value: number;
}

/**
 * Computed xor stored CRC of the CRC record in bytes[0, recordLength); 0 exactly when the CRC agrees.
 * @param recordLength at least 4, at most bytes.length.
 */
export function syndromeOf(bytes: Uint8Array, recordLength: number): number {
  const end = recordLength - CRC_SIZE;
  return (crc32(bytes, 0, end) ^ readU32(bytes, end)) >>> 0;
}

/**
 * Every single wrong byte and every two adjacent wrong bytes that explain the syndrome, from the end of the record to
 * its start. About 2 ns a byte.
 * @param syndrome of the record, not 0.
 * @param recordLength bytes of the record, stored CRC included.
 */
export function findAdjacentErrors(
  syndrome: number,
  recordLength: number,
  found: (error: AdjacentError) => void,
): void {
  // At the last byte the error has to be moved forward past the three bytes of the stored CRC before it.
  let value = shift(syndrome, CRC_SIZE - 1) | 0;
  for (let position = recordLength - 1; position >= 0; position--) {
    if ((value & 0xffff0000) === 0) {
      if (value <= 0xff) found({ position, error: value, size: 1 });
      // With a zero in the low byte it is the single error at the next position, already reported there.
      else if ((value & 0xff) !== 0 && position < recordLength - 1) found({ position, error: value, size: 2 });
    }
    value = unshiftByte(value);
  }
}

/** As `findAdjacentErrors`, for errors that start at the marker only: no walk. */
export function errorAtMarker(syndrome: number, recordLength: number): AdjacentError | null {
  const value = unshift(syndrome, recordLength - CRC_SIZE);
  if (value > 0xffff || (value & 0xff) === 0) return null;
  return { position: 0, error: value, size: value > 0xff ? 2 : 1 };
}

/**
 * Every payload length, other than the one claimed, under which the bytes are a CRC store whose CRC agrees, whatever the
 * four bytes of the length field were. One pass, about 13 ns a byte: the CRC of each prefix is at hand as the walk goes,
 * and what the changed length field adds to it is kept up step by step, since counting up by one changes two bits of a
 * number on average. (Trying the variants of the field one by one would hash a prefix for each, and find only those
 * variants.)
 * @param bytes from the marker (taken as it is) on; lengths that do not fit into them are not tried.
 */
export function findLengths(bytes: Uint8Array, found: (error: LengthError) => void): void {
  const claimed = readU32(bytes, LENGTH_FIELD_OFFSET) | 0;
  const last = bytes.length - STORE_HEADER_SIZE - CRC_SIZE;
  if (last < 0) return;
  let register = ~crc32(bytes, 0, STORE_HEADER_SIZE);
  let stored = readU32(bytes, STORE_HEADER_SIZE) | 0;
  let expected = shift(claimed, CRC_SIZE) | 0; // what (claimed xor payloadLength) at the length field adds to the CRC
  let lowestBit = shift(1, CRC_SIZE) | 0; // what bit 0 of the length field adds
  for (let payloadLength = 0; ; payloadLength++) {
    const syndrome = ~register ^ stored;
    const difference = claimed ^ payloadLength;
    if (syndrome === expected && difference !== 0) found({ payloadLength, neighbour: null });
    if (difference >>> 8 === 0 || (difference & 0xffffff) === 0) {
      const neighbour = difference === 0 ? null : neighbourOfLength(syndrome, difference, payloadLength);
      if (neighbour !== null) found({ payloadLength, neighbour });
    }
    if (payloadLength === last) return;
    const position = STORE_HEADER_SIZE + payloadLength;
    register = shiftByte(register ^ bytes[position]!);
    stored = (stored >>> 8) | (bytes[position + CRC_SIZE]! << 24);
    expected = shiftByte(expected);
    lowestBit = shiftByte(lowestBit);
    let bit = lowestBit;
    expected ^= bit;
    for (let ones = payloadLength; (ones & 1) === 1; ones >>>= 1) {
      bit = unshiftBit(bit);
      expected ^= bit;
    }
  }
}

/** Two adjacent wrong bytes of which one is an outer byte of the length field. */
function neighbourOfLength(
  syndrome: number,
  difference: number,
  payloadLength: number,
): { position: number; error: number } | null {
  const end = STORE_HEADER_SIZE + payloadLength;
  if (difference >>> 8 === 0) {
    const position = LENGTH_FIELD_OFFSET - 1;
    const value = unshift(syndrome, end - position);
    if (value >>> 8 === difference && (value & 0xff) !== 0) return { position, error: value & 0xff };
  }
  if ((difference & 0xffffff) === 0) {
    const value = unshift(syndrome, end - (STORE_HEADER_SIZE - 1));
    if (value <= 0xffff && (value & 0xff) === difference >>> 24 && value > 0xff) {
      return { position: STORE_HEADER_SIZE, error: value >>> 8 };
    }
  }
  return null;
}

/**
 * Every byte that, put into the record, makes its CRC agree. Two registers walk backwards in step: what the bytes before a
 * position give, and what the bytes behind it need; one byte between them has to bridge the difference. About 5 ns a byte.
 * @param bytes from the marker on.
 * @param presentLength bytes of the record that are there: one less than it had; at least 4.
 */
export function findDroppedBytes(
  bytes: Uint8Array,
  presentLength: number,
  found: (dropped: DroppedByte) => void,
): void {
  if (presentLength < CRC_SIZE) return;
  dropInStoredCrc(bytes, presentLength, found);
  const end = presentLength - CRC_SIZE;
  let given = ~crc32(bytes, 0, end);
  let needed = ~readU32(bytes, end);
  for (let position = end; position >= 0; position--) {
    needed = unshiftByte(needed); // before the missing byte went in, and with it still xored in
    const value = needed ^ given;
    // In front of an equal byte it is the same record as behind that byte, already reported there.
    if ((value & 0xffffff00) === 0 && bytes[position] !== value) found({ position, value });
    if (position === 0) return;
    const byte = bytes[position - 1]!;
    given = unshiftByte(given) ^ byte;
    needed ^= byte;
  }
}

function dropInStoredCrc(bytes: Uint8Array, presentLength: number, found: (dropped: DroppedByte) => void): void {
  const end = presentLength - CRC_SIZE + 1;
  const crc = crc32(bytes, 0, end);
  for (let missing = 0; missing < CRC_SIZE; missing++) {
    const value = (crc >>> (8 * missing)) & 0xff;
    if (missing < CRC_SIZE - 1 && value === ((crc >>> (8 * missing + 8)) & 0xff)) continue;
    let agrees = true;
    for (let index = 0; index < CRC_SIZE - 1; index++) {
      const place = index < missing ? index : index + 1;
      if (bytes[end + index] !== ((crc >>> (8 * place)) & 0xff)) agrees = false;
    }
    if (agrees) found({ position: end + missing, value });
  }
}

/**
 * Every position (from 1) whose byte, taken out, leaves a record whose CRC agrees. About 5 ns a byte.
 * @param bytes from the marker on.
 * @param presentLength bytes there: one more than the record had; at least 5.
 */
export function findInsertedBytes(bytes: Uint8Array, presentLength: number, found: (position: number) => void): void {
  if (presentLength < CRC_SIZE + 1) return;
  insertInStoredCrc(bytes, presentLength, found);
  const end = presentLength - CRC_SIZE;
  let given = ~crc32(bytes, 0, end - 1);
  let needed = ~readU32(bytes, end);
  for (let position = end - 1; position >= 1; position--) {
    if (given === needed && bytes[position] !== bytes[position + 1]) found(position);
    given = unshiftByte(given) ^ bytes[position - 1]!;
    needed = unshiftByte(needed) ^ bytes[position]!;
  }
}

function insertInStoredCrc(bytes: Uint8Array, presentLength: number, found: (position: number) => void): void {
  const end = presentLength - CRC_SIZE - 1;
  const crc = crc32(bytes, 0, end);
  for (let extra = 0; extra <= CRC_SIZE; extra++) {
    // The payload walk covers the byte before the CRC; of equal neighbours the last stands for both.
    if (extra < CRC_SIZE && bytes[end + extra] === bytes[end + extra + 1]) continue;
    let agrees = extra > 0;
    for (let index = 0; index < CRC_SIZE; index++) {
      const place = index < extra ? index : index + 1;
      if (bytes[end + place] !== ((crc >>> (8 * index)) & 0xff)) agrees = false;
    }
    if (agrees) found(end + extra);
  }
}
