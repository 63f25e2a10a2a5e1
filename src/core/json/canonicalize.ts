/**
 * What VelesDB would write back after reading a payload, byte for byte: keys in the order of their UTF-8 bytes, the last of duplicate
 * keys, numbers as it parses and prints them, its own escapes, no white space (docs/format.md, section 6).
 */
import { checkPayload, isAccepted, type JsonReader, type PayloadCheck } from './check.ts';
import { canonicalNumber, isExactInteger } from './number.ts';
import { ARRAY, FALSE, NULL, NUMBER, OBJECT, parseTree, STRING, TRUE, type TreeColumns } from './tree.ts';

export type Canonical = { ok: true; bytes: Uint8Array } | { ok: false; check: Exclude<PayloadCheck, { state: 'ok' }> };

/**
 * The bytes VelesDB would write for a payload it has read, or why it does not read it. Never throws, whatever the bytes.
 */
export function canonicalize(bytes: Uint8Array, reader: JsonReader = 'approximate'): Canonical {
  const check: PayloadCheck = isAccepted(bytes, 0, bytes.length, reader)
    ? { state: 'ok' }
    : checkPayload(bytes, 0, bytes.length, reader);
  if (check.state !== 'ok') return { ok: false, check };
  const writer = new Writer(bytes.length, reader);
  writeValue(writer, bytes, acceptedTree(bytes), 0);
  return { ok: true, bytes: writer.finish() };
}

/** The tree of bytes known to be accepted. */
export function acceptedTree(bytes: Uint8Array): TreeColumns {
  const result = parseTree(bytes);
  if (!result.ok) throw new Error(`accepted text does not parse at byte ${result.offset}`);
  return result.tree;
}

/** One value as VelesDB would write it, on its own. */
export function canonicalValue(
  bytes: Uint8Array,
  tree: TreeColumns,
  node: number,
  reader: JsonReader = 'approximate',
): Uint8Array {
  const writer = new Writer(tree.end[node]! - tree.start[node]!, reader);
  writeValue(writer, bytes, tree, node);
  return writer.finish();
}

/** One string token, quotes included, as VelesDB would write it. */
export function canonicalString(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const writer = new Writer(end - start);
  writeString(writer, decodeString(bytes, start, end));
  return writer.finish();
}

/** A member of an object: its row and its key as VelesDB compares it. */
export interface Member {
  node: number;
  key: Uint8Array;
}

/** An object's members in the order of the text, duplicates included. */
export function membersOf(bytes: Uint8Array, tree: TreeColumns, node: number): Member[] {
  const members: Member[] = [];
  for (let child = node + 1; child < tree.next[node]!; child = tree.next[child]!) {
    members.push({ node: child, key: decodeString(bytes, tree.keyStart[child]!, tree.keyEnd[child]!) });
  }
  return members;
}

/** The members VelesDB keeps, in its order: keys ascending by UTF-8 bytes, of equal ones the last. `members` is left alone. */
export function keptMembers(members: Member[]): Member[] {
  if (isAscending(members)) return members;
  // The sort is stable, so of equal keys the last in the text comes last here.
  const sorted = members.toSorted((a, b) => compareBytes(a.key, b.key));
  return sorted.filter((member, at) => {
    const following = sorted[at + 1];
    return following === undefined || compareBytes(member.key, following.key) !== 0;
  });
}

/** True iff each key comes strictly after the one before it. */
function isAscending(members: Member[]): boolean {
  for (let at = 1; at < members.length; at++) {
    if (compareBytes(members[at - 1]!.key, members[at]!.key) >= 0) return false;
  }
  return true;
}

/** Order of byte strings: negative, 0 or positive. For UTF-8 it is the order of code points, not that of JavaScript strings. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const difference = a[at]! - b[at]!;
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Recursion is safe here: accepted text nests no deeper than 127. */
function writeValue(writer: Writer, bytes: Uint8Array, tree: TreeColumns, node: number): void {
  const start = tree.start[node]!;
  const end = tree.end[node]!;
  switch (tree.kind[node]) {
    case OBJECT: {
      writer.byte(0x7b);
      let first = true;
      for (const member of keptMembers(membersOf(bytes, tree, node))) {
        if (!first) writer.byte(0x2c);
        first = false;
        writeString(writer, member.key);
        writer.byte(0x3a);
        writeValue(writer, bytes, tree, member.node);
      }
      writer.byte(0x7d);
      return;
    }
    case ARRAY: {
      writer.byte(0x5b);
      for (let child = node + 1; child < tree.next[node]!; child = tree.next[child]!) {
        if (child > node + 1) writer.byte(0x2c);
        writeValue(writer, bytes, tree, child);
      }
      writer.byte(0x5d);
      return;
    }
    case STRING:
      // Without a backslash a token is canonical as it stands.
      if (hasEscape(bytes, start, end)) writeString(writer, decodeString(bytes, start, end));
      else writer.range(bytes, start, end);
      return;
    case NUMBER:
      if (isExactInteger(bytes, start, end)) writer.range(bytes, start, end);
      else writer.ascii(canonicalNumber(bytes, start, end, writer.reader)!);
      return;
    case TRUE:
    case FALSE:
    case NULL:
      writer.range(bytes, start, end);
      return;
  }
}

