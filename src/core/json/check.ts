/**
 * Does VelesDB read these bytes as a payload, and if not, why: its own answer, word for word (docs/format.md, section 6).
 */
import { acceptedBy, DEPTH_LIMIT, isAccepted, isJsonText } from './accept.ts';
import { type JsonReader, outOfRangeEnd, readFloat } from './number.ts';

export type { JsonReader };
export { acceptedBy, isAccepted, isJsonText };

/**
 * `ok`: VelesDB reads it. `unreadable`: JSON text by RFC 8259 in strict UTF-8, but VelesDB refuses it (nesting, a number out of
 * range, a surrogate escape without its partner). `not-json`: everything else, zero bytes, ill-formed UTF-8 and a byte order mark
 * included.
 *
 * `message` is VelesDB's, with its "at line L column C". `line` counts from 1, `column` in bytes from 1 (0 where VelesDB says 0).
 * `offset` is the byte to look at, counted from the payload's first: the byte that was not expected, the first byte of a number
 * out of range or of an ill-formed character, or the payload's length where the text ends too early.
 */
export type PayloadCheck =
  | { state: 'ok' }
  | { state: 'not-json' | 'unreadable'; message: string; line: number; column: number; offset: number };

/**
 * Reads a payload as VelesDB would and says how that ends. Never throws, whatever the bytes; nesting costs no stack.
 *
 * @param start first byte of the payload in `bytes`, `end` the byte after its last
 */
export function checkPayload(
  bytes: Uint8Array,
  start = 0,
  end = bytes.length,
  reader: JsonReader = 'approximate',
): PayloadCheck {
  const refusal = new Reader(bytes, start, end, reader).read();
  if (refusal === null) return { state: 'ok' };
  const lineStart = lastLineStart(bytes, start, refusal.position);
  const line = countLines(bytes, start, lineStart);
  const column = refusal.position - lineStart;
  return {
    state: isJsonText(bytes, start, end) ? 'unreadable' : 'not-json',
    message: `${refusal.reason} at line ${line} column ${column}`,
    line,
    column,
    offset: refusal.offset - start,
  };
}

/** What every release reads: `ok`, or the first refusal, that of releases up to 7.x before that of 8.0 and later. For text about to be stored. */
export function checkForEveryRelease(bytes: Uint8Array): PayloadCheck {
  const accepted = acceptedBy(bytes);
  if (accepted.approximate && accepted.exact) return { state: 'ok' };
  return checkPayload(bytes, 0, bytes.length, accepted.approximate ? 'exact' : 'approximate');
}

function lastLineStart(bytes: Uint8Array, start: number, position: number): number {
  for (let index = position - 1; index >= start; index--) if (bytes[index] === 0x0a) return index + 1;
  return start;
}

function countLines(bytes: Uint8Array, start: number, lineStart: number): number {
  let line = 1;
  for (let index = start; index < lineStart; index++) if (bytes[index] === 0x0a) line++;
  return line;
}

const REASON = {
  endOfList: 'EOF while parsing a list',
  endOfObject: 'EOF while parsing an object',
  endOfString: 'EOF while parsing a string',
  endOfValue: 'EOF while parsing a value',
  colon: 'expected `:`',
  listCommaOrEnd: 'expected `,` or `]`',
  objectCommaOrEnd: 'expected `,` or `}`',
  ident: 'expected ident',
  value: 'expected value',
  escape: 'invalid escape',
  number: 'invalid number',
  range: 'number out of range',
  unicode: 'invalid unicode code point',
  control: 'control character (\\u0000-\\u001F) found while parsing a string',
  key: 'key must be a string',
  loneSurrogate: 'lone leading surrogate in hex escape',
  trailingComma: 'trailing comma',
  trailing: 'trailing characters',
  hexEnd: 'unexpected end of hex escape',
  recursion: 'recursion limit exceeded',
} as const;

/** How the message begins where a number is too large, for which all of its digits count. */
export const OUT_OF_RANGE: string = REASON.range;

/** `position` is what VelesDB counts lines and columns from: the index behind the byte it stopped at. */
interface Refusal {
  reason: string;
  position: number;
  offset: number;
}

/**
 * VelesDB's reader, step by step. The order of its tests decides which of several faults it names, and whether it names the byte it
 * took or the byte it only looked at decides the column; both are kept.
 */
class Reader {
  readonly #bytes: Uint8Array;
  readonly #start: number;
  readonly #end: number;
  readonly #reader: JsonReader;
  #index: number;

  constructor(bytes: Uint8Array, start: number, end: number, reader: JsonReader) {
    this.#bytes = bytes;
    this.#reader = reader;
    this.#start = start;
    this.#end = end;
    this.#index = start;
  }

