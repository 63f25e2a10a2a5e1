import { expect, test } from 'vitest';
import { PossibleRecords } from './possible-records.ts';

test('records come back as they were pushed, however many, and from another list behind those that are there', () => {
  const records = Array.from({ length: 100 }, (_, index) => ({
    offset: 2 ** 40 + index,
    length: index + 13,
    id: (BigInt(index) << 33n) + 7n,
  }));
  const [all, rest] = [new PossibleRecords(), new PossibleRecords()];
  for (const [index, { offset, length, id }] of records.entries()) {
    (index < 60 ? all : rest).push(offset, length, Number(id & 0xffff_ffffn), Number(id >> 32n));
  }
  all.add(rest);
  expect(all.length).toBe(100);
  expect(all.first()).toEqual(records);
  expect([...all]).toEqual(records);
  expect(all.first(3)).toEqual(records.slice(0, 3));
  expect(rest.first(50)).toEqual(records.slice(60));
});
