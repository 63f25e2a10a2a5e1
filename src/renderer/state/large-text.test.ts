import { Text } from '@codemirror/state';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { documentText, piecesOf } from './large-text.ts';
import { softBreaksIn } from './soft-breaks.ts';

test('a document made a piece at a time has the lines of the text, and gives it back', async () => {
  const text = fc.string({ unit: fc.constantFrom('a', '\n', '\r', '\u2028', '"'), maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(text, fc.integer({ min: 1, max: 12 }), async (source, piece) => {
      const { doc } = await documentText(source, true, piece);
      expect(doc.eq(Text.of(source.split('\n')))).toBe(true);
      expect([...piecesOf(doc)].join('')).toBe(source);
    }),
    { numRuns: 200, verbose: true },
  );
});

test('the pieces of a large document are the whole of it', () => {
  const source = Array.from({ length: 90_000 }, (_, line) => `  "key ${line}": ${line},`).join('\n');
  const pieces = [...piecesOf(Text.of(source.split('\n')))];
  expect(pieces.length).toBeGreaterThan(2);
  expect(pieces.join('')).toBe(source);
});

test('a document of long lines is made with the places of its soft breaks, and gives its text back', async () => {
  const source = `{\n"a":"${'lorem 🐀 '.repeat(2_000)}",\n"b":"${'x'.repeat(9_000)}"}`;
  const { doc, breaks } = await documentText(source, true, 1_000);
  expect(breaks).toEqual(softBreaksIn(doc));
  expect(breaks.length).toBeGreaterThan(20);
  for (const piece of [7, 1_000]) expect([...piecesOf(doc, piece)].join('')).toBe(source);
});
