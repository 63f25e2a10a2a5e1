import { describe, expect, test } from 'vitest';
import { inRange, moveFocus, nextOrder, wentUp } from './grid-model.ts';

const size = { rows: 10_000_000, columns: 6, pageRows: 30 };
const press = (from: { row: number; column: number }, key: string, ctrlKey = false) =>
  moveFocus(from, { key, ctrlKey, metaKey: false }, size);

describe('keys of the grid', () => {
  test('arrows move one cell and stop at the edges', () => {
    expect(press({ row: 5, column: 2 }, 'ArrowDown')).toEqual({ row: 6, column: 2 });
    expect(press({ row: 9_999_999, column: 5 }, 'ArrowDown')).toEqual({ row: 9_999_999, column: 5 });
    expect(press({ row: 5, column: 5 }, 'ArrowRight')).toEqual({ row: 5, column: 5 });
    expect(press({ row: 5, column: 0 }, 'ArrowLeft')).toEqual({ row: 5, column: 0 });
  });

  test('up from the first row is the header, and down from it the first row', () => {
    expect(press({ row: 0, column: 3 }, 'ArrowUp')).toEqual({ row: -1, column: 3 });
    expect(press({ row: -1, column: 3 }, 'ArrowUp')).toEqual({ row: -1, column: 3 });
    expect(press({ row: -1, column: 3 }, 'ArrowDown')).toEqual({ row: 0, column: 3 });
  });

  test('Home and End move in the row, with Ctrl to the ends of the data', () => {
    expect(press({ row: 5, column: 2 }, 'Home')).toEqual({ row: 5, column: 0 });
    expect(press({ row: 5, column: 2 }, 'End')).toEqual({ row: 5, column: 5 });
    expect(press({ row: 5, column: 2 }, 'Home', true)).toEqual({ row: 0, column: 0 });
    expect(press({ row: 5, column: 2 }, 'End', true)).toEqual({ row: 9_999_999, column: 5 });
  });

  test('Page keys keep one row of overlap and do not reach the header', () => {
    expect(press({ row: 100, column: 1 }, 'PageDown')).toEqual({ row: 129, column: 1 });
    expect(press({ row: 10, column: 1 }, 'PageUp')).toEqual({ row: 0, column: 1 });
  });

  test('an empty grid has its header only', () => {
    const empty = { ...size, rows: 0 };
    expect(moveFocus({ row: -1, column: 0 }, { key: 'ArrowDown', ctrlKey: false, metaKey: false }, empty)).toEqual({
      row: -1,
      column: 0,
    });
    expect(moveFocus({ row: -1, column: 0 }, { key: 'End', ctrlKey: true, metaKey: false }, empty)?.row).toBe(-1);
  });

  test('a key that is none of the grid moves nothing', () => {
    expect(press({ row: 5, column: 2 }, 'a')).toBeNull();
  });
});

test('a header sorts ascending first, then descending', () => {
  expect(nextOrder({ by: 'offset', direction: 'ascending' }, 'id')).toEqual({ by: 'id', direction: 'ascending' });
  expect(nextOrder({ by: 'id', direction: 'ascending' }, 'id')).toEqual({ by: 'id', direction: 'descending' });
});

test('a range holds both its ends, in either direction', () => {
  expect([4, 5, 7, 8].map((row) => inRange({ anchor: 7, head: 5 }, row))).toEqual([false, true, true, false]);
  expect(inRange(null, 0)).toBe(false);
});

test('one went up where the rows moved by more than half of one, and not because the list or its place changed size', () => {
  const before = { top: 1_000, total: 100, height: 400 };
  expect(wentUp(before, { ...before, top: 980 }, 26)).toBe(true);
  expect(wentUp(before, { ...before, top: 990 }, 26)).toBe(false);
  expect(wentUp(before, { ...before, top: 1_026 }, 26)).toBe(false);
  // A banner left while a row was appended.
  expect(wentUp(before, { top: 967, total: 101, height: 433 }, 26)).toBe(false);
  expect(wentUp(before, { top: 967, total: 100, height: 433 }, 26)).toBe(false);
});
