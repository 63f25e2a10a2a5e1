import { runToEnd, type Steps } from './steps.ts';
import { formatU64, joinU64 } from './u64.ts';

/** Below this, ids are put in order in one go: a few milliseconds. */
const SORTED_AT_ONCE = 1 << 14;
/** Ids between two steps. */
const STRIDE = 1 << 18;
/** The digits of an id, the lowest first: which half, and how far up in it. */
const DIGITS = [
  ['low', 0],
  ['low', 16],
  ['high', 0],
  ['high', 16],
] as const;

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
    runToEnd(this.sorting());
  }

  /**
   * `sort` in steps: counted out by sixteen bits at a time, from the lowest, which is linear. The sort of a BigUint64Array cannot be stopped, and
   * of ten million ids it takes a second.
   */
  *sorting(): Steps<void> {
    const length = this.#length;
    if (length < SORTED_AT_ONCE) {
      this.#sortShort();
      return;
    }
    let [low, high] = [this.#low, this.#high];
    let [nextLow, nextHigh] = [new Uint32Array(low.length), new Uint32Array(high.length)];
    const starts = new Uint32Array(0x1_0000);
    for (const [half, shift] of DIGITS) {
      const digits = half === 'low' ? low : high;
      starts.fill(0);
      for (let index = 0; index < length; index++) {
        starts[(digits[index]! >>> shift) & 0xffff]!++;
        if (index % STRIDE === 0) yield { done: index, total: length };
      }
      // Ids are small numbers as a rule: then they all have the same upper digits, and there is nothing to do.
      if (starts[(digits[0]! >>> shift) & 0xffff] === length) continue;
      for (let digit = 0, start = 0; digit < starts.length; digit++) {
        const count = starts[digit]!;
        starts[digit] = start;
        start += count;
      }
      for (let index = 0; index < length; index++) {
        const place = starts[(digits[index]! >>> shift) & 0xffff]!++;
        nextLow[place] = low[index]!;
        nextHigh[place] = high[index]!;
        if (index % STRIDE === 0) yield { done: index, total: length };
      }
      [low, high, nextLow, nextHigh] = [nextLow, nextHigh, low, high];
    }
    this.#low = low;
    this.#high = high;
  }

  #sortShort(): void {
    const order = new BigUint64Array(this.#length);
    for (let index = 0; index < this.#length; index++) order[index] = this.at(index);
    order.sort();
    for (let index = 0; index < this.#length; index++) {
      this.#low[index] = Number(order[index]! & 0xffff_ffffn);
      this.#high[index] = Number(order[index]! >> 32n);
    }
  }
}
