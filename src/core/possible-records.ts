import type { PossibleRecord } from './segment.ts';
import { joinU64 } from './u64.ts';

/**
 * The possible records of one piece of damage, in file order. In columns: a length that grew by one bit may span half a million records, and
 * an object for each would take more than all rows of the table.
 */
export class PossibleRecords {
  #count = 0;
  #offsets = new Float64Array(4);
  /** Three a record: its length, and the two halves of its id. */
  #words = new Uint32Array(12);

  get length(): number {
    return this.#count;
  }

  push(offset: number, length: number, low: number, high: number): void {
    if (this.#count === this.#offsets.length) {
      const offsets = new Float64Array(this.#count * 2);
      const words = new Uint32Array(this.#count * 6);
      offsets.set(this.#offsets);
      words.set(this.#words);
      this.#offsets = offsets;
      this.#words = words;
    }
    this.#offsets[this.#count] = offset;
    this.#words.set([length, low, high], this.#count * 3);
    this.#count++;
  }

  /** Appends all of another list. */
  add(other: PossibleRecords): void {
    for (let index = 0; index < other.#count; index++) {
      const at = index * 3;
      this.push(other.#offsets[index]!, other.#words[at]!, other.#words[at + 1]!, other.#words[at + 2]!);
    }
  }

  /** The first of them; all unless told how many. */
  first(most = this.#count): PossibleRecord[] {
    return Array.from({ length: Math.min(most, this.#count) }, (_, index) => this.#at(index));
  }

  *[Symbol.iterator](): Iterator<PossibleRecord> {
    for (let index = 0; index < this.#count; index++) yield this.#at(index);
  }

  #at(index: number): PossibleRecord {
    const [length, low, high] = this.#words.subarray(index * 3, index * 3 + 3);
    return { offset: this.#offsets[index]!, length: length!, id: joinU64(low!, high!) };
  }
}
