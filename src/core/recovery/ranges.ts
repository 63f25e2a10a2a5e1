import { VerdictCode } from '../record-table.ts';
import { VERDICTS, type Verdict } from '../segment.ts';

/** What becomes of a range of the input. The position is its code in the column. */
export const FATES = ['kept', 'left-out', 'compacted-away'] as const;
export type Fate = (typeof FATES)[number];
export const FateCode = { kept: 0, leftOut: 1, compactedAway: 2 } as const;

/**
 * The input of a recovery as ranges in file order, each with its fate. They tile the input, so every byte is accounted for by
 * construction. Columns, because compacting a log of millions of records can leave as many ranges.
 */
export class RangeList {
  #count = 0;
  #offsets = new Float64Array(64);
  #fates = new Uint8Array(64);
  #verdicts = new Uint8Array(64);
  /** Where the last range ends; set when all are in. */
  end = 0;

  get count(): number {
    return this.#count;
  }

  /**
   * Appends a range that starts at `offset`, where the last one ends. Neighbours of one fate become one range, except damage that
   * is left out: each damaged segment stays a piece of evidence of its own. Returns the range's place.
   */
  push(offset: number, fate: number, verdict: number): number {
    const last = this.#count - 1;
    if (last >= 0 && this.#fates[last] === fate) {
      const intact = verdict === VerdictCode.ok || verdict === VerdictCode.unprotected;
      if (fate !== FateCode.leftOut || (intact && this.#verdicts[last] === verdict)) return last;
    }
    if (this.#count === this.#offsets.length) this.#grow();
    this.#offsets[this.#count] = offset;
    this.#fates[this.#count] = fate;
    this.#verdicts[this.#count] = verdict;
    return this.#count++;
  }

  #grow(): void {
    const grown = <Column extends Float64Array | Uint8Array>(column: Column): Column => {
      const larger = new (column.constructor as new (length: number) => Column)(column.length * 2);
      larger.set(column);
      return larger;
    };
    this.#offsets = grown(this.#offsets);
    this.#fates = grown(this.#fates);
    this.#verdicts = grown(this.#verdicts);
  }

  offset(range: number): number {
    return this.#offsets[range]!;
  }

  length(range: number): number {
    return (range + 1 < this.#count ? this.#offsets[range + 1]! : this.end) - this.#offsets[range]!;
  }

  fateCode(range: number): number {
    return this.#fates[range]!;
  }

  fate(range: number): Fate {
    return FATES[this.#fates[range]!]!;
  }

  /** What was known of the range's bytes; of merged intact records what they have in common. */
  verdict(range: number): Verdict {
    return VERDICTS[this.#verdicts[range]!]!;
  }
}
