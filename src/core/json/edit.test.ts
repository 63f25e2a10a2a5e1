import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  applyEdits,
  changeKind,
  DISPLAYED_LAYOUT,
  duplicate,
  type EditResult,
  insertChild,
  moveChild,
  removeChild,
  renameKey,
  setValue,
} from './edit.ts';
import { displayText, isCompact, storedText } from './layout.ts';
import { parseSyntax, type SyntaxTree } from './syntax.ts';
import { noSpace, payloadText, propertySeed, someSpace, stringToken } from './text.fixture.ts';

function tree(source: string): SyntaxTree {
  const result = parseSyntax(source);
  if (!result.ok) throw new Error(`not JSON at ${result.offset}: ${source}`);
  return result.tree;
}

function at(source: string, ...path: number[]): [SyntaxTree, number] {
  const syntax = tree(source);
  return [syntax, syntax.nodeAtPath(path)];
}

function applied(source: string, result: EditResult): string {
  if (!result.ok) throw new Error(result.refusal);
  return applyEdits(source, result.edits);
}

/** A payload as nested lists of its tokens: the model the operations are held against. */
type Model = string | { open: '[' | '{'; children: { key: string | null; value: Model }[] };

function model(syntax: SyntaxTree, node = 0): Model {
  if (!syntax.isContainer(node)) return syntax.token(node);
  return {
    open: syntax.kind(node) === 'array' ? '[' : '{',
    children: [...syntax.children(node)].map((child) => ({ key: syntax.keyToken(child), value: model(syntax, child) })),
  };
}

type Container = Exclude<Model, string>;

function modelAt(root: Container, path: readonly number[]): Model {
  let value: Model = root;
  for (const position of path) value = (value as Container).children[position]!.value;
  return value;
}

interface Operation {
  kind: 'set' | 'rename' | 'insert' | 'duplicate' | 'move' | 'remove' | 'to array' | 'to object';
  node: number;
  position: number;
  key: string;
  value: string;
}

const operation: fc.Arbitrary<Operation> = fc.record({
  kind: fc.constantFrom('set', 'rename', 'insert', 'duplicate', 'move', 'remove', 'to array', 'to object'),
  node: fc.nat(),
  position: fc.nat(),
  key: stringToken(false),
  value: payloadText(noSpace, false),
});

interface Step {
  result: EditResult;
  /** The model afterwards. */
  expected: Model;
  /** The characters the operation may change: nothing before `from` and nothing from `to` on. */
  from: number;
  to: number;
}

/** Carries an operation out on the text and, in the plainest way, on the model; null where it does not apply to the node drawn. */
function carryOut(
  syntax: SyntaxTree,
  { kind, node: drawn, position: drawnPosition, key, value }: Operation,
): Step | null {
  const node = drawn % syntax.count;
  const path = syntax.indexPath(node);
  const root: Container = { open: '[', children: [{ key: null, value: model(syntax) }] };
  const parentModel = modelAt(root, [0, ...path].slice(0, -1)) as Container;
  const own = path.at(-1) ?? 0;
  const parent = syntax.parent(node);
  const done = (result: EditResult, from: number, to: number): Step => ({
    result,
    expected: root.children[0]!.value,
    from,
    to,
  });
  const inside = (container: number): [number, number] => [syntax.start(container) + 1, syntax.end(container) - 1];

  if (kind === 'set') {
    parentModel.children[own]!.value = model(tree(value));
    return done(setValue(syntax, node, value), syntax.start(node), syntax.end(node));
  }
  if (kind === 'insert') {
    if (!syntax.isContainer(node)) return null;
    const container = modelAt(root, [0, ...path]) as Container;
    const position = drawnPosition % (container.children.length + 1);
    const child = container.open === '{' ? { key, value } : { value };
    container.children.splice(position, 0, { key: child.key ?? null, value: model(tree(value)) });
    const before = syntax.childAt(node, position - 1);
    const after = syntax.childAt(node, position);
    const [start, end] = inside(node);
    return done(
      insertChild(syntax, node, position, child),
      position > 0 ? syntax.end(before) : start,
      after >= 0 ? syntax.memberStart(after) : position > 0 ? syntax.end(before) : end,
    );
  }
  if (kind === 'to array' || kind === 'to object') {
    const container = modelAt(root, [0, ...path]);
    if (typeof container === 'string') return null;
    const wanted = kind === 'to array' ? '[' : '{';
    if (container.open !== wanted) {
      container.open = wanted;
      for (const [index, child] of container.children.entries()) child.key = wanted === '[' ? null : `"${index}"`;
    }
    return done(
      changeKind(syntax, node, kind === 'to array' ? 'array' : 'object'),
      syntax.start(node),
      syntax.end(node),
    );
  }
  if (parent < 0) return null;
  const count = parentModel.children.length;
  if (kind === 'rename') {
    if (parentModel.open !== '{') return null;
    parentModel.children[own]!.key = key;
    return done(renameKey(syntax, node, key), syntax.memberStart(node), syntax.keyEnd(node));
  }
  if (kind === 'duplicate') {
    const isMember = parentModel.open === '{';
    parentModel.children.splice(own + 1, 0, { ...parentModel.children[own]!, ...(isMember ? { key } : {}) });
    return done(duplicate(syntax, node, isMember ? key : undefined), syntax.end(node), syntax.end(node));
  }
  if (kind === 'remove') {
    parentModel.children.splice(own, 1);
    const [start, end] = inside(parent);
    const after = syntax.nextSibling(node);
    return done(
      removeChild(syntax, node),
      own > 0 ? syntax.end(syntax.childAt(parent, own - 1)) : start,
      after >= 0 ? syntax.memberStart(after) : own > 0 ? syntax.end(node) : end,
    );
  }
  const position = drawnPosition % count;
  parentModel.children.splice(position, 0, ...parentModel.children.splice(own, 1));
  const [first, last] = own < position ? [own, position] : [position, own];
  return done(
    moveChild(syntax, node, position),
    syntax.memberStart(syntax.childAt(parent, first)),
    syntax.end(syntax.childAt(parent, last)),
  );
}

