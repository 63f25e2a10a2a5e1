import { expect, test } from 'vitest';
import { parseSyntax } from '../../../core/json/syntax.ts';
import { Expansion, flattenTree, itemAt, nearestItem, pathOf, typedItem } from './tree-items.ts';

function itemsOf(text: string, open: number[][]) {
  const parsed = parseSyntax(text);
  if (!parsed.ok) throw new Error('not JSON');
  const expansion = new Expansion();
  expansion.set([], false);
  for (const path of open) expansion.set(path, true);
  return { tree: parsed.tree, items: flattenTree(parsed.tree, expansion) };
}

function shown(text: string, open: number[][]): string[] {
  const { tree, items } = itemsOf(text, open);
  return items.map((item, index) => `${pathOf(items, index).join('/')} ${tree.token(item.node)} of ${item.siblings}`);
}

test('only values whose containers are all expanded show, in the order of the text', () => {
  const text = '{"b":[1,[2]],"a":{"c":3}}';
  expect(shown(text, [])).toEqual([` ${text} of 1`]);
  expect(shown(text, [[]])).toEqual([` ${text} of 1`, '0 [1,[2]] of 2', '1 {"c":3} of 2']);
  expect(shown(text, [[], [0], [0, 1]])).toEqual([
    ` ${text} of 1`,
    '0 [1,[2]] of 2',
    '0/0 1 of 2',
    '0/1 [2] of 2',
    '0/1/0 2 of 1',
    '1 {"c":3} of 2',
  ]);
});

test('members with equal keys are each there', () => {
  expect(shown('{"a":1,"a":2}', [[]])).toEqual([' {"a":1,"a":2} of 1', '0 1 of 2', '1 2 of 2']);
});

test('where the selected value is gone, what is nearest to it is selected', () => {
  const { items } = itemsOf('{"a":1,"b":[1,2],"c":[]}', [[], [1], [2]]);
  const nearest = (...path: number[]) => pathOf(items, nearestItem(items, path)).join('/');
  expect(nearest(1, 1)).toBe('1/1');
  expect(nearest(1, 7)).toBe('1/1');
  expect(nearest(7)).toBe('2');
  expect(nearest(2, 0)).toBe('2');
  expect(nearest(0, 3, 4)).toBe('0');
  expect(nearest()).toBe('');
});

test('letters go to the next key that begins so, around the end', () => {
  const { items, tree } = itemsOf('{"title":1,"Tags":[1,2],"text":3,"other":4}', [[], [1]]);
  const key = (from: number, typed: string) => {
    const found = typedItem(items, tree, from, typed);
    return found < 0 ? null : pathOf(items, found).join('/');
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

test('an item is found by its path only where it shows', () => {
  const { items } = itemsOf('[[1,[2]],3]', [[], [0]]);
  expect(itemAt(items, [])).toBe(0);
  expect(itemAt(items, [0, 1])).toBe(3);
  expect(itemAt(items, [1])).toBe(4);
  expect(itemAt(items, [0, 1, 0])).toBe(-1);
  expect(itemAt(items, [2])).toBe(-1);
});

test('what a value lies in is opened at ten thousand levels too', () => {
  const levels = 10_000;
  const parsed = parseSyntax(`${'[0,'.repeat(levels)}1${']'.repeat(levels)}`);
  if (!parsed.ok) throw new Error('not JSON');
  const path = new Array<number>(levels).fill(1);
  const expansion = new Expansion();
  expect(expansion.openAround(path)).toBe(true);
  expect(expansion.openAround(path)).toBe(false);
  const items = flattenTree(parsed.tree, expansion);
  expect(items).toHaveLength(2 * levels + 1);
  expect(pathOf(items, items.length - 1)).toEqual(path);
  expect(itemAt(items, path)).toBe(items.length - 1);
  expansion.set([1, 1], false);
  expect(flattenTree(parsed.tree, expansion)).toHaveLength(5);
  expect(expansion.isOpen([1, 1, 1])).toBe(true);
});
