/**
 * Yes-or-no answers about payload text, for bulk work: one pass, no allocation but for deep nesting, the first offending byte ends
 * it. `check.ts` says why something is refused; it is written apart from this on purpose, and a test holds the two equal.
 */
import { type JsonReader, readFloat } from './number.ts';

/** VelesDB refuses what would need a 128th open container. */
export const DEPTH_LIMIT = 127;

/** What a byte means inside a string. */
const PLAIN = 0;
const QUOTE = 1;
const BACKSLASH = 2;
const CONTROL = 3;
const LEAD_2 = 4;
const LEAD_3 = 5;
const LEAD_4 = 6;
const ILL_FORMED = 7;

const IN_STRING = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte < 0x20) return CONTROL;
  if (byte === 0x22) return QUOTE;
  if (byte === 0x5c) return BACKSLASH;
  if (byte < 0x80) return PLAIN;
  if (byte >= 0xc2 && byte <= 0xdf) return LEAD_2;
  if (byte >= 0xe0 && byte <= 0xef) return LEAD_3;
  if (byte >= 0xf0 && byte <= 0xf4) return LEAD_4;
  return ILL_FORMED;
});

/** Value of a hexadecimal digit, 0x10000 for any other byte: four of them combined stay below 0x10000 only if all are digits. */
const HEX = Int32Array.from({ length: 256 }, (_, byte) => {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  if (byte >= 0x41 && byte <= 0x46) return byte - 0x41 + 10;
  if (byte >= 0x61 && byte <= 0x66) return byte - 0x61 + 10;
  return 0x10000;
});

/** One for the bytes that may follow a backslash, `u` apart. */
const SIMPLE_ESCAPE = Uint8Array.from({ length: 256 }, (_, byte) =>
  '"\\/bfnrt'.includes(String.fromCharCode(byte)) ? 1 : 0,
);

/**
 * True iff VelesDB reads these bytes as a payload: what `checkPayload` calls `ok` (docs/format.md, section 6).
 *
 * @param start first byte of the payload, `end` the byte after its last
 */
export function isAccepted(
  bytes: Uint8Array,
  start = 0,
  end = bytes.length,
  reader: JsonReader = 'approximate',
): boolean {
  readersLeft = reader === 'exact' ? EXACT : APPROXIMATE;
  return scan(bytes, start, end, true);
}

/**
 * Which of VelesDB's two readers read these bytes, in one pass: they disagree only about numbers next to the largest double.
 *
 * @param start first byte of the payload, `end` the byte after its last
 */
export function acceptedBy(bytes: Uint8Array, start = 0, end = bytes.length): Readonly<Record<JsonReader, boolean>> {
  readersLeft = APPROXIMATE | EXACT;
  return scan(bytes, start, end, true) ? READ_BY[readersLeft]! : READ_BY[0]!;
}

/**
 * True iff these bytes are JSON text by RFC 8259 in strict UTF-8 without a byte order mark, whatever the nesting, the size of numbers
 * or the pairing of surrogate escapes: a superset of `isAccepted`, and what decides whether a legacy record's length is believed.
 *
 * @param start first byte of the text, `end` the byte after its last
 */
export function isJsonText(bytes: Uint8Array, start = 0, end = bytes.length): boolean {
  return scan(bytes, start, end, false);
}

const APPROXIMATE = 1;
const EXACT = 2;
/** Bits of the readers that have not yet met a number out of their range. Not an argument: nine in ten numbers never ask for it. */
let readersLeft = 0;

/** Made once: a result object for every payload would be most of the work on small ones. */
const READ_BY: readonly Readonly<Record<JsonReader, boolean>>[] = [0, APPROXIMATE, EXACT, APPROXIMATE | EXACT].map(
  (bits) => ({ approximate: (bits & APPROXIMATE) !== 0, exact: (bits & EXACT) !== 0 }),
);

/** One bit per open container, set for an object. Kept between calls while small; deep text gets its own. */
const SHALLOW = new Uint32Array(64);