describe('any sequence of tree operations', () => {
  it('keeps every token outside the edited places, in text with white space every character', () => {
    let steps = 0;
    fc.assert(
      fc.property(
        payloadText(fc.oneof(noSpace, someSpace), false),
        fc.array(operation, { maxLength: 6 }),
        (source, operations) => {
          let text = source;
          for (const each of operations) {
            const syntax = tree(text);
            const step = carryOut(syntax, each);
            if (step === null) continue;
            const after = applied(text, step.result);
            expect(model(tree(after))).toEqual(step.expected);
            expect(after.startsWith(text.slice(0, step.from))).toBe(true);
            expect(after.endsWith(text.slice(step.to))).toBe(true);
            expect(after.length).toBeGreaterThanOrEqual(step.from + text.length - step.to);
            if (isCompact(text)) expect(isCompact(after)).toBe(true);
            if (each.kind === 'move') expect([...after].toSorted()).toEqual([...text].toSorted());
            text = after;
            steps++;
          }
        },
      ),
      { seed: propertySeed('operations'), numRuns: 2000 },
    );
    expect(steps).toBeGreaterThan(1000);
  });

  it('keeps them in a payload stored compact that is displayed, edited and saved', () => {
    fc.assert(
      fc.property(payloadText(noSpace, false), fc.array(operation, { maxLength: 6 }), (source, operations) => {
        let displayed = displayText(source);
        for (const each of operations) {
          const step = carryOut(tree(displayed), each);
          if (step === null) continue;
          displayed = applied(displayed, step.result);
          const stored = storedText(displayed, true);
          expect(isCompact(stored)).toBe(true);
          expect(model(tree(stored))).toEqual(step.expected);
        }
        if (operations.length === 0) expect(storedText(displayed, true)).toBe(source);
      }),
      { seed: propertySeed('stored compact'), numRuns: 1000 },
    );
  });
});

const INDENTED = '{\n  "a": 1.0,\n  "b": [\n    1,\n    2\n  ],\n  "c": {}\n}';

describe('layout around an edit', () => {
  it('is that of an indented text', () => {
    const insert = (path: number[], position: number, value: string, key?: string) => {
      const [syntax, node] = at(INDENTED, ...path);
      return applied(INDENTED, insertChild(syntax, node, position, key === undefined ? { value } : { key, value }));
    };
    expect(insert([], 3, 'null', '"d"')).toBe(INDENTED.replace('{}\n}', '{},\n  "d": null\n}'));
    expect(insert([], 0, '[1]', '"d"')).toBe(INDENTED.replace('"a"', '"d": [\n    1\n  ],\n  "a"'));
    expect(insert([1], 1, '{"x":[]}')).toBe(INDENTED.replace('1,\n', '1,\n    {\n      "x": []\n    },\n'));
    expect(insert([2], 0, 'true', '"x"')).toBe(INDENTED.replace('{}', '{\n    "x": true\n  }'));
  });

  it('stays what it was, edited to nothing and back', () => {
    const [syntax, node] = at(INDENTED, 2);
    const filled = applied(INDENTED, insertChild(syntax, node, 0, { key: '"x"', value: '1' }));
    const [again, member] = at(filled, 2, 0);
    expect(applied(filled, removeChild(again, member))).toBe(INDENTED);
  });

  it('is displayed layout for text too small to show one, if asked for', () => {
    const [syntax, node] = at('{}');
    expect(applied('{}', insertChild(syntax, node, 0, { key: '"a"', value: '[1]' }, DISPLAYED_LAYOUT))).toBe(
      displayText('{"a":[1]}'),
    );
    expect(applied('{}', insertChild(syntax, node, 0, { key: '"a"', value: '[1]' }))).toBe('{"a":[1]}');
  });

  it.each([
    ['[1, 2]', '[1, 2, 3]'],
    ['[ 1 , 2 ]', '[ 1 , 2, 3 ]'],
    ['[1,2]', '[1,2,3]'],
    ['{"a": [1]}', '{"a": [1, 3]}'],
    ['[\n\t1,\n\t2\n]\n', '[\n\t1,\n\t2,\n\t3\n]\n'],
    ['[\r\n 1\r\n]', '[\r\n 1,\r\n 3\r\n]'],
    ['[ ]', '[ 3 ]'],
    ['{\n    "k": []\n}', '{\n    "k": [\n        3\n    ]\n}'],
    ['{\n  "k": [1, 2]\n}', '{\n  "k": [1, 2, 3]\n}'],
  ])('is copied: a 3 appended to %j gives %j', (source, expected) => {
    const syntax = tree(source);
    let array = 0;
    while (syntax.kind(array) !== 'array') array++;
    expect(applied(source, insertChild(syntax, array, syntax.childCount(array), { value: '3' }))).toBe(expected);
  });

  it('keeps a value set beside others on a line on that line', () => {
    const source = '{\n  "k": [1, 2]\n}';
    const [syntax, node] = at(source, 0, 1);
    expect(applied(source, setValue(syntax, node, ' {"x":1} '))).toBe('{\n  "k": [1, {"x":1}]\n}');
  });

  it('takes commas and white space along with what moves', () => {
    const [syntax, node] = at(INDENTED, 0);
    expect(applied(INDENTED, moveChild(syntax, node, 2))).toBe(
      '{\n  "b": [\n    1,\n    2\n  ],\n  "c": {},\n  "a": 1.0\n}',
    );
    const [, last] = at(INDENTED, 2);
    expect(applied(INDENTED, moveChild(syntax, last, 0))).toBe(
      '{\n  "c": {},\n  "a": 1.0,\n  "b": [\n    1,\n    2\n  ]\n}',
    );
  });
});

