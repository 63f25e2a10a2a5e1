import { expect, test } from 'vitest';
import { layOut } from './layout.ts';
import { readAs } from './reading.ts';

test('what VelesDB makes of a text: the same, something else, or nothing', () => {
  expect(readAs('{"a":1}', 'approximate', 9)).toEqual({ state: 'same' });
  expect(readAs('{"b":1,"a":2}', 'approximate', 9)).toMatchObject({
    state: 'differs',
    after: '{"a":2,"b":1}',
    list: [{ kind: 'keys-reordered' }],
  });
  expect(readAs('{"a":1e309}', 'approximate', 9)).toMatchObject({ state: 'refused' });
  expect(readAs('"\ud800"', 'approximate', 9)).toMatchObject({ state: 'refused' });
});

test('a draft is stored compact again where it and the record were, and else as it stands', () => {
  expect(layOut('{"a":1}', '{"a":1}')).toEqual({ displayed: '{\n  "a": 1\n}', compact: true });
  expect(layOut('{"a":1}', '{ "a":1}')).toEqual({ displayed: '{"a":1}', compact: false });
  expect(layOut('{ "a":2}', '{"a":1}')).toEqual({ displayed: '{ "a":2}', compact: false });
  expect(layOut('{"a":1}', null)).toEqual({ displayed: '{\n  "a": 1\n}', compact: true });
  expect(layOut('{ "a":1}', '{ "a":1}')).toEqual({ displayed: '{ "a":1}', compact: false });
});
