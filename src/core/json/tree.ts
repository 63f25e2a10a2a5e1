/**
 * The shape of a JSON text: one row of numbers per value, nothing decoded, nothing copied. JSON's grammar is ASCII, so the same
 * parser reads UTF-8 bytes (what is stored) and UTF-16 code units (what an editor holds); offsets are in the units it was given.
 *
 * Rows are in the order of the text, so a value's descendants follow it directly. Objects of JavaScript per value were rejected: a
 * payload of 16 MiB can hold eight million values.
 */

export const OBJECT = 0;
export const ARRAY = 1;
export const STRING = 2;
export const NUMBER = 3;
export const TRUE = 4;
export const FALSE = 5;
export const NULL = 6;

export type Units = Uint8Array | Uint16Array;

/** Columns of equal meaning for row `node`, 0 being the whole text's value. Only the first `count` rows count. */
export interface TreeColumns {
  count: number;
  kind: Uint8Array;
  /** The value's first unit, and the unit after its last. */
  start: Int32Array;
  end: Int32Array;
  /** The quotes-included range of a member's key; -1 for array elements and the root. */
  keyStart: Int32Array;
  keyEnd: Int32Array;
  /** The container's row, -1 for the root. */
  parent: Int32Array;
  /** The row after the value's last descendant; its first child, if any, is the row after its own. */
  next: Int32Array;
}

export type TreeResult = { ok: true; tree: TreeColumns } | { ok: false; offset: number };

/**
 * Reads the shape of a JSON text. Grammar only: what the characters in strings are, how large numbers are and how deep containers
 * nest is not judged. Costs no stack however deep the text is.
 *
 * @returns the columns, or the offset of the first unit that does not fit the grammar (the length where the text ends too early)
 */
export function parseTree(units: Units): TreeResult {
  return new Parser(units).parse();
}

class Parser {
  readonly #units: Units;
  readonly #tree: TreeColumns;
  #index = 0;
  /** What the keys found last will belong to. */
  #keyStart = -1;
  #keyEnd = -1;

  constructor(units: Units) {
    this.#units = units;
    this.#tree = emptyColumns(Math.max(16, units.length >>> 4));
  }

  parse(): TreeResult {
    const tree = this.#tree;
    let container = -1;
    for (;;) {
      const first = this.#skipSpace();
      let opened = false;
      if (first === 0x7b || first === 0x5b) {
        container = this.#add(first === 0x7b ? OBJECT : ARRAY, container);
        this.#index++;
        opened = true;
      } else {
        const node = this.#add(NULL, container);
        const kind = this.#scalar(first);
        if (kind < 0) return this.#failure();
        tree.kind[node] = kind;
        tree.end[node] = this.#index;
        tree.next[node] = tree.count;
      }
      for (;;) {
        const unit = this.#skipSpace();
        if (container < 0) {
          return unit < 0 ? { ok: true, tree } : this.#failure();
        }
        const isObject = tree.kind[container] === OBJECT;
        if (unit === (isObject ? 0x7d : 0x5d)) {
          this.#index++;
          tree.end[container] = this.#index;
          tree.next[container] = tree.count;
          container = tree.parent[container]!;
          opened = false;
          continue;
        }
        if (!opened) {
          if (unit !== 0x2c) return this.#failure();
          this.#index++;
          this.#skipSpace();
        }
        if (isObject && !this.#key()) return this.#failure();
        break;
      }
    }
  }

  #failure(): TreeResult {
    return { ok: false, offset: Math.min(this.#index, this.#units.length) };
  }

  /** The next unit that is not white space, not taken; -1 at the end. */
  #skipSpace(): number {
    const units = this.#units;
    let index = this.#index;
    let unit = -1;
    while (index < units.length) {
      unit = units[index]!;
      if (unit > 0x20 || (unit !== 0x20 && unit !== 0x0a && unit !== 0x0d && unit !== 0x09)) break;
      unit = -1;
      index++;
    }
    this.#index = index;
    return unit;
  }

  #add(kind: number, parent: number): number {
    const tree = this.#tree;
    const node = tree.count++;
    if (node === tree.kind.length) grow(tree);
    tree.kind[node] = kind;
    tree.start[node] = this.#index;
    tree.parent[node] = parent;
    tree.keyStart[node] = this.#keyStart;
    tree.keyEnd[node] = this.#keyEnd;
    this.#keyStart = -1;
    this.#keyEnd = -1;
    return node;
  }

