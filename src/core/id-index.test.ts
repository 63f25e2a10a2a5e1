import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IdIndex } from './id-index.ts';
import { highU32, joinU64, lowU32 } from './u64.ts';

const id = fc.oneof(fc.bigInt({ min: 0n, max: 12n }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }));
const offset = fc.oneof(
  fc.bigInt({ min: 0n, max: 3n }),
  fc.bigInt({ min: 2n ** 32n - 2n, max: 2n ** 32n + 2n }),
  fc.bigInt({ min: 2n ** 53n - 2n, max: 2n ** 53n + 2n }),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
);
const step = fc.oneof(
  fc.record({ id, offset }),
  fc.record({ id, offset }),
  fc.record({ id, offset: fc.constant(null) }),
);

describe('IdIndex', () => {
  it('is a map of u64 to u64, whatever is set and deleted', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200, size: 'max' }), fc.nat(100), (steps, expected) => {
        const index = new IdIndex(expected);
        const model = new Map<bigint, bigint>();
        for (const { id, offset } of steps) {
          const low = lowU32(id);
          const high = highU32(id);
          if (offset === null) {
            expect(index.delete(low, high)).toBe(model.delete(id));
          } else {
            if (offset < 2n ** 53n) index.set(low, high, Number(offset));
            else index.set64(low, high, offset);
            model.set(id, offset);
          }
        }
        expect(index.size).toBe(model.size);
        const entries = new Map<bigint, bigint>();
        index.forEach((low, high, approximate, slot) => {
          expect(slot).toBeLessThan(index.slots);
          expect(index.find(low, high)).toBe(slot);
          expect(index.offsetAt(slot)).toBe(approximate);
          expect(approximate).toBe(Number(index.offset64At(slot)));
          entries.set(joinU64(low, high), index.offset64At(slot));
        });
        expect(entries).toEqual(model);
        for (const { id } of steps) expect(index.find(lowU32(id), highU32(id)) >= 0).toBe(model.has(id));
      }),
      { numRuns: 500 },
    );
  });

  it('makes room in steps, and holds what it held', () => {
    const index = new IdIndex();
    const ids = 100_000;
    for (let id = 0; id < ids; id++) index.set(id, id % 3, id * 5);
    let steps = 0;
    for (const _ of index.makeRoom(10 * ids)) steps++;
    expect(steps).toBeGreaterThan(3);
    const { slots } = index;
    expect(slots * 0.7).toBeGreaterThanOrEqual(10 * ids);
    expect([...index.makeRoom(10 * ids)]).toEqual([]);
    expect(index.size).toBe(ids);
    for (let id = 0; id < ids; id++) expect(index.offsetAt(index.find(id, id % 3))).toBe(id * 5);
  });

  it('takes as a number also what a number cannot hold exactly', () => {
    const index = new IdIndex();
    index.set(1, 0, 2 ** 63);
    expect(index.offset64At(index.find(1, 0))).toBe(2n ** 63n);
    index.set(1, 0, 9);
    expect(index.offset64At(index.find(1, 0))).toBe(9n);
  });
});
