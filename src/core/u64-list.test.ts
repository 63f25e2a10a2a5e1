import fc from 'fast-check';
import { expect, test } from 'vitest';
import { highU32, lowU32 } from './u64.ts';
import { U64List } from './u64-list.ts';

const seed = Date.now() & 0x7fff_ffff;
console.info(`u64-list.test.ts: seed ${seed}`);

function sorted(ids: readonly bigint[]): bigint[] {
  const list = new U64List();
  for (const id of ids) list.push(lowU32(id), highU32(id));
  list.sort();
  return Array.from({ length: list.length }, (_, index) => list.at(index));
}

/** Numbers that are spread over some of the 64 bits. */
const spread = fc.tuple(fc.integer({ min: 1, max: 64 }), fc.nat(), fc.integer({ min: 0, max: 40_000 }));

test('ids come in ascending order, few or many, whichever of their digits differ', () => {
  const asc = (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0);
  fc.assert(
    fc.property(spread, ([bits, salt, length]) => {
      let state = BigInt(salt) + 1n;
      const ids = Array.from({ length }, () => {
        state = BigInt.asUintN(64, state * 6364136223846793005n + 1442695040888963407n);
        return state >> BigInt(64 - bits);
      });
      expect(sorted(ids)).toEqual([...ids].sort(asc));
    }),
    { seed, numRuns: 40 },
  );
});

test('many are put in order in steps', () => {
  const list = new U64List();
  for (let id = 600_000; id > 0; id--) list.push(id, 0);
  expect([...list.sorting()].length).toBeGreaterThan(8);
  expect([list.at(0), list.at(599_999)]).toEqual([1n, 600_000n]);
});