function scan(bytes: Uint8Array, start: number, end: number, strict: boolean): boolean {
  let open = SHALLOW;
  let depth = 0;
  let inObject = false;
  let index = start;
  for (;;) {
    // A value starts here.
    index = skipWhitespace(bytes, index, end);
    if (index >= end) return false;
    const first = bytes[index]!;
    if (first === 0x22) {
      index = skipString(bytes, index + 1, end, strict);
      if (index < 0) return false;
    } else if (first === 0x7b || first === 0x5b) {
      if (strict && depth === DEPTH_LIMIT) return false;
      const word = depth >>> 5;
      if (word === open.length) {
        const grown = new Uint32Array(open.length * 2);
        grown.set(open);
        open = grown;
      }
      inObject = first === 0x7b;
      if (inObject) open[word] = open[word]! | (1 << (depth & 31));
      else open[word] = open[word]! & ~(1 << (depth & 31));
      depth++;
      index = skipWhitespace(bytes, index + 1, end);
      if (index >= end) return false;
      if (bytes[index] !== first + 2) {
        if (!inObject) continue;
        index = skipKey(bytes, index, end, strict);
        if (index < 0) return false;
        continue;
      }
      // An empty container: `}` is `{` + 2 and `]` is `[` + 2. The loop below closes it.
    } else if (first === 0x2d || (first >= 0x30 && first <= 0x39)) {
      index = skipNumber(bytes, index, end, strict);
      if (index < 0) return false;
    } else {
      index = skipLiteral(bytes, index, end);
      if (index < 0) return false;
    }
    // A value ended here, or an empty container is about to.
    for (;;) {
      index = skipWhitespace(bytes, index, end);
      if (depth === 0) return index === end;
      if (index >= end) return false;
      const byte = bytes[index]!;
      index++;
      if (byte === 0x2c) {
        if (!inObject) break;
        index = skipKey(bytes, skipWhitespace(bytes, index, end), end, strict);
        if (index < 0) return false;
        break;
      }
      if (byte !== (inObject ? 0x7d : 0x5d)) return false;
      depth--;
      if (depth > 0) inObject = ((open[(depth - 1) >>> 5]! >>> ((depth - 1) & 31)) & 1) === 1;
    }
  }
}

function skipWhitespace(bytes: Uint8Array, from: number, end: number): number {
  let index = from;
  while (index < end) {
    const byte = bytes[index]!;
    if (byte > 0x20 || (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)) break;
    index++;
  }
  return index;
}

/** From a key's opening quote to behind its colon, or -1. */
function skipKey(bytes: Uint8Array, from: number, end: number, strict: boolean): number {
  if (from >= end || bytes[from] !== 0x22) return -1;
  const closed = skipString(bytes, from + 1, end, strict);
  if (closed < 0) return -1;
  const index = skipWhitespace(bytes, closed, end);
  return index < end && bytes[index] === 0x3a ? index + 1 : -1;
}

/** From behind a string's opening quote to behind its closing one, or -1. */
function skipString(bytes: Uint8Array, from: number, end: number, strict: boolean): number {
  let index = from;
  for (;;) {
    let kind = PLAIN;
    while (index < end) {
      kind = IN_STRING[bytes[index]!]!;
      if (kind !== PLAIN) break;
      index++;
    }
    if (index >= end) return -1;
    if (kind === QUOTE) return index + 1;
    if (kind >= LEAD_2) {
      index = skipMultibyte(bytes, index, end, kind);
    } else if (kind === BACKSLASH) {
      index = skipEscape(bytes, index + 1, end, strict);
    } else {
      return -1;
    }
    if (index < 0) return -1;
  }
}

/** Over one character of two to four bytes, shortest form and no surrogates (Unicode table 3-7), or -1. */
function skipMultibyte(bytes: Uint8Array, from: number, end: number, kind: number): number {
  if (kind === LEAD_2) {
    return from + 1 < end && (bytes[from + 1]! & 0xc0) === 0x80 ? from + 2 : -1;
  }
  const lead = bytes[from]!;
  if (kind === LEAD_3) {
    if (from + 2 >= end) return -1;
    const second = bytes[from + 1]!;
    if ((second & 0xc0) !== 0x80 || (bytes[from + 2]! & 0xc0) !== 0x80) return -1;
    if ((lead === 0xe0 && second < 0xa0) || (lead === 0xed && second > 0x9f)) return -1;
    return from + 3;
  }
  if (kind !== LEAD_4 || from + 3 >= end) return -1;
  const second = bytes[from + 1]!;
  if ((second & 0xc0) !== 0x80 || (bytes[from + 2]! & 0xc0) !== 0x80 || (bytes[from + 3]! & 0xc0) !== 0x80) return -1;
  if ((lead === 0xf0 && second < 0x90) || (lead === 0xf4 && second > 0x8f)) return -1;
  return from + 4;
}

