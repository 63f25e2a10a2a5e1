/**
 * Numbers as VelesDB reads and prints them (docs/format.md, section 6).
 *
 * Up to 7.x VelesDB parses floats approximately: up to 64 bits of significand, one conversion to a double, one multiplication or
 * division by a power of ten. `Number(text)` rounds correctly and so gives other last digits; it cannot stand in for that. From 8.0
 * on VelesDB rounds correctly too. The two readers also disagree about which numbers next to the largest double are out of range.
 *
 * Every function takes a complete number token by the JSON grammar; none checks it again.
 */

/** How a generation reads floats. What callers do not say is `approximate`, the reader of every release up to 7.x. */
export type JsonReader = 'approximate' | 'exact';

const ZERO = 0x30;
const MINUS = 0x2d;
const PLUS = 0x2b;
const POINT = 0x2e;
const UPPER_E = 0x45;
const LOWER_E = 0x65;

const U64_MAX = 0xffff_ffff_ffff_ffffn;
const I64_MAGNITUDE_MAX = 0x8000_0000_0000_0000n;
const I32_MAX = 0x7fff_ffff;
const I32_MIN = -0x8000_0000;

/** 1e0 to 1e308. Literals are correctly rounded by every engine, as they are in VelesDB's table; repeated products would not be. */
const POWERS_OF_TEN = Float64Array.from({ length: 309 }, (_, exponent) => Number(`1e${exponent}`));

/** A significand that grows digit by digit for as long as it fits 64 bits; plain numbers below 2^53, BigInt only beyond. */
class Significand {
  #small = 0;
  #big: bigint | null = null;

