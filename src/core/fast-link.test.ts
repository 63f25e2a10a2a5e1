import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fastLinkerFor } from './fast-link.ts';
import { allocateColumns, type LinkColumns, slotsFor } from './link-columns.ts';
import { linkRows } from './link-rows.ts';
import { INFO_OK_DELETE, INFO_OK_STORE } from './row-info.ts';

const seed = Number(process.env.VELESCOPE_SEED ?? (Math.random() * 0x7fff_ffff) | 0);
console.log(`linking in WebAssembly: VELESCOPE_SEED=${seed}`);

const AREAS = ['previous', 'ordinals', 'info', 'states', 'direct', 'heads', 'tags', 'counts'] as const;

/** Both ways of linking, a stretch after the other, and what each says. */
function linkBoth(
  ids: readonly (readonly [number, number])[],
  infos: readonly number[],
  ends: number[],
  hashSeed: number,
) {
  const rows = ids.length;
  const make = (fast: boolean): LinkColumns => {
    const columns = allocateColumns(rows, slotsFor(rows), { fast });
    ids.forEach(([low, high], row) => {
      columns.idLow[row] = low;
      columns.idHigh[row] = high;
      columns.info[row] = infos[row % infos.length]!;
      // What an earlier life of the row may have left behind.
      columns.previous[row] = 0xffff;
      columns.ordinals[row] = 0xffff;
    });
    return columns;
  };
  const fast = make(true);
  const plain = make(false);
  const { linker } = fast;
  if (!linker) throw new Error('There is no WebAssembly here.');
  let from = 0;
  for (const end of [...ends.map((part) => Math.floor(part * rows)).sort((a, b) => a - b), rows]) {
    linker.link(from, end, hashSeed, fast.heads.length - 1, fast.capacity);
    linkRows(plain, from, end, hashSeed);
    from = end;
  }
  return { fast, plain };
}

function expectEqual({ fast, plain }: { fast: LinkColumns; plain: LinkColumns }): void {
  for (const area of AREAS) {
    const [one, other] = [fast[area], plain[area]];
    expect(one.length).toBe(other.length);
    const differs = one.findIndex((value, at) => value !== other[at]);
    expect([area, differs, one[differs], other[differs]]).toEqual([area, -1, undefined, undefined]);
  }
}

describe('the fast routine links as the plain loop does', () => {
  it('for rows of every kind, linked in any pieces, whatever the ids', () => {
    const half = fc.oneof(fc.nat(40), fc.integer({ min: 0, max: 0xffff_ffff }));
    const id = fc.oneof(fc.tuple(half, fc.constantFrom(0, 0, 1, 0xffff_ffff)), fc.tuple(half, half));
    fc.assert(
      fc.property(
        fc.array(id, { maxLength: 300, size: 'max' }),
        fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 1, maxLength: 40 }),
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 3 }),
        fc.integer({ min: 0, max: 0xffff_ffff }),
        (ids, infos, ends, hashSeed) => expectEqual(linkBoth(ids, infos, ends, hashSeed)),
      ),
      { seed, numRuns: 100 },
    );
  });

  it.each([1, 16, 1 << 20])(
    'for a hundred thousand ids that differ by %d, each stored, changed and some deleted',
    (stride) => {
      const ids = Array.from({ length: 250_000 }, (_, row): [number, number] => {
        const id = (row % 100_000) * stride;
        return [id >>> 0, Math.floor(id / 0x1_0000_0000)];
      });
      const both = linkBoth(ids, [INFO_OK_STORE, INFO_OK_STORE, INFO_OK_DELETE], [0.1, 0.7], 0x1234_5678);
      expectEqual(both);
      expect(both.fast.ordinals[249_999]).toBe(3);
    },
  );
});

it('more than WebAssembly can address is left to the plain loop', () => {
  expect(fastLinkerFor([2 ** 32, 2 ** 32])).toBeNull();
});
