import { expect, test } from 'vitest';
import { joined } from './joined.ts';

test('rows that follow each other in the log are one mark, in whatever order the grid shows them', () => {
  const rows = [
    { from: 20, to: 30 },
    { from: 0, to: 10 },
    { from: 10, to: 20 },
  ];
  expect(joined(rows, 0)).toEqual([{ from: 0, to: 30 }]);
});

test('rows far from each other are marked apart, and one within another adds nothing', () => {
  const rows = [
    { from: 0, to: 50 },
    { from: 10, to: 20 },
    { from: 53, to: 60 },
    { from: 900, to: 910 },
  ];
  expect(joined(rows, 5)).toEqual([
    { from: 0, to: 60 },
    { from: 900, to: 910 },
  ]);
  expect(joined([], 5)).toEqual([]);
});