  /** Appends a digit; false, and nothing changed, when the result would pass 2^64 - 1. */
  push(digit: number): boolean {
    if (this.#big === null) {
      const next = this.#small * 10 + digit;
      if (next <= Number.MAX_SAFE_INTEGER) {
        this.#small = next;
        return true;
      }
    }
    const next = (this.#big ?? BigInt(this.#small)) * 10n + BigInt(digit);
    if (next > U64_MAX) return false;
    this.#big = next;
    return true;
  }

  /** The nearest double, ties to even: the rounding of BigInt to Number is that of a u64 cast. */
  toNumber(): number {
    return this.#big === null ? this.#small : Number(this.#big);
  }
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

/**
 * The double VelesDB makes of a number token.
 *
 * @param bytes UTF-8 text; `start` and `end` bound one number token
 * @returns the double, or Infinity (of either sign) where VelesDB answers "number out of range"
 */
export function readFloat(bytes: Uint8Array, start: number, end: number, reader: JsonReader = 'approximate'): number {
  return reader === 'exact' ? readExactly(bytes, start, end) : readApproximately(bytes, start, end);
}

/** No double lies on the middle between two others beyond its 767th digit, so that further ones only say whether anything follows. */
const TELLING_DIGITS = 800;

/** The nearest double, ties to even. */
function readExactly(bytes: Uint8Array, start: number, end: number): number {
  if (end - start <= TELLING_DIGITS) return Number(asciiText(bytes, start, end));
  // A payload may hold a number longer than the longest string; its first digits and what they are worth decide.
  let index = start;
  if (bytes[index] === MINUS) index++;
  let digits = '';
  let exponent = 0;
  let rest = false;
  let inFraction = false;
  for (; index < end; index++) {
    const byte = bytes[index]!;
    if (byte === POINT) {
      inFraction = true;
      continue;
    }
    if (!isDigit(byte)) break;
    if (digits.length < TELLING_DIGITS) {
      if (digits !== '' || byte !== ZERO) digits += String.fromCharCode(byte);
      if (inFraction) exponent--;
    } else {
      rest = rest || byte !== ZERO;
      if (!inFraction) exponent++;
    }
  }
  if (digits === '') return bytes[start] === MINUS ? -0 : 0;
  let written = 0;
  if (index < end) {
    index++;
    const exponentSign = bytes[index] === MINUS ? -1 : 1;
    for (; index < end; index++) if (isDigit(bytes[index])) written = written * 10 + (bytes[index]! - ZERO);
    written *= exponentSign;
  }
  const value = Number(
    `${digits}${rest ? '1' : ''}e${Math.min(1e15, Math.max(-1e15, exponent + written)) - (rest ? 1 : 0)}`,
  );
  return bytes[start] === MINUS ? -value : value;
}

function readApproximately(bytes: Uint8Array, start: number, end: number): number {
  let index = start;
  const sign = bytes[index] === MINUS ? -1 : 1;
  if (sign < 0) index++;

  const significand = new Significand();
  let exponent = 0;
  let full = false;
  for (; index < end && isDigit(bytes[index]); index++) {
    full = full || !significand.push(bytes[index]! - ZERO);
    if (full) exponent++;
  }
  if (bytes[index] === POINT && index < end) {
    index++;
    // A significand that was full in the integer part is offered the fraction's digits anew: a smaller digit may still fit.
    full = false;
    for (; index < end && isDigit(bytes[index]); index++) {
      full = full || !significand.push(bytes[index]! - ZERO);
      if (!full) exponent--;
    }
  }
  const magnitude = significand.toNumber();
  if (index < end) {
    index++;
    const exponentSign = bytes[index] === MINUS ? -1 : 1;
    if (bytes[index] === MINUS || bytes[index] === PLUS) index++;
    let written = 0;
    for (; index < end; index++) {
      written = written * 10 + (bytes[index]! - ZERO);
      if (written > I32_MAX) return sign * (magnitude !== 0 && exponentSign > 0 ? Number.POSITIVE_INFINITY : 0);
    }
    exponent = Math.min(I32_MAX, Math.max(I32_MIN, exponent + exponentSign * written));
  }
  return sign * scale(magnitude, exponent);
}

/** magnitude * 10^exponent in VelesDB's steps; the order of the operations decides the last digit. */
function scale(magnitude: number, exponent: number): number {
  let value = magnitude;
  let rest = exponent;
  while (rest < -308) {
    if (value === 0) return 0;
    value /= 1e308;
    rest += 308;
  }
  if (rest < 0) return value / POWERS_OF_TEN[-rest]!;
  if (rest > 308) return value === 0 ? 0 : Number.POSITIVE_INFINITY;
  return value * POWERS_OF_TEN[rest]!;
}

/**
 * Where VelesDB stops reading a number that is out of range: after the exponent digit that passes an i32, else after the token.
 *
 * @returns an index into `bytes`, past the last byte read
 */
export function outOfRangeEnd(bytes: Uint8Array, start: number, end: number): number {
  let index = start;
  while (index < end && bytes[index] !== LOWER_E && bytes[index] !== UPPER_E) index++;
  let written = 0;
  for (index++; index < end; index++) {
    if (!isDigit(bytes[index])) continue;
    written = written * 10 + (bytes[index]! - ZERO);
    if (written > I32_MAX) return index + 1;
  }
  return end;
}

/**
 * A double as VelesDB prints it: the shortest digits that read back as the same double; positional with at least one decimal while
 * the decimal exponent is -5 to 15, else scientific with a signed exponent.
 *
 * @param value finite
 */
export function printFloat(value: number): string {
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const magnitude = Math.abs(value);
  if (magnitude === 0) return `${sign}0.0`;
  const [mantissa, exponentText] = magnitude.toExponential().split('e') as [string, string];
  const exponent = Number(exponentText);
  if (exponent < -5 || exponent > 15) return `${sign}${mantissa}e${exponentText}`;
  const digits = mantissa.replace('.', '');
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  if (digits.length <= exponent + 1) return `${sign}${digits}${'0'.repeat(exponent + 1 - digits.length)}.0`;
  return `${sign}${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`;
}

/** The characters of an ASCII byte range. */
export function asciiText(bytes: Uint8Array, start: number, end: number): string {
  // Not in one call with all bytes as arguments: those go on the stack, and a number may have a million digits.
  let text = '';
  for (let index = start; index < end; index++) text += String.fromCharCode(bytes[index]!);
  return text;
}

/**
 * A number token as VelesDB writes it back: integers from -2^63 to 2^64 - 1 exactly, everything else (also `-0`) as a double.
 *
 * @returns the text, or null where VelesDB answers "number out of range"
 */
export function canonicalNumber(
  bytes: Uint8Array,
  start: number,
  end: number,
  reader: JsonReader = 'approximate',
): string | null {
  if (isExactInteger(bytes, start, end)) return asciiText(bytes, start, end);
  const value = readFloat(bytes, start, end, reader);
  return Number.isFinite(value) ? printFloat(value) : null;
}

/** True for a token without fraction or exponent that VelesDB keeps as a 64-bit integer. `-0` is not one: it is read as -0.0. */
export function isExactInteger(bytes: Uint8Array, start: number, end: number): boolean {
  for (let index = start; index < end; index++) {
    const byte = bytes[index];
    if (byte === POINT || byte === LOWER_E || byte === UPPER_E) return false;
  }
  const negative = bytes[start] === MINUS;
  const digits = end - start - (negative ? 1 : 0);
  if (negative && bytes[start + 1] === ZERO) return false;
  if (digits < 19) return true;
  if (digits > 20) return false;
  const magnitude = BigInt(asciiText(bytes, negative ? start + 1 : start, end));
  return magnitude <= (negative ? I64_MAGNITUDE_MAX : U64_MAX);
}

/**
 * True iff two number tokens name the same number, exactly and without going through a double; zero keeps its sign.
 */
export function isSameNumber(a: string, b: string): boolean {
  const first = decimal(a);
  const second = decimal(b);
  return (
    first.negative === second.negative &&
    first.digits === second.digits &&
    (first.digits === '' || first.exponent === second.exponent)
  );
}

/** digits * 10^exponent with no zero at either end of the digits; zero has no digits at all. */
function decimal(token: string): { negative: boolean; digits: string; exponent: number } {
  const [mantissa, exponent = '0'] = token.slice(token.startsWith('-') ? 1 : 0).split(/[eE]/) as [string, string?];
  const [integer, fraction = ''] = mantissa.split('.') as [string, string?];
  const all = integer + fraction;
  // Loops and not patterns: /0+$/ takes quadratic time on long runs of zeros that do not end the text.
  let from = 0;
  while (from < all.length && all[from] === '0') from++;
  let to = all.length;
  while (to > from && all[to - 1] === '0') to--;
  return {
    negative: token.startsWith('-'),
    digits: all.slice(from, to),
    exponent: Number(exponent) - fraction.length + (all.length - to),
  };
}
