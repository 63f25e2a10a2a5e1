import { acceptedBy } from '../../src/core/json/check.ts';

/** A generator of pseudo-random numbers (mulberry32): the same seed gives the same run, on every machine. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 up to 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  }

  /** A whole number from 0 up to `limit`, which is not reached. */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]!;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256));
  }

  /** Few ids, so that they meet again, with the edges of u64 and of what a double holds among them. */
  id(): bigint {
    const edges = [0n, 1n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n, 14695981039346656037n];
    return this.chance(0.2) ? this.pick(edges) : BigInt(this.below(40));
  }

  /** JSON text that every release reads: all kinds of values, spellings and white space. */
  payload(): string {
    for (;;) {
      const text = this.#spaced(this.#value(0));
      const accepted = acceptedBy(new TextEncoder().encode(text));
      if (accepted.approximate && accepted.exact) return text;
    }
  }

  /** A number token by the grammar, near every edge there is; it may be out of range. */
  number(): string {
    switch (this.below(8)) {
      case 0:
        return String(this.below(1000));
      case 1:
        return this.pick(['-0', '0', '-0.0', '18446744073709551615', '18446744073709551616', '-9223372036854775808']);
      case 2:
        return this.pick([
          '-9223372036854775809',
          '9007199254740993',
          '5e-324',
          '2e-324',
          '1e308',
          '1.7976931348623157e308',
        ]);
      case 3:
        return `${this.chance(0.5) ? '-' : ''}${this.next() * 10 ** this.below(20)}`;
      case 4:
        return `${this.below(10)}.${this.#digits(1 + this.below(25))}`;
      case 5:
        return `${1 + this.below(9)}${this.#digits(this.below(25))}${this.pick(['e', 'E'])}${this.pick(['', '+', '-'])}${this.below(308)}`;
      case 6:
        return `${1 + this.below(9)}${this.#digits(this.below(400))}`;
      default:
        return String(new Float64Array(this.bytes(8).buffer)[0]).replace(/NaN|-?Infinity/, '1.5');
    }
  }

  #value(depth: number): string {
    const kind = this.below(depth > 4 ? 5 : 8);
    switch (kind) {
      case 0:
        return this.pick(['null', 'true', 'false']);
      case 1:
      case 2:
        return this.number();
      case 3:
      case 4:
        return this.string();
      case 5:
        return `[${this.#list(() => this.#value(depth + 1))}]`;
      default:
        return `{${this.#list(() => `${this.string()}:${this.#value(depth + 1)}`)}}`;
    }
  }

  #list(item: () => string): string {
    return Array.from({ length: this.below(5) }, item).join(this.chance(0.9) ? ',' : ' , ');
  }

  string(): string {
    const parts = [
      'a',
      'b',
      'key',
      'ä',
      '€',
      '😀',
      '\\n',
      '\\u0000',
      '\\u001F',
      '\\/',
      '\\"',
      '\\ud83d\\ude00',
      '\u2028',
      '\x7f',
      ' ',
    ];
    return `"${Array.from({ length: this.below(6) }, () => this.pick(parts)).join('')}"`;
  }

  #digits(length: number): string {
    return Array.from({ length }, () => this.below(10)).join('');
  }

  #spaced(text: string): string {
    return this.chance(0.2) ? `${this.pick([' ', '\n', '\t', '\r\n'])}${text}${this.pick(['', ' ', '\n'])}` : text;
  }
}
