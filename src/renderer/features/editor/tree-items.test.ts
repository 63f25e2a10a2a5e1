import { expect, test } from 'vitest';
import { parseSyntax } from '../../../core/json/syntax.ts';
import { flattenTree, nearestItem, pathKey, typedItem } from './tree-items.ts';

function shown(text: string, expanded: string[]): string[] {
  const parsed = parseSyntax(text);
  if (!parsed.ok) throw new Error('not JSON');
  return flattenTree(parsed.tree, new Set(expanded)).map(
    (item) => `${pathKey(item.path)} ${parsed.tree.token(item.node)} of ${item.siblings}`,
  );
}

test('only values whose containers are all expanded show, in the order of the text', () => {
  const text = '{"b":[1,[2]],"a":{"c":3}}';
  expect(shown(text, [])).toEqual([` ${text} of 1`]);
  expect(shown(text, [''])).toEqual([` ${text} of 1`, '0 [1,[2]] of 2', '1 {"c":3} of 2']);
  expect(shown(text, ['', '0', '0/1'])).toEqual([
    ` ${text} of 1`,
    '0 [1,[2]] of 2',
    '0/0 1 of 2',
    '0/1 [2] of 2',
    '0/1/0 2 of 1',
    '1 {"c":3} of 2',
  ]);
});

test('members with equal keys are each there', () => {
  expect(shown('{"a":1,"a":2}', [''])).toEqual([' {"a":1,"a":2} of 1', '0 1 of 2', '1 2 of 2']);
});

function itemsOf(text: string, expanded: string[]) {
  const parsed = parseSyntax(text);
  if (!parsed.ok) throw new Error('not JSON');
  return { tree: parsed.tree, items: flattenTree(parsed.tree, new Set(expanded)) };
}

test('where the selected value is gone, what is nearest to it is selected', () => {
  const { items } = itemsOf('{"a":1,"b":[1,2],"c":[]}', ['', '1', '2']);
  const nearest = (...path: number[]) => pathKey(items[nearestItem(items, path)]!.path);
  expect(nearest(1, 1)).toBe('1/1');
  expect(nearest(1, 7)).toBe('1/1');
  expect(nearest(7)).toBe('2');
  expect(nearest(2, 0)).toBe('2');
  expect(nearest(0, 3, 4)).toBe('0');
  expect(nearest()).toBe('');
});

test('letters go to the next key that begins so, around the end', () => {
  const { items, tree } = itemsOf('{"title":1,"Tags":[1,2],"text":3,"other":4}', ['', '1']);
  const key = (from: number, typed: string) => {
    const found = typedItem(items, tree, from, typed);
    return found < 0 ? null : pathKey(items[found]!.path);
  };
  expect(key(0, 't')).toBe('0');
  expect(key(1, 't')).toBe('1');
  expect(key(1, 'te')).toBe('2');
  expect(key(1, 'ti')).toBe('0');
  expect(key(2, 'tt')).toBe('2');
  expect(key(5, 't')).toBe('0');
  expect(key(0, '1')).toBe('1/1');
  expect(key(0, 'x')).toBe(null);
});