describe('duplicate', () => {
  it('gives a copied member a key of its own', () => {
    const source = '{"a":1.50,"a copy":2}';
    const [syntax, node] = at(source, 0);
    expect(applied(source, duplicate(syntax, node))).toBe('{"a":1.50,"a copy 2":1.50,"a copy":2}');
  });
});

describe('changeKind', () => {
  it.each([
    ['1.50', 'string', '"1.50"'],
    ['"1E2"', 'number', '1E2'],
    ['"x"', 'number', '0'],
    ['true', 'string', '"true"'],
    ['"false"', 'boolean', 'false'],
    ['0e7', 'boolean', 'false'],
    ['12345678901234567890', 'array', '[12345678901234567890]'],
    ['null', 'array', '[]'],
    ['"[1.0, 2]"', 'array', '[1.0, 2]'],
    ['{"a":[1.0,"x"]}', 'string', '"{\\"a\\":[1.0,\\"x\\"]}"'],
    ['{"a":1E5,"a":2}', 'array', '[1E5,2]'],
    ['[1E5,"\\u0061"]', 'object', '{"0":1E5,"1":"\\u0061"}'],
    ['7', 'object', '{"value":7}'],
    ['{"a":1}', 'null', 'null'],
  ] as const)('turns %s into a %s: %s', (source, kind, expected) => {
    expect(applied(source, changeKind(tree(source), 0, kind))).toBe(expected);
  });

  it('gets back what it put into a string', () => {
    fc.assert(
      fc.property(payloadText(noSpace, false), (source) => {
        const kind = tree(source).kind(0);
        fc.pre(kind !== 'string');
        const asString = applied(source, changeKind(tree(source), 0, 'string'));
        expect(applied(asString, changeKind(tree(asString), 0, kind))).toBe(source);
      }),
      { seed: propertySeed('there and back') },
    );
  });
});

describe('an operation that cannot be', () => {
  it('is refused with its reason', () => {
    const syntax = tree('{"a":[1]}');
    const refusal = (result: EditResult) => (result.ok ? 'ok' : result.refusal);
    expect([
      refusal(setValue(syntax, 2, '1 2')),
      refusal(setValue(syntax, 2, '')),
      refusal(renameKey(syntax, 1, 'b')),
      refusal(renameKey(syntax, 1, ' "b"')),
      refusal(renameKey(syntax, 2, '"b"')),
      refusal(insertChild(syntax, 0, 0, { value: '1' })),
      refusal(insertChild(syntax, 1, 0, { key: '"k"', value: '1' })),
      refusal(insertChild(syntax, 1, 2, { value: '1' })),
      refusal(insertChild(syntax, 2, 0, { value: '1' })),
      refusal(removeChild(syntax, 0)),
      refusal(duplicate(syntax, 0)),
      refusal(moveChild(syntax, 0, 0)),
      refusal(moveChild(syntax, 2, 1)),
    ]).toEqual([
      'value-not-json',
      'value-not-json',
      'key-not-a-string',
      'key-not-a-string',
      'key-not-allowed',
      'key-missing',
      'key-not-allowed',
      'position-out-of-range',
      'not-a-container',
      'root',
      'root',
      'root',
      'position-out-of-range',
    ]);
  });
});
