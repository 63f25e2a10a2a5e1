/** A set of small numbers, a bit each. */
export class Bits {
  readonly #bits: Uint8Array;
  #size = 0;

  /** For numbers from 0 up to, not including, `limit`. */
  constructor(limit: number) {
    this.#bits = new Uint8Array((limit >>> 3) + 1);
  }

  /** How many numbers are in the set. */
  get size(): number {
    return this.#size;
  }

  has(index: number): boolean {
    return (this.#bits[index >>> 3]! & (1 << (index & 7))) !== 0;
  }

  add(index: number): void {
    if (!this.has(index)) this.#size++;
    this.#bits[index >>> 3]! |= 1 << (index & 7);
  }

  remove(index: number): void {
    if (this.has(index)) this.#size--;
    this.#bits[index >>> 3]! &= ~(1 << (index & 7));
  }

  clear(): void {
    this.#size = 0;
    this.#bits.fill(0);
  }
}
