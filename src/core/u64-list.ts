import { formatU64, joinU64 } from './u64.ts';

/** A growing list of u64 in two u32 columns: a list of ids can be as long as the log. */
export class U64List {
  #length = 0;
  #low = new Uint32Array(16);
  #high = new Uint32Array(16);

  get length(): number {
    return this.#length;
  }

  push(low: number, high: number): void {
    if (this.#length === this.#low.length) {
      const lowLarger = new Uint32Array(this.#length * 2);
      const highLarger = new Uint32Array(this.#length * 2);
      lowLarger.set(this.#low);
      highLarger.set(this.#high);
      this.#low = lowLarger;
      this.#high = highLarger;
    }
    this.#low[this.#length] = low;
    this.#high[this.#length++] = high;
  }

  at(index: number): bigint {
    return joinU64(this.#low[index]!, this.#high[index]!);
  }

  text(index: number): string {
    return formatU64(this.#low[index]!, this.#high[index]!);
  }

  /** Decimal texts of the entries [from, from+count). */
  slice(from: number, count: number): string[] {
    const texts: string[] = [];
    for (let index = from; index < Math.min(this.#length, from + count); index++) texts.push(this.text(index));
    return texts;
  }

  /** Puts the ids in ascending order. */
  sort(): void {
    const order = new BigUint64Array(this.#length);
    for (let index = 0; index < this.#length; index++) order[index] = this.at(index);
    order.sort();
    for (let index = 0; index < this.#length; index++) {
      this.#low[index] = Number(order[index]! & 0xffff_ffffn);
      this.#high[index] = Number(order[index]! >> 32n);
    }
  }
}
