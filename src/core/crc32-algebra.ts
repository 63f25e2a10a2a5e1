/**
 * CRC-32/ISO-HDLC (the CRC of docs/format.md section 1, the one of zlib) as arithmetic instead of as a checksum only.
 *
 * A CRC register is a polynomial over GF(2) modulo P, bit 31 holding the coefficient of x^0 (the "reflected" form), and
 * feeding a zero byte multiplies it by x^8. Everything here follows from that: CRCs of joined and of cut-out ranges, and
 * the walk backwards that finds where an error sits.
 *
 * Convention: `crc32`, `combine` and `crcOfRange` take and return finalised CRCs (what zlib returns, and what a record
 * stores), as numbers 0…2^32-1. `shift`, `unshift`, `shiftByte` and `unshiftByte` work on plain polynomials, for instance
 * on the exclusive or of two CRCs, where the initial and final inversions cancel out.
 */

/** The generator polynomial, reflected. It is primitive: x has the order 2^32-1, which `shift` and `unshift` rely on. */
const POLYNOMIAL = 0xedb88320 | 0;

const SLICES = 16;

/** SLICE[k*256 + b]: what byte b adds to the register when k more bytes follow it in the same step. */
const SLICE = buildSlices();

/** UNSHIFT[t]: the low byte and correction that undo `shiftByte` for a register whose top byte is t. */
const UNSHIFT = buildUnshift();

/** POWER[j*1024 + i*256 + b]: (byte b at place i of a register) times x^(2^j). 128 KiB, about 1 ms to build. */
const POWER = buildPowers();

function timesX(value: number): number {
  return (value >>> 1) ^ (value & 1 ? POLYNOMIAL : 0);
}

function buildSlices(): Int32Array {
  const table = new Int32Array(SLICES * 256);
  for (let byte = 0; byte < 256; byte++) {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = timesX(value);
    table[byte] = value;
  }
  for (let index = 256; index < table.length; index++) {
    const previous = table[index - 256]!;
    table[index] = (previous >>> 8) ^ table[previous & 0xff]!;
  }
  return table;
}

function buildUnshift(): Int32Array {
  const table = new Int32Array(256);
  // The top bytes of the 256 entries are all different, so the top byte of a shifted register names the byte shifted out.
  for (let byte = 0; byte < 256; byte++) table[SLICE[byte]! >>> 24] = (SLICE[byte]! << 8) | byte;
  return table;
}

function buildPowers(): Int32Array {
  const table = new Int32Array(32 * 1024);
  let power = 0x40000000; // x^1
  for (let j = 0; j < 32; j++) {
    let column = power; // power times x^(31-bit), from bit 31 down
    for (let bit = 31; bit >= 0; bit--) {
      table[j * 1024 + (bit >>> 3) * 256 + (1 << (bit & 7))] = column;
      column = timesX(column);
    }
    for (let place = 0; place < 4; place++) {
      const base = j * 1024 + place * 256;
      for (let byte = 1; byte < 256; byte++) {
        const lowest = byte & -byte;
        if (byte !== lowest) table[base + byte] = table[base + lowest]! ^ table[base + (byte ^ lowest)]!;
      }
    }
    power = multiplyByTable(table, j * 1024, power); // the square: x^(2^(j+1))
  }
  return table;
}

function multiplyByTable(table: Int32Array, base: number, value: number): number {
  return (
    table[base + (value & 0xff)]! ^
    table[base + 256 + ((value >>> 8) & 0xff)]! ^
    table[base + 512 + ((value >>> 16) & 0xff)]! ^
    table[base + 768 + (value >>> 24)]!
  );
}

/** value times x^exponent, exponent a u32. At most 32 table steps. */
function timesPower(value: number, exponent: number): number {
  let result = value;
  for (let rest = exponent; rest !== 0; rest &= rest - 1) {
    result = multiplyByTable(POWER, (31 - Math.clz32(rest & -rest)) << 10, result);
  }
  return result;
}

