import { Text } from '@codemirror/state';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { documentText, piecesOf } from './large-text.ts';

test('a document made a piece at a time has the lines of the text, and gives it back', async () => {
  const text = fc.string({ unit: fc.constantFrom('a', '\n', '\r', '\u2028', '"'), maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(text, fc.integer({ min: 1, max: 12 }), async (source, piece) => {
      const doc = await documentText(source, piece);
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
