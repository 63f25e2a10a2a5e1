import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeInfo, INFO_OK_DELETE, INFO_OK_STORE, NO_ROW, RecordTable } from './record-table.ts';
import { highU32, lowU32 } from './u64.ts';

/** A row that is in no id's chain. */
const GAP = encodeInfo('gap', 'crc', 'unknown-bytes', false, false);

/** The index in its table, beside a Map that holds the same, written plainly. */
class Pair {
  readonly table = new RecordTable();
  /** id → row. */
  readonly map = new Map<bigint, number>();
  readonly ids: bigint[] = [];
  /** For each row what its id's newest row was before, row + 1. */
  readonly befores: number[] = [];

  /** Appends a row for each id and links them; where `isGap`, one that has nothing to do with the id. */
  put(ids: readonly bigint[], isGap: (at: number) => boolean): void {
    const from = this.ids.length;
    ids.forEach((id, at) => {
      const row = from + at;
      const gap = isGap(at);
      const info = gap ? GAP : row % 7 === 0 ? INFO_OK_DELETE : INFO_OK_STORE;
      this.table.push(row * 13, info, lowU32(id), highU32(id));
      this.ids.push(id);
      this.befores.push(gap ? NO_ROW : (this.map.get(id) ?? -1) + 1);
      if (!gap) this.map.set(id, row);
    });
    this.table.end = this.ids.length * 13;
    this.table.link();
    for (let row = from; row < this.ids.length; row++) {
      if (this.table.previous[row] !== this.befores[row]) {
        throw new Error(`row ${row}: before it ${this.table.previous[row]}, expected ${this.befores[row]}`);
      }
    }
  }

  /** Forgets the last rows. */
  takeBack(rows: number): void {
    for (let count = 0; count < rows && this.ids.length > 0; count++) {
      const row = this.ids.length - 1;
      const id = this.ids.pop()!;
      const before = this.befores.pop()!;
      if (this.map.get(id) !== row) continue;
      if (before === NO_ROW) this.map.delete(id);
      else this.map.set(id, before - 1);
    }
    this.table.truncate(this.ids.length);
  }

  compare(strangers: readonly bigint[]): void {
    expect(this.table.ids).toBe(this.map.size);
    let wrong = 0;
    for (const [id, row] of this.map) if (this.table.newestRow(lowU32(id), highU32(id)) !== row) wrong++;
    for (const id of strangers) {
      if (this.table.newestRow(lowU32(id), highU32(id)) !== (this.map.get(id) ?? -1)) wrong++;
    }
    expect(wrong).toBe(0);
  }
}

const seed = Date.now() & 0x7fff_ffff;
console.info(`row-index.test.ts: seed ${seed}`);

/** Mulberry32, because a million ids through fast-check would be a test of fast-check. */
function randomNumbers(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

const MASK = 0xffff_ffff_ffff_ffffn;
/** Ways in which ids come: the nth id, given random bits. */
const SERIES: Record<string, (at: number, random: bigint) => bigint> = {
  'in sequence': (at) => BigInt(at),
  'downwards from the largest': (at) => MASK - BigInt(at),
  'in no order': (_, random) => random,
  'in sequence, every tenth again': (at, random) => (at % 10 === 9 ? random % BigInt(at) : BigInt(at)),
  'the same low sixteen bits': (at) => (BigInt(at) << 16n) | 7n,
  'the same low half': (at) => (BigInt(at) << 32n) | 0x1234n,
  'the same high half, in no order': (_, random) => (0xabcdn << 48n) | (random & 0xff_ffff_ffffn),
  'strides of 16': (at) => BigInt(at) * 16n,
  'strides of 4096': (at) => BigInt(at) * 4096n,
  'strides of 2^40 + 16': (at) => (BigInt(at) * 0x100_0000_0010n) & MASK,
  'few ids again and again': (_, random) => random % 40n,
};

describe('RowIndex', () => {
  it.each(Object.entries(SERIES))('holds what a Map holds for ids %s, and gives them back from the end', (_, idOf) => {
    const random = randomNumbers(seed);
    const rows = 120_000;
    const pair = new Pair();
    const ids = Array.from({ length: rows }, (_, at) => idOf(at, (BigInt(random()) << 32n) | BigInt(random())));
    const strangers = ids.slice(0, 2000).map((id) => (id ^ (1n << BigInt(random() % 64))) & MASK);
    // Few rows at a time, then many: the index grows both ways.
    for (let from = 0; from < rows; ) {
      const to = Math.min(rows, from + (from < 30_000 ? 1 + (random() % 3000) : 80_000));
      pair.put(ids.slice(from, to), () => random() % 50 === 0);
      from = to;
    }
    pair.compare(strangers);
    pair.takeBack(50_000);
    pair.compare([...strangers, ...ids.slice(-2000)]);
    pair.put(ids.slice(-1000), () => false);
    pair.compare(strangers);
    pair.takeBack(rows);
    pair.compare(ids.slice(0, 2000));
    expect(pair.table.ids).toBe(0);
  });

  it('holds what a Map holds after any batches and any number of rows taken back', () => {
    const id = fc.oneof(
      fc.bigInt(0n, 40n),
      fc.bigInt(0n, MASK),
      fc.bigInt(0n, 60n).map((at) => at << 10n),
    );
    const step = fc.oneof(
      {
        weight: 3,
        arbitrary: fc.record({ put: fc.array(fc.tuple(id, fc.boolean()), { maxLength: 400, size: 'max' }) }),
      },
      { weight: 1, arbitrary: fc.record({ takeBack: fc.nat(500) }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12, size: 'max' }), (steps) => {
        const pair = new Pair();
        for (const action of steps) {
          if ('takeBack' in action) pair.takeBack(action.takeBack);
          else
            pair.put(
              action.put.map(([id]) => id),
              (at) => action.put[at]![1] && at % 4 === 0,
            );
          pair.compare([0n, 1n, MASK, 1n << 10n]);
        }
      }),
      { seed, numRuns: 100 },
    );
  });
});