/** 8 * byteCount modulo 2^32-1, the order of x, as an int32. Exact for every safe integer. */
function bitExponent(byteCount: number): number {
  let count = byteCount;
  while (count > 0xffffffff) count = Math.floor(count / 0x100000000) + (count % 0x100000000);
  return (count << 3) | (count >>> 29); // modulo 2^32-1, times eight is a rotation by three
}

/**
 * CRC-32 of bytes[start, end), which continues a CRC when `seed` is the CRC of what comes before:
 * crc32(b, 0, b.length, crc32(a)) is the CRC of a followed by b.
 * @param seed finalised CRC of the preceding bytes; 0 for none.
 * @returns the finalised CRC as a number 0…2^32-1. An empty range returns the seed.
 */
export function crc32(bytes: Uint8Array, start = 0, end: number = bytes.length, seed = 0): number {
  const table = SLICE;
  let register = ~seed;
  let position = start;
  // Sixteen bytes a step: about three times as fast as one byte a step.
  for (const last = end - 16; position <= last; position += 16) {
    register =
      table[3840 + (bytes[position]! ^ (register & 0xff))]! ^
      table[3584 + (bytes[position + 1]! ^ ((register >>> 8) & 0xff))]! ^
      table[3328 + (bytes[position + 2]! ^ ((register >>> 16) & 0xff))]! ^
      table[3072 + (bytes[position + 3]! ^ (register >>> 24))]! ^
      table[2816 + bytes[position + 4]!]! ^
      table[2560 + bytes[position + 5]!]! ^
      table[2304 + bytes[position + 6]!]! ^
      table[2048 + bytes[position + 7]!]! ^
      table[1792 + bytes[position + 8]!]! ^
      table[1536 + bytes[position + 9]!]! ^
      table[1280 + bytes[position + 10]!]! ^
      table[1024 + bytes[position + 11]!]! ^
      table[768 + bytes[position + 12]!]! ^
      table[512 + bytes[position + 13]!]! ^
      table[256 + bytes[position + 14]!]! ^
      table[bytes[position + 15]!]!;
  }
  for (; position < end; position++) register = (register >>> 8) ^ table[(register ^ bytes[position]!) & 0xff]!;
  return ~register >>> 0;
}

/**
 * CRC of A followed by B from their CRCs and the length of B.
 * @param lengthB bytes, 0…2^53-1.
 */
export function combine(crcA: number, crcB: number, lengthB: number): number {
  return (timesPower(crcA, bitExponent(lengthB)) ^ crcB) >>> 0;
}

/**
 * CRC of bytes [a, b) from the CRCs of the prefixes [0, a) and [0, b), without reading a byte.
 * @param length b - a in bytes, 0…2^53-1.
 */
export function crcOfRange(prefixA: number, prefixB: number, length: number): number {
  return (timesPower(prefixA, bitExponent(length)) ^ prefixB) >>> 0;
}

/** The polynomial times x^(8·byteCount): what it becomes when byteCount zero bytes follow. Returns a u32. */
export function shift(polynomial: number, byteCount: number): number {
  return timesPower(polynomial, bitExponent(byteCount)) >>> 0;
}

/** The inverse of `shift`: the polynomial times x^(-8·byteCount). Returns a u32. */
export function unshift(polynomial: number, byteCount: number): number {
  // x^(2^32-1) = 1, so the inverse of a power is the power with the complement as its exponent.
  return timesPower(polynomial, ~bitExponent(byteCount)) >>> 0;
}

/** `shift` by one byte, for loops that walk: one table step. Returns an int32; compare with `| 0` values. */
export function shiftByte(polynomial: number): number {
  return (polynomial >>> 8) ^ SLICE[polynomial & 0xff]!;
}

/** `unshift` by one byte, for loops that walk: one table step. Returns an int32. */
export function unshiftByte(polynomial: number): number {
  return (polynomial << 8) ^ UNSHIFT[polynomial >>> 24]!;
}

/** The polynomial times x^(-1): undoes one bit of shifting. Returns an int32. */
export function unshiftBit(polynomial: number): number {
  return polynomial < 0 || polynomial > 0x7fffffff ? ((polynomial ^ POLYNOMIAL) << 1) | 1 : polynomial << 1;
}
