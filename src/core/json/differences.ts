/**
 * How what VelesDB reads differs from the text of a payload, one entry per place, for a person to look at (docs/format.md, section 6).
 */
import {
  acceptedTree,
  canonicalString,
  canonicalValue,
  compareBytes,
  hasEscape,
  keptMembers,
  type Member,
  membersOf,
} from './canonicalize.ts';
import { isAccepted, type JsonReader } from './check.ts';
import { decodeUtf8Lossy } from './encode.ts';
import { asciiText, canonicalNumber, isExactInteger, isSameNumber } from './number.ts';
import { escapePointerToken } from './syntax.ts';
import { ARRAY, NUMBER, OBJECT, STRING, type TreeColumns } from './tree.ts';

export type DifferenceKind =
  | 'duplicate-key-dropped'
  | 'number-changed'
  | 'number-respelled'
  | 'keys-reordered'
  | 'escape-changed'
  | 'whitespace';

/**
 * `start` and `end` are byte offsets in the payload. `stored` is what stands there, `read` what VelesDB would write in its place, both
 * cut to 200 characters; which texts they are depends on the kind:
 *
 * - `duplicate-key-dropped`: the whole member that is dropped; `read` is the value the key has instead.
 * - `number-changed`: the number written is not the number read (`number-respelled`: it is, in another spelling).
 * - `keys-reordered`: the object; `stored` and `read` are its keys in both orders.
 * - `escape-changed`: a string, or a member's key, whose characters are the same but written otherwise.
 * - `whitespace`: the first run of white space between tokens, once for the payload; `read` is empty.
 */
export interface Difference {
  kind: DifferenceKind;
  /** JSON pointer (RFC 6901) of the value; for a dropped member, of its key. */
  pointer: string;
  start: number;
  end: number;
  stored: string;
  read: string;
}

const EXCERPT = 200;

/**
 * The places where VelesDB's reading differs from the text, in the order of the text (an object before what is in it, white space
 * first). What is inside a dropped member is not looked at. Empty where VelesDB would write the same bytes, and where it does not
 * read the payload at all: `checkPayload` tells those apart.
 *
 * @param limit how many entries to return at most; a payload can hold millions
 */
export function differences(
  bytes: Uint8Array,
  limit = Number.POSITIVE_INFINITY,
  reader: JsonReader = 'approximate',
): Difference[] {
  if (!isAccepted(bytes, 0, bytes.length, reader)) return [];
  const finder = new Finder(bytes, acceptedTree(bytes), limit, reader);
  finder.whitespace();
  finder.value(0);
  return finder.found;
}

class Finder {
  readonly found: Difference[] = [];
  readonly #bytes: Uint8Array;
  readonly #tree: TreeColumns;
  readonly #limit: number;
  readonly #reader: JsonReader;
  /** Reference tokens from the root to the value at hand, unescaped. */
  readonly #path: (Uint8Array | number)[] = [];

  constructor(bytes: Uint8Array, tree: TreeColumns, limit: number, reader: JsonReader) {
    this.#bytes = bytes;
    this.#tree = tree;
    this.#limit = limit;
    this.#reader = reader;
  }

  /** Compact text has no white space outside strings: walk from token to token and look between them. */
  whitespace(): void {
    const bytes = this.#bytes;
    let inString = false;
    for (let index = 0; index < bytes.length; index++) {
      const byte = bytes[index]!;
      if (inString) {
        if (byte === 0x5c) index++;
        else if (byte === 0x22) inString = false;
      } else if (byte === 0x22) {
        inString = true;
      } else if (byte <= 0x20) {
        let end = index + 1;
        while (end < bytes.length && bytes[end]! <= 0x20) end++;
        this.#add('whitespace', index, end, this.#excerpt(index, end), '');
        return;
      }
    }
  }

