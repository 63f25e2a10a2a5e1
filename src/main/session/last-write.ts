import { IdIndex } from '../../core/id-index.ts';

/** More ids than this are not remembered: they would take more memory than the index of the log they are in. */
export const MOST_UNDONE = 4_000_000;
/** The place of an id that holds nothing. No record's length field lies there. */
export const NOTHING = 0;

export type WriteKind = 'write' | 'import' | 'undo';

/** One id of a write: where its record lay before and lies after it (offsets of the length field, or NOTHING). */
export interface WrittenId {
  low: number;
  high: number;
  before: number;
  after: number;
}

/**
 * What a write changed, so that it can be taken back: for each id the places of its records before and after, not their payloads. The log
 * is only ever appended to, so what stood there before stands there still, and an import of a million records is remembered in
 * megabytes. A write of several batches (an import) is one: an id keeps its first place before and gets its last one after.
 */
export class LastWrite {
  #count = 0;
  /** Number of each id in the columns. */
  #numbers = new IdIndex();
  #halves = new Uint32Array(32);
  #places = new Float64Array(32);

  /**
   * @param group tells the batches of one write from others; null for a write of one batch
   * @param log the file it was written to
   */
  constructor(
    readonly kind: WriteKind,
    readonly group: string | null,
    readonly log: { device: bigint; inode: bigint },
  ) {}

  get count(): number {
    return this.#count;
  }

  /** Whether it was more than can be remembered; nothing of it is then. */
  get isTooLarge(): boolean {
    return this.#count > MOST_UNDONE;
  }

  note({ low, high, before, after }: WrittenId): void {
    if (this.isTooLarge) return;
    const slot = this.#numbers.find(low, high);
    if (slot >= 0) {
      this.#places[this.#numbers.offsetAt(slot) * 2 + 1] = after;
      return;
    }
    if (this.#count === MOST_UNDONE) {
      this.#count++;
      this.#numbers = new IdIndex();
      this.#halves = new Uint32Array();
      this.#places = new Float64Array();
      return;
    }
    if (this.#count * 2 === this.#halves.length) {
      const { length } = this.#halves;
      const halves = new Uint32Array(length * 2);
      halves.set(this.#halves);
      this.#halves = halves;
      const places = new Float64Array(length * 2);
      places.set(this.#places);
      this.#places = places;
    }
    this.#numbers.set(low, high, this.#count);
    this.#halves.set([low, high], this.#count * 2);
    this.#places.set([before, after], this.#count * 2);
    this.#count++;
  }

  /** The id noted as number `at`, in the order they were noted. */
  at(at: number): WrittenId {
    return {
      low: this.#halves[at * 2]!,
      high: this.#halves[at * 2 + 1]!,
      before: this.#places[at * 2]!,
      after: this.#places[at * 2 + 1]!,
    };
  }

  /** What is left to take back where all before number `from` was taken back. */
  from(from: number): LastWrite {
    const rest = new LastWrite(this.kind, null, this.log);
    for (let at = from; at < this.#count; at++) rest.note(this.at(at));
    return rest;
  }
}
