import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  applyEdits,
  changeKind,
  duplicate,
  type EditResult,
  insertChild,
  moveChild,
  removeChild,
  renameKey,
  setValue,
} from '../../../core/json/edit.ts';
import { parseSyntax, type SyntaxTree, stringToken } from '../../../core/json/syntax.ts';
import { Expansion, flattenTree, itemAt, nearestItem, pathOf } from './tree-items.ts';

/**
 * A person at the tree of a hostile payload, by chance: opens, closes, goes about and edits. What is not edited stays byte for byte, and
 * what shows is what the text holds.
 */

const LEVELS = 10_000;
const MANY = 20_000;
const KEYS = ['', 'a', 'a', '\u202ekey', '\u2066\u2069', 'ключ', '"', '\\', '\u0000', '__proto__', '/0', '0'];
const VALUES = [
  '-0',
  '1E400',
  '5e-324',
  '18446744073709551617',
  '"\\u202e"',
  '"\\ud800"',
  '[]',
  '{}',
  '[{"":[]}]',
  'null',
];

const key = (index: number) => stringToken(KEYS[index % KEYS.length]!);
const members = Array.from({ length: MANY }, (_, index) => `${key(index)}:${VALUES[index % VALUES.length]}`);
const TEXTS = {
  'nested ten thousand levels': `${'{"a":[0,'.repeat(LEVELS / 2)}1${']}'.repeat(LEVELS / 2)}`,
  'a long array': `[${Array.from({ length: MANY }, (_, index) => VALUES[index % VALUES.length]).join(',')}]`,
  'an object of many keys, equal and empty ones among them': `{${members.join(',')}}`,
  'laid out with white space of its own': `\t{\r\n "" : [ 1 ,\t2 ] ,\n\n"" :{"\u202e": -0 , "\u202e":1E2}\r}  `,
};

const step = fc.record({
  what: fc.constantFrom(
    'go',
    'open',
    'close',
    'around',
    'set',
    'rename',
    'kind',
    'insert',
    'duplicate',
    'move',
    'remove',
  ),
  at: fc.nat(),
  by: fc.nat(),
});
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

function parse(text: string): SyntaxTree {
  const parsed = parseSyntax(text);
  if (!parsed.ok) throw new Error(`not JSON at ${parsed.offset}`);
  return parsed.tree;
}

/** The edit of a step, and between which characters it may change the text: those of the container of the value. */
function editOf(tree: SyntaxTree, node: number, { what, by }: Step): EditResult | null {
  const value = VALUES[by % VALUES.length]!;
  switch (what) {
    case 'set':
      return setValue(tree, node, value);
    case 'rename':
      return renameKey(tree, node, key(by));
    case 'kind':
      return changeKind(tree, node, (['object', 'array', 'string', 'number', 'boolean', 'null'] as const)[by % 6]!);
    case 'insert':
      return insertChild(tree, node, by % (tree.childCount(node) + 1), {
        value,
        ...(tree.kind(node) === 'object' ? { key: key(by) } : {}),
      });
    case 'duplicate':
      return duplicate(tree, node);
    case 'move':
      return tree.parent(node) < 0 ? null : moveChild(tree, node, by % tree.childCount(tree.parent(node)));
    case 'remove':
      return removeChild(tree, node);
    default:
      return null;
  }
}

test.each(Object.entries(TEXTS))('%s: outside of what is edited every character stays', (_name, text) => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 4, maxLength: 14 }), (steps) => {
      let now = text;
      let tree = parse(now);
      const expansion = new Expansion();
      let items = flattenTree(tree, expansion);
      let selected: number[] = [];
      for (const one of steps) {
        const { what, at } = one;
        if (what === 'go') selected = pathOf(items, at % items.length);
        if (what === 'open' || what === 'close') expansion.set(selected, what === 'open');
        if (what === 'around') {
          selected = tree.indexPath(at % tree.count);
          expansion.openAround(selected);
        }
        const node = tree.nodeAtPath(selected);
        const result = editOf(tree, node, one);
        if (result?.ok && result.edits.length > 0) {
          const around = tree.parent(node) < 0 ? node : tree.parent(node);
          const after = applyEdits(now, result.edits);
          const head = tree.start(around);
          const tail = now.length - tree.end(around);
          expect(after.slice(0, head)).toBe(now.slice(0, head));
          expect(after.slice(after.length - tail)).toBe(now.slice(now.length - tail));
          // The same edits, made by hand: what lies between two of them is copied.
          let from = 0;
          let rest = after;
          for (const edit of result.edits) {
            const kept = now.slice(from, edit.from);
            expect(rest.startsWith(kept + edit.insert)).toBe(true);
            rest = rest.slice(kept.length + edit.insert.length);
            from = edit.to;
          }
          expect(rest).toBe(now.slice(from));
          now = after;
          tree = parse(now);
        }
        items = flattenTree(tree, expansion);
        const index = nearestItem(items, selected);
        selected = pathOf(items, index);
        expect(itemAt(items, selected)).toBe(index);
        expect(tree.nodeAtPath(selected)).toBe(items[index]!.node);
        expect(items[0]!.end).toBe(items.length);
      }
    }),
    { numRuns: 25 },
  );
});

test('what shows is what is open: each item under its own, in the order of the text', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 4 }), fc.array(fc.nat(), { maxLength: 12 }), (text, opened) => {
      const tree = parse(text);
      const expansion = new Expansion();
      for (const node of opened) expansion.set(tree.indexPath(node % tree.count), true);
      const items = flattenTree(tree, expansion);
      const expected: number[] = [];
      for (let node = 0; node < tree.count; node++) {
        let shows = true;
        for (let at = tree.parent(node); at >= 0; at = tree.parent(at)) shows &&= expansion.isOpen(tree.indexPath(at));
        if (shows) expected.push(node);
      }
      expect(items.map(({ node }) => node)).toEqual(expected);
      for (const [index, item] of items.entries()) expect(pathOf(items, index)).toEqual(tree.indexPath(item.node));
    }),
  );
});
