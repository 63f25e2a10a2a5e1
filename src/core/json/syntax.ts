/**
 * The syntax tree of a text in an editor. It only points into the text (offsets are UTF-16, those of JavaScript strings and of the
 * editor), so nothing it does not understand can be lost: literal forms of numbers, escapes, duplicate keys, order, white space.
 *
 * A value is named by its node: its number in the order of the text, 0 for the whole. Nodes are of one text only; to find a value
 * again after an edit, take its index path before. Key paths would not do: keys may be duplicate.
 */
import { ARRAY, FALSE, NULL, NUMBER, OBJECT, parseTree, STRING, TRUE, type TreeColumns } from './tree.ts';

export type NodeKind = 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null';

const KIND_NAMES: Record<number, NodeKind> = {
  [OBJECT]: 'object',
  [ARRAY]: 'array',
  [STRING]: 'string',
  [NUMBER]: 'number',
  [TRUE]: 'boolean',
  [FALSE]: 'boolean',
  [NULL]: 'null',
};

export type SyntaxResult = { ok: true; tree: SyntaxTree } | { ok: false; offset: number };

/**
 * The syntax tree of JSON text by RFC 8259, whether or not VelesDB would read it.
 *
 * @returns the tree, or the UTF-16 offset of the first character that does not fit (the length where the text ends too early)
 */
export function parseSyntax(text: string): SyntaxResult {
  const units = new Uint16Array(text.length);
  for (let index = 0; index < units.length; index++) units[index] = text.charCodeAt(index);
  const result = parseTree(units);
  return result.ok ? { ok: true, tree: new SyntaxTree(text, result.tree) } : result;
}

export class SyntaxTree {
  readonly text: string;
  readonly #columns: TreeColumns;

  constructor(text: string, columns: TreeColumns) {
    this.text = text;
    this.#columns = columns;
  }

  /** How many values the text holds, containers included. */
  get count(): number {
    return this.#columns.count;
  }

  kind(node: number): NodeKind {
    return KIND_NAMES[this.#columns.kind[node]!]!;
  }

  isContainer(node: number): boolean {
    return this.#columns.kind[node]! <= ARRAY;
  }

  /** The value's first character. */
  start(node: number): number {
    return this.#columns.start[node]!;
  }

  /** Behind the value's last character. */
  end(node: number): number {
    return this.#columns.end[node]!;
  }

  /** The first character of a member's key, else of the value. */
  memberStart(node: number): number {
    const keyStart = this.#columns.keyStart[node]!;
    return keyStart < 0 ? this.start(node) : keyStart;
  }

  /** Behind a member's key; -1 for what has none. */
  keyEnd(node: number): number {
    return this.#columns.keyEnd[node]!;
  }

  /** The value as written. */
  token(node: number): string {
    return this.text.slice(this.start(node), this.end(node));
  }

  /** A member's key as written, quotes included; null for what is no member. */
  keyToken(node: number): string | null {
    const keyStart = this.#columns.keyStart[node]!;
    return keyStart < 0 ? null : this.text.slice(keyStart, this.#columns.keyEnd[node]!);
  }

  /** The string a member's key stands for; null for what is no member. */
  key(node: number): string | null {
    const token = this.keyToken(node);
    return token === null ? null : decodeStringToken(token);
  }

  /** The container of a value; -1 for the root. */
  parent(node: number): number {
    return this.#columns.parent[node]!;
  }

  /** The first value in a container, or -1. */
  firstChild(node: number): number {
    return this.#columns.next[node]! > node + 1 ? node + 1 : -1;
  }

  /** The value after this one in its container, or -1. */
  nextSibling(node: number): number {
    const parent = this.parent(node);
    const next = this.#columns.next[node]!;
    return parent >= 0 && next < this.#columns.next[parent]! ? next : -1;
  }

  /** The values in a container, in the order of the text. */
  *children(node: number): Generator<number> {
    for (let child = this.firstChild(node); child >= 0; child = this.nextSibling(child)) yield child;
  }

  /** How many values a container holds (not counting what is in them). Takes time in their number. */
  childCount(node: number): number {
    let count = 0;
    for (let child = this.firstChild(node); child >= 0; child = this.nextSibling(child)) count++;
    return count;
  }

  /** The value at a position in a container, or -1. Takes time in the position. */
  childAt(node: number, position: number): number {
    let child = this.firstChild(node);
    for (let at = 0; at < position && child >= 0; at++) child = this.nextSibling(child);
    return child;
  }

  /** The position of a value in its container; 0 for the root. Takes time in the position. */
  position(node: number): number {
    const parent = this.parent(node);
    let position = 0;
    for (let child = parent + 1; parent >= 0 && child !== node; child = this.#columns.next[child]!) position++;
    return position;
  }

  /** The positions that lead from the root to a value; empty for the root. */
  indexPath(node: number): number[] {
    const path: number[] = [];
    for (let at = node; this.parent(at) >= 0; at = this.parent(at)) path.push(this.position(at));
    return path.reverse();
  }

  /** The value at an index path, or -1. */
  nodeAtPath(path: readonly number[]): number {
    let node = 0;
    for (const position of path) {
      node = this.childAt(node, position);
      if (node < 0) return -1;
    }
    return node;
  }

  /** JSON pointer (RFC 6901) of a value. Members with equal keys have equal pointers. */
  pointer(node: number): string {
    const tokens: string[] = [];
    for (let at = node; this.parent(at) >= 0; at = this.parent(at)) {
      tokens.push(escapePointerToken(this.key(at) ?? String(this.position(at))));
    }
    return tokens
      .reverse()
      .map((token) => `/${token}`)
      .join('');
  }

  /** The value a JSON pointer names, or -1; of members with equal keys the last, which is the one VelesDB reads. */
  nodeAtPointer(pointer: string): number {
    if (pointer === '') return 0;
    if (!pointer.startsWith('/')) return -1;
    let node = 0;
    for (const part of pointer.slice(1).split('/')) {
      const token = part.replaceAll('~1', '/').replaceAll('~0', '~');
      node = this.kind(node) === 'object' ? this.#lastMember(node, token) : this.#element(node, token);
      if (node < 0) return -1;
    }
    return node;
  }

  /** The innermost value whose range, its key included, holds this place in the text; the root where none does. */
  nodeAtOffset(offset: number): number {
    let low = 0;
    let high = this.count - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.memberStart(middle) <= offset) low = middle;
      else high = middle - 1;
    }
    let node = low;
    while (node > 0 && this.end(node) < offset) node = this.parent(node);
    return node;
  }

  #lastMember(node: number, key: string): number {
    let found = -1;
    for (const child of this.children(node)) if (this.key(child) === key) found = child;
    return found;
  }

  #element(node: number, token: string): number {
    if (this.kind(node) !== 'array' || !/^(0|[1-9]\d{0,9})$/.test(token)) return -1;
    return this.childAt(node, Number(token));
  }
}

/** The string a string token stands for. It may hold lone surrogates, which the escapes of JSON text can spell. */
export function decodeStringToken(token: string): string {
  return JSON.parse(token);
}

/** The string token for a string, in the escapes VelesDB itself writes: those JSON.stringify uses. */
export function stringToken(value: string): string {
  return JSON.stringify(value);
}

/** One reference token of a JSON pointer, escaped as RFC 6901 asks. */
export function escapePointerToken(token: string): string {
  return token.replaceAll('~', '~0').replaceAll('/', '~1');
}
