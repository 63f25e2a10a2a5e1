import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { followPath, type PathStep, parsePath, pathAt, printPath } from './path.ts';
import { parseSyntax, type SyntaxTree } from './syntax.ts';

function treeOf(text: string): SyntaxTree {
  const parsed = parseSyntax(text);
  if (!parsed.ok) throw new Error(`not JSON at ${parsed.offset}`);
  return parsed.tree;
}

function follow(text: string, path: string) {
  const parsed = parsePath(path);
  if (!parsed.ok) throw new Error(`expected ${parsed.expected} at ${parsed.at}`);
  const followed = followPath(treeOf(text), parsed.steps);
  return followed.state === 'found'
    ? { value: text.slice(followed.place.start, followed.place.end), equalKeys: followed.equalKeys }
    : followed;
}

describe('a path', () => {
  it('reads back as the steps it was printed from, whatever the names', () => {
    const step = fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.nat({ max: 999_999_999 }));
    fc.assert(
      fc.property(fc.array(step), (steps: PathStep[]) => {
        const text = printPath(steps);
        expect(parsePath(text)).toEqual({ ok: true, steps, end: text.length });
      }),
      { verbose: true },
    );
  });

  it('is printed as people write it where names allow', () => {
    expect(printPath(['user', 'größe', 'tags', 0, 'odd key', '', '0'])).toBe(
      '$.user.größe.tags[0]["odd key"][""]["0"]',
    );
  });

  it('ends where something else begins', () => {
    expect(parsePath('$.a.b[3] = 4')).toEqual({ ok: true, steps: ['a', 'b', 3], end: 8 });
  });

  it('that cannot be read says where and what was expected', () => {
    expect(parsePath('a.b')).toEqual({ ok: false, at: 0, expected: '$' });
    expect(parsePath('$.a.')).toEqual({ ok: false, at: 4, expected: 'a name' });
    for (const text of ['$[x]', '$["a]', '$["\\x"]', '$["a"', '$[-1]', '$["a\nb"]']) {
      expect(parsePath(text), text).toMatchObject({ ok: false, at: 2 });
    }
  });
});

describe('following a path', () => {
  it('finds members, elements and the whole, in text laid out in any way', () => {
    expect(follow('{"a":{"b":[1,{"odd key":2.50}]}}', '$.a.b[1]["odd key"]')).toEqual({ value: '2.50', equalKeys: 0 });
    expect(follow('{ "a" : [ 1 , [ ] ] }', '$.a[1]')).toEqual({ value: '[ ]', equalKeys: 0 });
    expect(follow(' 7 ', '$')).toEqual({ value: '7', equalKeys: 0 });
    expect(follow('{"3":"member"}', '$[3]')).toEqual({ value: '"member"', equalKeys: 0 });
  });

  it('finds names that are spelled with escapes', () => {
    expect(follow('{"t\\u0069tle":1,"😀":2}', '$.title')).toEqual({ value: '1', equalKeys: 0 });
    expect(follow('{"\\ud83d\\ude00":2}', '$.😀')).toEqual({ value: '2', equalKeys: 0 });
  });

  it('takes the last of equal keys, which VelesDB reads, and says how many others there are', () => {
    expect(follow('{"a":1,"b":0,"\\u0061":2,"a":{"c":3,"c":4}}', '$.a')).toEqual({
      value: '{"c":3,"c":4}',
      equalKeys: 2,
    });
    expect(follow('{"a":1,"a":{"c":3,"c":4}}', '$.a.c')).toEqual({ value: '4', equalKeys: 2 });
  });

  it('that leads nowhere says how far it matched and what is there', () => {
    expect(follow('{"a":{"b":[1,2]}}', '$.a.b[2].c')).toEqual({
      state: 'missing',
      matched: 2,
      kind: 'array',
      count: 2,
    });
    expect(follow('{"a":"text"}', '$.a.b')).toEqual({ state: 'missing', matched: 1, kind: 'string', count: 0 });
    expect(follow('{}', '$.constructor')).toEqual({ state: 'missing', matched: 0, kind: 'object', count: 0 });
    expect(follow('[1]', '$.length')).toEqual({ state: 'missing', matched: 0, kind: 'array', count: 1 });
  });
});

describe('the path at a place of the text', () => {
  const text = '{"a": {"b": [10, {"c d": null}]}, "e": 1, "e": 2}';
  const at = (part: string, more = 0) => pathAt(treeOf(text), text.indexOf(part) + more);

  it('is that of the innermost value, its key included', () => {
    expect(printPath(at('10', 1).steps)).toBe('$.a.b[0]');
    expect(printPath(at('null').steps)).toBe('$.a.b[1]["c d"]');
    expect(printPath(at('"c d"', 2).steps)).toBe('$.a.b[1]["c d"]');
    expect(printPath(at('"a"').steps)).toBe('$.a');
    expect(printPath(pathAt(treeOf(text), 0).steps)).toBe('$');
  });

  it('says where VelesDB reads another one of equal keys', () => {
    expect(at('"e": 1', 5)).toEqual({ steps: ['e'], shadowed: true });
    expect(at('"e": 2', 5)).toEqual({ steps: ['e'], shadowed: false });
    expect(pathAt(treeOf('{"a":{"x":1},"a":0}'), 10)).toEqual({ steps: ['a', 'x'], shadowed: true });
  });

  it('leads back to the same value, of equal keys to the last', () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(), (source, seed) => {
        const tree = treeOf(source);
        const node = seed % tree.count;
        const { steps, shadowed } = pathAt(tree, tree.start(node));
        const followed = followPath(tree, steps);
        expect(shadowed).toBe(false);
        expect(followed).toMatchObject({ state: 'found', equalKeys: 0 });
        if (followed.state === 'found') expect(tree.nodeAtPath(followed.place.indexPath)).toBe(node);
      }),
      { verbose: true },
    );
  });
});
