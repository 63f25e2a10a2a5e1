import { Text } from '@codemirror/state';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { documentText, partsOf } from './large-text.ts';
import { softBreaksIn, textOfPart } from './soft-breaks.ts';

const textOf = (doc: Text): string => [...partsOf(doc)].map((part) => part.text()).join('');

test('a document made a piece at a time has the lines of the text, and gives it back', async () => {
  const text = fc.string({ unit: fc.constantFrom('a', '\n', '\r', '\u2028', '"'), maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(text, fc.integer({ min: 1, max: 12 }), async (source, piece) => {
      const { doc } = await documentText(source, true, piece);
      expect(doc.eq(Text.of(source.split('\n')))).toBe(true);
      expect(textOf(doc)).toBe(source);
    }),
    { numRuns: 200, verbose: true },
  );
});

test('a document of more lines than are made at once is the same tree of lines, and an edit of it shares its parts', async () => {
  const source = Array.from({ length: 40_000 }, (_, line) => (line % 9 === 0 ? '' : `line ${line}`)).join('\n');
  for (const text of [source, `\n${source}\n`, `${source}\n\n`]) {
    const { doc } = await documentText(text, true);
    expect(doc.eq(Text.of(text.split('\n')))).toBe(true);
    expect(doc.length).toBe(text.length);
    expect(textOf(doc) === text).toBe(true);
    const had = new Set([...partsOf(doc)].map(({ number }) => number));
    const after = doc.replace(99, 100, Text.of(['x']));
    expect([...partsOf(after)].filter(({ number }) => !had.has(number)).length).toBeLessThan(4);
  }
});

test('the parts of a large document are the whole of it, and an edit changes few of them', () => {
  const source = Array.from({ length: 90_000 }, (_, line) => `  "key ${line}": ${line},`).join('\n');
  const before = Text.of(source.split('\n'));
  expect(textOf(before)).toBe(source);
  const had = new Set([...partsOf(before)].map(({ number }) => number));
  expect(had.size).toBeGreaterThan(50);
  for (const at of [0, source.length >> 1, source.length]) {
    const after = before.replace(at, at, Text.of(['x', 'y']));
    expect(textOf(after)).toBe(`${source.slice(0, at)}x\ny${source.slice(at)}`);
    expect([...partsOf(after)].filter(({ number }) => !had.has(number)).length).toBeLessThan(4);
  }
});

test('a document of long lines is made with the places of its soft breaks, and gives its text back', async () => {
  const source = `{\n"a":"${'lorem 🐀 '.repeat(2_000)}",\n"b":"${'x'.repeat(9_000)}"}`;
  const { doc, breaks } = await documentText(source, true, 1_000);
  expect(breaks).toEqual(softBreaksIn(doc));
  expect(breaks.length).toBeGreaterThan(20);
  expect(textOf(doc)).toBe(source);
  // Also where a part of the tree ends between the two of a soft break, which is where most end.
  const cut = doc.line(5).to;
  const [first, second] = [doc.slice(0, cut), doc.slice(cut + 1)];
  expect(textOfPart(first.toString(), false) + textOfPart(second.toString(), true)).toBe(source);
});