/** From behind a backslash to behind the escape (both halves of a surrogate pair where pairing is asked for), or -1. */
function skipEscape(bytes: Uint8Array, from: number, end: number, strict: boolean): number {
  if (from >= end) return -1;
  if (SIMPLE_ESCAPE[bytes[from]!] === 1) return from + 1;
  const unit = hexUnit(bytes, from, end);
  if (unit < 0) return -1;
  if (!strict || unit < 0xd800 || unit > 0xdfff) return from + 5;
  if (unit > 0xdbff || from + 5 >= end || bytes[from + 5] !== 0x5c) return -1;
  const second = hexUnit(bytes, from + 6, end);
  return second >= 0xdc00 && second <= 0xdfff ? from + 11 : -1;
}

/** The UTF-16 code unit of `uXXXX` at `from`, or -1. */
function hexUnit(bytes: Uint8Array, from: number, end: number): number {
  if (from + 4 >= end || bytes[from] !== 0x75) return -1;
  const a = HEX[bytes[from + 1]!]!;
  const b = HEX[bytes[from + 2]!]!;
  const c = HEX[bytes[from + 3]!]!;
  const d = HEX[bytes[from + 4]!]!;
  return (a | b | c | d) < 0x10000 ? (a << 12) | (b << 8) | (c << 4) | d : -1;
}

/** Over a number, or -1. */
function skipNumber(bytes: Uint8Array, from: number, end: number, strict: boolean): number {
  let index = from;
  if (bytes[index] === 0x2d) index++;
  const integerStart = index;
  if (index < end && bytes[index] === 0x30) index++;
  else index = skipDigits(bytes, index, end);
  const integerDigits = index - integerStart;
  if (integerDigits === 0) return -1;
  if (index < end && bytes[index] === 0x2e) {
    const fraction = index + 1;
    index = skipDigits(bytes, fraction, end);
    if (index === fraction) return -1;
  }
  let exponent = 0;
  if (index < end && (bytes[index]! | 0x20) === 0x65) {
    index++;
    let negative = false;
    if (index < end && (bytes[index] === 0x2b || bytes[index] === 0x2d)) {
      negative = bytes[index] === 0x2d;
      index++;
    }
    const digits = index;
    while (index < end) {
      const byte = bytes[index]!;
      if (byte < 0x30 || byte > 0x39) break;
      exponent = exponent * 10 + (byte - 0x30);
      index++;
    }
    if (index === digits) return -1;
    if (negative) exponent = -exponent;
  }
  // Below 10^308 nothing overflows, however it is rounded; only what may reach it is worked out exactly.
  if (strict && integerDigits + exponent > 308 && !isInRange(bytes, from, index)) return -1;
  return index;
}

/** Whether one of the readers asked about still reads on behind this number. */
function isInRange(bytes: Uint8Array, start: number, end: number): boolean {
  if ((readersLeft & APPROXIMATE) !== 0 && !Number.isFinite(readFloat(bytes, start, end))) readersLeft &= ~APPROXIMATE;
  if ((readersLeft & EXACT) !== 0 && !Number.isFinite(readFloat(bytes, start, end, 'exact'))) readersLeft &= ~EXACT;
  return readersLeft !== 0;
}

function skipDigits(bytes: Uint8Array, from: number, end: number): number {
  let index = from;
  while (index < end) {
    const byte = bytes[index]!;
    if (byte < 0x30 || byte > 0x39) break;
    index++;
  }
  return index;
}

/** Over `true`, `false` or `null`, or -1. */
function skipLiteral(bytes: Uint8Array, from: number, end: number): number {
  if (from + 4 > end) return -1;
  const word = (bytes[from]! << 24) | (bytes[from + 1]! << 16) | (bytes[from + 2]! << 8) | bytes[from + 3]!;
  if (word === 0x74727565 || word === 0x6e756c6c) return from + 4;
  return word === 0x66616c73 && from + 4 < end && bytes[from + 4] === 0x65 ? from + 5 : -1;
}