  /** Recursion is safe here: accepted text nests no deeper than 127. */
  value(node: number): void {
    if (this.found.length >= this.#limit) return;
    const kind = this.#tree.kind[node];
    if (kind === OBJECT) this.#object(node);
    else if (kind === ARRAY) this.#array(node);
    else if (kind === NUMBER) this.#number(node);
    else if (kind === STRING) this.#string(this.#tree.start[node]!, this.#tree.end[node]!);
  }

  #object(node: number): void {
    const { start, end, keyStart, keyEnd } = this.#tree;
    const members = membersOf(this.#bytes, this.#tree, node);
    const kept = keptMembers(members);
    const keptNodes = new Set(kept.map((member) => member.node));
    const inTextOrder =
      kept.length === members.length ? members : members.filter((member) => keptNodes.has(member.node));
    if (inTextOrder.some((member, at) => member !== kept[at])) {
      this.#add('keys-reordered', start[node]!, end[node]!, this.#keys(inTextOrder), this.#keys(kept));
    }
    const winners = new Map<number, string>();
    for (const member of members) {
      if (this.found.length >= this.#limit) return;
      this.#path.push(member.key);
      if (keptNodes.has(member.node)) {
        this.#string(keyStart[member.node]!, keyEnd[member.node]!);
        this.value(member.node);
      } else {
        const winner = find(kept, member.key);
        let read = winners.get(winner);
        if (read === undefined) {
          read = cut(canonicalValue(this.#bytes, this.#tree, winner, this.#reader));
          winners.set(winner, read);
        }
        const from = keyStart[member.node]!;
        const to = end[member.node]!;
        this.#add('duplicate-key-dropped', from, to, this.#excerpt(from, to), read);
      }
      this.#path.pop();
    }
  }

  #array(node: number): void {
    let at = 0;
    for (let child = node + 1; child < this.#tree.next[node]!; child = this.#tree.next[child]!) {
      if (this.found.length >= this.#limit) return;
      this.#path.push(at++);
      this.value(child);
      this.#path.pop();
    }
  }

  #number(node: number): void {
    const start = this.#tree.start[node]!;
    const end = this.#tree.end[node]!;
    if (isExactInteger(this.#bytes, start, end)) return;
    const read = canonicalNumber(this.#bytes, start, end, this.#reader)!;
    const stored = asciiText(this.#bytes, start, end);
    if (read === stored) return;
    this.#add(isSameNumber(stored, read) ? 'number-respelled' : 'number-changed', start, end, shorten(stored), read);
  }

  #string(start: number, end: number): void {
    // Without a backslash there is nothing VelesDB would write otherwise.
    if (!hasEscape(this.#bytes, start, end)) return;
    const read = canonicalString(this.#bytes, start, end);
    if (compareBytes(read, this.#bytes.subarray(start, end)) === 0) return;
    this.#add('escape-changed', start, end, this.#excerpt(start, end), cut(read));
  }

  #keys(members: Member[]): string {
    const { keyStart, keyEnd } = this.#tree;
    let text = '';
    for (const { node } of members) {
      text += `${text === '' ? '' : ', '}${this.#excerpt(keyStart[node]!, keyEnd[node]!)}`;
      if (text.length > EXCERPT) break;
    }
    return shorten(text);
  }

  #excerpt(start: number, end: number): string {
    return cut(this.#bytes.subarray(start, end));
  }

  #add(kind: DifferenceKind, start: number, end: number, stored: string, read: string): void {
    if (this.found.length >= this.#limit) return;
    this.found.push({ kind, pointer: this.#pointer(), start, end, stored, read });
  }

  #pointer(): string {
    return this.#path
      .map((token) => `/${typeof token === 'number' ? token : escapePointerToken(decodeUtf8Lossy(token))}`)
      .join('');
  }
}

/** The row of the kept member with this key; `kept` is ascending. */
function find(kept: Member[], key: Uint8Array): number {
  let low = 0;
  let high = kept.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareBytes(kept[middle]!.key, key) < 0) low = middle + 1;
    else high = middle;
  }
  return kept[low]!.node;
}

function shorten(text: string): string {
  if (text.length <= EXCERPT) return text;
  // Not between the halves of a surrogate pair.
  const end = text.charCodeAt(EXCERPT - 1) >>> 10 === 0x36 ? EXCERPT - 1 : EXCERPT;
  return `${text.slice(0, end)}…`;
}

function cut(bytes: Uint8Array): string {
  // Four bytes a character at most, so these are enough to fill an excerpt and to know that more follows.
  let end = Math.min(bytes.length, EXCERPT * 4 + 4);
  while (end < bytes.length && (bytes[end]! & 0xc0) === 0x80) end--;
  return shorten(decodeUtf8Lossy(bytes.subarray(0, end)));
}
