import { expect, test } from 'vitest';
import { parseSyntax } from '../../../core/json/syntax.ts';
import { flattenTree, pathKey } from './tree-items.ts';

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
