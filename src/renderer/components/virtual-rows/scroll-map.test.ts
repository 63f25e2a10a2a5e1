import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ScrollMap, SPACER_LIMIT, spacerHeight } from './scroll-map.ts';

const ROW = 26;
const VIEWPORT = 700;
/** Chromium's cap on the height of an element. */
const CHROMIUM_CAP = 33_554_428;

/** The scrolled element as a browser keeps it: whole pixels within its range. */
function element(map: ScrollMap, rows: number, viewportHeight = VIEWPORT) {
  const maximum = Math.max(0, spacerHeight(rows, ROW) - viewportHeight);
  let scrollTop = 0;
  const place = (to: number | null) => {
    if (to === null) return;
    scrollTop = Math.max(0, Math.min(maximum, Math.round(to)));
    map.scroll = scrollTop;
  };
  place(map.resize({ rows, rowHeight: ROW, viewportHeight }));
  return {
    maximum,
    place,
    wheel(pixels: number) {
      scrollTop = Math.max(0, Math.min(maximum, scrollTop + pixels));
      place(map.scrolled(scrollTop));
    },
    drag(to: number) {
      scrollTop = Math.max(0, Math.min(maximum, to));
      place(map.scrolled(scrollTop));
    },
    rest() {
      place(map.rest());
    },
  };
}

const rowCounts = fc.integer({ min: 1, max: 200_000_000 });

describe('a list made anew, in which what is shown stands further down', () => {
  test('shows the same rows in the same place, however long it is', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 100, max: 100_000_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 0, max: 1_000_000 }),
        (rows, where, by) => {
          const map = new ScrollMap();
          const scrolled = element(map, rows);
          scrolled.drag(where * scrolled.maximum);
          const { firstRow } = map;
          const at = map.offsetOf(firstRow);
          map.resize({ rows: rows + by, rowHeight: ROW, viewportHeight: VIEWPORT });
          map.shift(by);
          expect(map.firstRow).toBe(firstRow + by);
          expect(map.offsetOf(firstRow + by)).toBeCloseTo(at, 3);
        },
      ),
    );
  });
});

describe('scroll position and rows', () => {
  test('the scrolled element never comes near the height Chromium caps', () => {
    fc.assert(
      fc.property(rowCounts, (rows) => {
        expect(spacerHeight(rows, ROW)).toBeLessThanOrEqual(SPACER_LIMIT);
        expect(SPACER_LIMIT * 2).toBeLessThan(CHROMIUM_CAP);
      }),
    );
  });

  test('jumping to a row shows it whole, whichever it is', () => {
    fc.assert(
      fc.property(rowCounts, fc.double({ min: 0, max: 1, noNaN: true }), (rows, part) => {
        const row = Math.floor(part * (rows - 1));
        const map = new ScrollMap();
        const scrolled = element(map, rows);
        scrolled.place(map.reveal(row));
        expect(map.offsetOf(row)).toBeGreaterThanOrEqual(0);
        expect(map.offsetOf(row) + ROW).toBeLessThanOrEqual(Math.max(VIEWPORT, ROW));
        scrolled.place(map.center(row));
        expect(map.firstRow).toBeLessThanOrEqual(row);
        expect(map.lastRow).toBeGreaterThanOrEqual(row);
      }),
    );
  });

  test('from any place, small movements move the rows pixel for pixel, and coming to rest moves nothing', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1_000, max: 200_000_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.array(fc.integer({ min: -900, max: 900 }), { maxLength: 60 }),
        fc.integer({ min: 1, max: 7 }),
        (rows, part, movements, restEvery) => {
          const map = new ScrollMap();
          const scrolled = element(map, rows);
          const total = movements.reduce((sum, movement) => sum + Math.abs(movement), 0);
          // Far enough from the ends for none of the movements to be cut there.
          const from = total + Math.floor(part * Math.max(0, map.maximumTop - 2 * total));
          fc.pre(from + total <= map.maximumTop);
          scrolled.place(map.moveTo(from));
          let expected = map.top;
          movements.forEach((movement, index) => {
            scrolled.wheel(movement);
            expected += movement;
            expect(map.top).toBe(expected);
            if (index % restEvery === 0) {
              scrolled.rest();
              expect(map.top).toBe(expected);
            }
          });
        },
      ),
    );
  });

  test('wheeling down from near the end reaches the last row exactly, without jumping over any', () => {
    fc.assert(
      fc.property(fc.integer({ min: 400_000, max: 200_000_000 }), fc.integer({ min: 1, max: 300 }), (rows, back) => {
        const map = new ScrollMap();
        const scrolled = element(map, rows);
        scrolled.place(map.moveTo(map.maximumTop - back * ROW));
        for (let step = 0; step < back * ROW + 2 && map.top < map.maximumTop; step++) {
          const before = map.top;
          scrolled.wheel(53);
          expect(map.top).toBe(Math.min(map.maximumTop, before + 53));
        }
        scrolled.rest();
        expect(map.lastRow).toBe(rows - 1);
        expect(map.scroll).toBe(scrolled.maximum);
      }),
    );
  });

  test('dragging the thumb to its ends shows the first and the last row', () => {
    fc.assert(
      fc.property(rowCounts, (rows) => {
        const map = new ScrollMap();
        const scrolled = element(map, rows);
        scrolled.drag(scrolled.maximum);
        expect(map.lastRow).toBe(rows - 1);
        scrolled.drag(0);
        expect(map.firstRow).toBe(0);
      }),
    );
  });

  test('dragging the thumb further down never shows earlier rows', () => {
    const map = new ScrollMap();
    const scrolled = element(map, 10_000_000);
    let before = -1;
    for (let to = 0; to <= scrolled.maximum; to += 12_345) {
      scrolled.drag(to);
      expect(map.top).toBeGreaterThanOrEqual(before);
      before = map.top;
    }
  });

  test('a list that shrinks keeps its place as far as it reaches', () => {
    const map = new ScrollMap();
    const scrolled = element(map, 10_000_000);
    scrolled.place(map.reveal(9_999_999));
    scrolled.place(map.resize({ rows: 100, rowHeight: ROW, viewportHeight: VIEWPORT }));
    expect(map.lastRow).toBe(99);
    scrolled.place(map.resize({ rows: 0, rowHeight: ROW, viewportHeight: VIEWPORT }));
    expect(map.top).toBe(0);
    expect(map.lastRow).toBe(-1);
  });
});
