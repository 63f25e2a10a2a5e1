/** In memory, the low half of a u64 comes first on the little-endian machines that Node runs on, but for s390x. */
const LOW = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 0 : 1;

/**
 * Ids in ascending order. They are collected as halves in typed arrays and sorted as u64 by the engine's own sort: a comparator in
 * JavaScript takes ten times as long, an array of bigint ten times the memory.
 */
export class SortedIds {
  readonly #halves: Uint32Array;
  #count = 0;

  /** `capacity` is how many ids will be added at most. */
  constructor(capacity: number) {
    this.#halves = new Uint32Array(capacity * 2);
  }

  add(low: number, high: number): void {
    this.#halves[this.#count * 2 + LOW] = low;
    this.#halves[this.#count * 2 + (1 - LOW)] = high;
    this.#count++;
  }

  get count(): number {
    return this.#count;
  }

  sort(): this {
    new BigUint64Array(this.#halves.buffer, 0, this.#count).sort();
    return this;
  }

  low(position: number): number {
    return this.#halves[position * 2 + LOW]!;
  }

  high(position: number): number {
    return this.#halves[position * 2 + (1 - LOW)]!;
  }
}
