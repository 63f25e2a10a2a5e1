const ONES = Uint8Array.from({ length: 256 }, (_, byte) => byte.toString(2).replaceAll('0', '').length);

/** A set of small numbers, a bit each. */
export class Bits {
  readonly #bits: Uint8Array;

  /** For numbers from 0 up to, not including, `limit`. */
  constructor(limit: number) {
    this.#bits = new Uint8Array((limit >>> 3) + 1);
  }

  /** How many numbers are in the set. They are counted anew each time, so that `add` need not look first. */
  count(): number {
    let count = 0;
    for (const byte of this.#bits) count += ONES[byte]!;
    return count;
  }

  has(index: number): boolean {
    return (this.#bits[index >>> 3]! & (1 << (index & 7))) !== 0;
  }

  add(index: number): void {
    this.#bits[index >>> 3]! |= 1 << (index & 7);
  }

  remove(index: number): void {
    this.#bits[index >>> 3]! &= ~(1 << (index & 7));
  }

  clear(): void {
    this.#bits.fill(0);
  }

  /** Adds every number below the limit; `count` then counts some behind it as well. */
  addAll(): void {
    this.#bits.fill(0xff);
  }
}