const SIMPLE_ESCAPES: Record<number, number> = { 98: 0x08, 102: 0x0c, 110: 0x0a, 114: 0x0d, 116: 0x09 };

/**
 * The UTF-8 bytes a string token stands for; a view of `bytes` where it holds no escape.
 *
 * @param start the opening quote, `end` behind the closing one; the token is one VelesDB accepts
 */
export function decodeString(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const from = start + 1;
  const to = end - 1;
  if (!hasEscape(bytes, from, to)) return bytes.subarray(from, to);
  const writer = new Writer(to - from);
  let index = from;
  while (index < to) {
    const byte = bytes[index++]!;
    if (byte !== 0x5c) {
      writer.byte(byte);
      continue;
    }
    const letter = bytes[index++]!;
    if (letter !== 0x75) {
      writer.byte(SIMPLE_ESCAPES[letter] ?? letter);
      continue;
    }
    let code = hexUnit(bytes, index);
    index += 4;
    if (code >= 0xd800 && code <= 0xdbff) {
      code = 0x10000 + ((code - 0xd800) << 10) + (hexUnit(bytes, index + 2) - 0xdc00);
      index += 6;
    }
    writer.codePoint(code);
  }
  return writer.finish();
}

/** True iff a string token holds a backslash. Most do not, and a search in a subarray costs more than these loops on short ones. */
export function hasEscape(bytes: Uint8Array, start: number, end: number): boolean {
  for (let index = start; index < end; index++) if (bytes[index] === 0x5c) return true;
  return false;
}

function hexUnit(bytes: Uint8Array, index: number): number {
  return Number.parseInt(String.fromCharCode(...bytes.subarray(index, index + 4)), 16);
}

const SHORT_ESCAPE: Record<number, string> = {
  8: '\\b',
  9: '\\t',
  10: '\\n',
  12: '\\f',
  13: '\\r',
  34: '\\"',
  92: '\\\\',
};

/** Only quote, backslash and bytes below 0x20 are escaped; the rest, DEL and U+2028 too, stands as it is. */
function writeString(writer: Writer, content: Uint8Array): void {
  writer.byte(0x22);
  let plain = 0;
  for (let index = 0; index < content.length; index++) {
    const byte = content[index]!;
    if (byte >= 0x20 && byte !== 0x22 && byte !== 0x5c) continue;
    writer.range(content, plain, index);
    writer.ascii(SHORT_ESCAPE[byte] ?? `\\u${byte.toString(16).padStart(4, '0')}`);
    plain = index + 1;
  }
  writer.range(content, plain, content.length);
  writer.byte(0x22);
}

/** Bytes that grow; canonical text can be longer than what it was made from (`1e15`). */
class Writer {
  #bytes: Uint8Array;
  #length = 0;
  /** Whose numbers are written. */
  readonly reader: JsonReader;

  constructor(expected: number, reader: JsonReader = 'approximate') {
    this.#bytes = new Uint8Array(expected + 16);
    this.reader = reader;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  ascii(text: string): void {
    this.#reserve(text.length);
    for (let at = 0; at < text.length; at++) this.#bytes[this.#length++] = text.charCodeAt(at);
  }

  range(source: Uint8Array, start: number, end: number): void {
    if (start >= end) return;
    this.#reserve(end - start);
    if (end - start > 64) {
      this.#bytes.set(source.subarray(start, end), this.#length);
      this.#length += end - start;
    } else {
      // Faster than a view for the short strings payloads are made of.
      for (let index = start; index < end; index++) this.#bytes[this.#length++] = source[index]!;
    }
  }

  codePoint(code: number): void {
    if (code < 0x80) {
      this.byte(code);
    } else if (code < 0x800) {
      this.byte(0xc0 | (code >> 6));
      this.byte(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
      this.byte(0xe0 | (code >> 12));
      this.byte(0x80 | ((code >> 6) & 0x3f));
      this.byte(0x80 | (code & 0x3f));
    } else {
      this.byte(0xf0 | (code >> 18));
      this.byte(0x80 | ((code >> 12) & 0x3f));
      this.byte(0x80 | ((code >> 6) & 0x3f));
      this.byte(0x80 | (code & 0x3f));
    }
  }

  /** A copy of exactly what was written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + more));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}
