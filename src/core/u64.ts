/**
 * Ids are unsigned 64-bit integers (docs/format.md, "Data directory"). They are `bigint` at the edges, two u32 halves
 * in columns and loops (a bigint per record would cost an allocation each), and decimal strings on the wire.
 */

export const U64_MAX = 0xffff_ffff_ffff_ffffn;

/** Joins the low and high 32-bit halves (both 0…2^32-1) into one u64. */
export function joinU64(low: number, high: number): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}

/** Low 32 bits of a u64, as an unsigned number. */
export function lowU32(value: bigint): number {
  return Number(value & 0xffff_ffffn);
}

/** High 32 bits of a u64, as an unsigned number. */
export function highU32(value: bigint): number {
  return Number((value >> 32n) & 0xffff_ffffn);
}

/** Reads a decimal u64 without sign, exponent or leading zeros (except "0" itself); null when it is anything else. */
export function parseU64(text: string): bigint | null {
  if (!/^(0|[1-9][0-9]{0,19})$/.test(text)) return null;
  const value = BigInt(text);
  return value <= U64_MAX ? value : null;
}

/** Orders two u64 given as halves: negative, zero or positive. */
export function compareU64(lowA: number, highA: number, lowB: number, highB: number): number {
  return highA !== highB ? highA - highB : lowA - lowB;
}

/** Decimal text of a u64 given as halves; avoids bigint for the common small id. */
export function formatU64(low: number, high: number): string {
  return high === 0
    ? String(low)
    : high < 0x20_0000
      ? String(high * 0x1_0000_0000 + low)
      : joinU64(low, high).toString();
}

/** Little-endian u32 at `at`, unsigned. The caller guarantees four bytes. */
export function readU32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}

/** Writes a little-endian u32. */
export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

/** Little-endian u64 at `at`. */
export function readU64(bytes: Uint8Array, at: number): bigint {
  return joinU64(readU32(bytes, at), readU32(bytes, at + 4));
}

/** Writes a little-endian u64. */
export function writeU64(bytes: Uint8Array, at: number, value: bigint): void {
  writeU32(bytes, at, lowU32(value));
  writeU32(bytes, at + 4, highU32(value));
}