  #key(): boolean {
    if (this.#units[this.#index] !== 0x22) return false;
    this.#keyStart = this.#index;
    if (!this.#string()) return false;
    this.#keyEnd = this.#index;
    if (this.#skipSpace() !== 0x3a) return false;
    this.#index++;
    return true;
  }

  /** Takes a scalar and returns its kind, or stops at the unit that does not fit and returns -1. */
  #scalar(first: number): number {
    if (first === 0x22) return this.#string() ? STRING : -1;
    if (first === 0x74) return this.#word('true') ? TRUE : -1;
    if (first === 0x66) return this.#word('false') ? FALSE : -1;
    if (first === 0x6e) return this.#word('null') ? NULL : -1;
    return this.#number() ? NUMBER : -1;
  }

  #word(word: string): boolean {
    for (let at = 0; at < word.length; at++) {
      if (this.#units[this.#index] !== word.charCodeAt(at)) return false;
      this.#index++;
    }
    return true;
  }

  #digits(): boolean {
    const from = this.#index;
    while (this.#index < this.#units.length) {
      const unit = this.#units[this.#index]!;
      if (unit < 0x30 || unit > 0x39) break;
      this.#index++;
    }
    return this.#index > from;
  }

  #number(): boolean {
    const units = this.#units;
    if (units[this.#index] === 0x2d) this.#index++;
    if (units[this.#index] === 0x30) this.#index++;
    else if (!this.#digits()) return false;
    if (units[this.#index] === 0x2e) {
      this.#index++;
      if (!this.#digits()) return false;
    }
    if (units[this.#index] === 0x65 || units[this.#index] === 0x45) {
      this.#index++;
      if (units[this.#index] === 0x2b || units[this.#index] === 0x2d) this.#index++;
      if (!this.#digits()) return false;
    }
    return true;
  }

  #string(): boolean {
    const units = this.#units;
    let index = this.#index + 1;
    while (index < units.length) {
      const unit = units[index]!;
      if (unit === 0x22) {
        this.#index = index + 1;
        return true;
      }
      if (unit < 0x20) break;
      index++;
      if (unit !== 0x5c) continue;
      const letter = units[index];
      if (letter === 0x75) {
        for (let at = 1; at <= 4; at++) {
          if (!isHexDigit(units[index + at])) {
            this.#index = index + at;
            return false;
          }
        }
        index += 5;
      } else if (isSimpleEscape(letter)) {
        index++;
      } else {
        break;
      }
    }
    this.#index = index;
    return false;
  }
}

function isHexDigit(unit: number | undefined): boolean {
  return unit !== undefined && ((unit >= 0x30 && unit <= 0x39) || ((unit | 0x20) >= 0x61 && (unit | 0x20) <= 0x66));
}

function isSimpleEscape(unit: number | undefined): boolean {
  return unit !== undefined && unit < 0x80 && '"\\/bfnrt'.includes(String.fromCharCode(unit));
}

function emptyColumns(capacity: number): TreeColumns {
  return {
    count: 0,
    kind: new Uint8Array(capacity),
    start: new Int32Array(capacity),
    end: new Int32Array(capacity),
    keyStart: new Int32Array(capacity),
    keyEnd: new Int32Array(capacity),
    parent: new Int32Array(capacity),
    next: new Int32Array(capacity),
  };
}

function grow(tree: TreeColumns): void {
  const wider = (column: Int32Array): Int32Array => {
    const copy = new Int32Array(column.length * 2);
    copy.set(column);
    return copy;
  };
  const kind = new Uint8Array(tree.kind.length * 2);
  kind.set(tree.kind);
  tree.kind = kind;
  tree.start = wider(tree.start);
  tree.end = wider(tree.end);
  tree.keyStart = wider(tree.keyStart);
  tree.keyEnd = wider(tree.keyEnd);
  tree.parent = wider(tree.parent);
  tree.next = wider(tree.next);
}