  read(): Refusal | null {
    const isObject = new Uint8Array(DEPTH_LIMIT + 1);
    let depth = 0;
    for (;;) {
      const first = this.#peekToken();
      if (first < 0) return this.#atLook(REASON.endOfValue);
      let refusal: Refusal | null = null;
      let opened = false;
      if (first === 0x7b || first === 0x5b) {
        if (depth === DEPTH_LIMIT) return this.#atLook(REASON.recursion);
        this.#index++;
        depth++;
        isObject[depth] = first === 0x7b ? 1 : 0;
        opened = true;
      } else {
        refusal = this.#scalar(first);
        if (refusal !== null) return refusal;
      }
      // Behind a value or an opening bracket: on to the next value, or out of as many containers as close here.
      for (;;) {
        if (depth === 0) return this.#peekToken() < 0 ? null : this.#atLook(REASON.trailing);
        const next = isObject[depth] === 1 ? this.#nextKey(opened) : this.#nextElement(opened);
        opened = false;
        if (next === 'value') break;
        if (next !== 'closed') return next;
        depth--;
      }
    }
  }

  /** The next byte that is not white space, not taken; -1 at the end. */
  #peekToken(): number {
    while (this.#index < this.#end) {
      const byte = this.#bytes[this.#index]!;
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return byte;
      this.#index++;
    }
    return -1;
  }

  #peek(): number {
    return this.#index < this.#end ? this.#bytes[this.#index]! : -1;
  }

  #take(): number {
    return this.#index < this.#end ? this.#bytes[this.#index++]! : -1;
  }

  /** A refusal of the byte just taken. */
  #atTaken(reason: string): Refusal {
    return { reason, position: this.#index, offset: Math.max(this.#start, this.#index - 1) };
  }

  /** A refusal of the byte looked at but not taken, or of the end. */
  #atLook(reason: string): Refusal {
    return { reason, position: Math.min(this.#end, this.#index + 1), offset: Math.min(this.#end, this.#index) };
  }

  /** A refusal of the end, reached while taking. */
  #atEnd(reason: string): Refusal {
    return { reason, position: this.#end, offset: this.#end };
  }

  #nextElement(first: boolean): 'value' | 'closed' | Refusal {
    const byte = this.#peekToken();
    if (byte < 0) return this.#atLook(REASON.endOfList);
    if (byte === 0x5d) {
      this.#index++;
      return 'closed';
    }
    if (first) return 'value';
    if (byte !== 0x2c) return this.#atLook(REASON.listCommaOrEnd);
    this.#index++;
    const next = this.#peekToken();
    if (next < 0) return this.#atLook(REASON.endOfValue);
    return next === 0x5d ? this.#atLook(REASON.trailingComma) : 'value';
  }

  #nextKey(first: boolean): 'value' | 'closed' | Refusal {
    const byte = this.#peekToken();
    if (byte < 0) return this.#atLook(REASON.endOfObject);
    if (byte === 0x7d) {
      this.#index++;
      return 'closed';
    }
    if (first) {
      if (byte !== 0x22) return this.#atLook(REASON.key);
    } else {
      if (byte !== 0x2c) return this.#atLook(REASON.objectCommaOrEnd);
      this.#index++;
      const next = this.#peekToken();
      if (next < 0) return this.#atLook(REASON.endOfValue);
      if (next === 0x7d) return this.#atLook(REASON.trailingComma);
      if (next !== 0x22) return this.#atLook(REASON.key);
    }
    this.#index++;
    const refusal = this.#string();
    if (refusal !== null) return refusal;
    const colon = this.#peekToken();
    if (colon < 0) return this.#atLook(REASON.endOfObject);
    if (colon !== 0x3a) return this.#atLook(REASON.colon);
    this.#index++;
    return 'value';
  }

  #scalar(first: number): Refusal | null {
    if (first === 0x22) {
      this.#index++;
      return this.#string();
    }
    if (first === 0x2d || (first >= 0x30 && first <= 0x39)) return this.#number();
    if (first === 0x74) return this.#literal('true');
    if (first === 0x66) return this.#literal('false');
    if (first === 0x6e) return this.#literal('null');
    return this.#atLook(REASON.value);
  }

  #literal(word: string): Refusal | null {
    this.#index++;
    for (let at = 1; at < word.length; at++) {
      const byte = this.#take();
      if (byte < 0) return this.#atEnd(REASON.endOfValue);
      if (byte !== word.charCodeAt(at)) return this.#atTaken(REASON.ident);
    }
    return null;
  }

  #number(): Refusal | null {
    const start = this.#index;
    if (this.#peek() === 0x2d) this.#index++;
    const first = this.#take();
    if (first < 0) return this.#atEnd(REASON.endOfValue);
    if (first < 0x30 || first > 0x39) return this.#atTaken(REASON.number);
    if (first === 0x30) {
      if (this.#isDigitNext()) return this.#atLook(REASON.number);
    } else {
      this.#digits();
    }
    if (this.#peek() === 0x2e) {
      this.#index++;
      if (!this.#isDigitNext()) return this.#atLook(this.#peek() < 0 ? REASON.endOfValue : REASON.number);
      this.#digits();
    }
    if (this.#peek() === 0x65 || this.#peek() === 0x45) {
      this.#index++;
      if (this.#peek() === 0x2b || this.#peek() === 0x2d) this.#index++;
      const digit = this.#take();
      if (digit < 0) return this.#atEnd(REASON.endOfValue);
      if (digit < 0x30 || digit > 0x39) return this.#atTaken(REASON.number);
      this.#digits();
    }
    if (Number.isFinite(readFloat(this.#bytes, start, this.#index, this.#reader))) return null;
    return { reason: REASON.range, position: outOfRangeEnd(this.#bytes, start, this.#index), offset: start };
  }

  #isDigitNext(): boolean {
    const byte = this.#peek();
    return byte >= 0x30 && byte <= 0x39;
  }

  #digits(): void {
    while (this.#isDigitNext()) this.#index++;
  }

  /** Behind the opening quote. The characters are looked at only once the whole string was read, as VelesDB does. */
  #string(): Refusal | null {
    const start = this.#index;
    for (;;) {
      const byte = this.#take();
      if (byte < 0) return this.#atEnd(REASON.endOfString);
      if (byte === 0x22) break;
      if (byte === 0x5c) {
        const refusal = this.#escape();
        if (refusal !== null) return refusal;
      } else if (byte < 0x20) {
        return this.#atTaken(REASON.control);
      }
    }
    const illFormed = firstIllFormed(this.#bytes, start, this.#index - 1);
    if (illFormed < 0) return null;
    // The releases that read floats exactly also came with a reader that counts back from the closing quote to the ill-formed
    // byte. It counts characters as they are after unescaping, so that an escape in between makes the column too large.
    const back = this.#reader === 'exact' ? unescapedLength(this.#bytes, illFormed, this.#index - 1) : 0;
    const position = this.#index - back;
    return { reason: REASON.unicode, position, offset: illFormed };
  }

  /** Behind the backslash. */
  #escape(): Refusal | null {
    const byte = this.#take();
    if (byte < 0) return this.#atEnd(REASON.endOfString);
    if (byte !== 0x75) return '"\\/bfnrt'.includes(String.fromCharCode(byte)) ? null : this.#atTaken(REASON.escape);
    const first = this.#hexDigits();
    if (typeof first !== 'number') return first;
    if (first < 0xd800 || first > 0xdfff) return null;
    if (first > 0xdbff) return this.#atTaken(REASON.loneSurrogate);
    for (const expected of [0x5c, 0x75]) {
      const next = this.#take();
      if (next < 0) return this.#atEnd(REASON.endOfString);
      if (next !== expected) return this.#atTaken(REASON.hexEnd);
    }
    const second = this.#hexDigits();
    if (typeof second !== 'number') return second;
    return second >= 0xdc00 && second <= 0xdfff ? null : this.#atTaken(REASON.loneSurrogate);
  }

  /** The next four bytes as one UTF-16 code unit; all four are taken before any is judged. */
  #hexDigits(): number | Refusal {
    if (this.#end - this.#index < 4) return this.#atEnd(REASON.endOfString);
    let unit = 0;
    let good = true;
    for (let at = 0; at < 4; at++) {
      const value = Number.parseInt(String.fromCharCode(this.#take()), 16);
      if (Number.isNaN(value)) good = false;
      unit = unit * 16 + value;
    }
    return good ? unit : this.#atTaken(REASON.escape);
  }
}

/** How many bytes this part of a string takes with its escapes, all of them valid, replaced by what they stand for. */
function unescapedLength(bytes: Uint8Array, start: number, end: number): number {
  let length = 0;
  let index = start;
  while (index < end) {
    if (bytes[index] !== 0x5c) {
      length++;
      index++;
    } else if (bytes[index + 1] !== 0x75) {
      length++;
      index += 2;
    } else {
      const unit = Number.parseInt(String.fromCharCode(...bytes.subarray(index + 2, index + 6)), 16);
      const isPair = unit >= 0xd800 && unit <= 0xdbff;
      length += isPair ? 4 : unit < 0x80 ? 1 : unit < 0x800 ? 2 : 3;
      index += isPair ? 12 : 6;
    }
  }
  return length;
}

/**
 * The first byte that does not belong to a well-formed UTF-8 character (Unicode table 3-7), or -1.
 *
 * @param start first byte to look at, `end` the byte after the last
 */
export function firstIllFormed(bytes: Uint8Array, start: number, end: number): number {
  let index = start;
  while (index < end) {
    const lead = bytes[index]!;
    if (lead < 0x80) {
      index++;
      continue;
    }
    let length = 0;
    let low = 0x80;
    let high = 0xbf;
    if (lead >= 0xc2 && lead <= 0xdf) length = 2;
    else if (lead >= 0xe0 && lead <= 0xef) length = 3;
    else if (lead >= 0xf0 && lead <= 0xf4) length = 4;
    if (lead === 0xe0) low = 0xa0;
    if (lead === 0xed) high = 0x9f;
    if (lead === 0xf0) low = 0x90;
    if (lead === 0xf4) high = 0x8f;
    if (length === 0 || index + length > end) return index;
    const second = bytes[index + 1]!;
    if (second < low || second > high) return index;
    for (let at = 2; at < length; at++) if ((bytes[index + at]! & 0xc0) !== 0x80) return index;
    index += length;
  }
  return -1;
}
