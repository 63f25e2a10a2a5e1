import { ChangeSet, Text } from '@codemirror/state';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  documentPosition,
  heldLines,
  LONG_LINE,
  softBreaksAfter,
  softBreaksIn,
  textEdits,
  textOffset,
  withoutSoftBreaks,
} from './soft-breaks.ts';

/** Whole characters, some of which are made of the same halves as a soft break. */
const characters = fc.constantFrom(
  'a',
  ' ',
  ',',
  '\n',
  'é',
  '😀',
  '🐀',
  '\u{10fc00}',
  '\u{10ffff}',
  'e\u0301',
  '👩‍👩‍👧',
);
/** What documents are made of here: now and then a soft break. */
const heldText = fc
  .array(fc.oneof({ arbitrary: characters, weight: 4 }, { arbitrary: fc.constant('\uDBFF\n'), weight: 1 }), {
    maxLength: 40,
  })
  .map((parts) => parts.join(''));
const options = { numRuns: 500, verbose: true };

describe('a long line in pieces', () => {
  const long = fc
    .tuple(fc.array(characters, { minLength: 1, maxLength: 30 }), fc.integer({ min: 1, max: 3 }))
    .map(([parts, times]) => {
      const unit = parts.join('').replaceAll('\n', 'n');
      return unit.repeat(Math.ceil((LONG_LINE * times + 1) / unit.length));
    });

  test('is the same line again, and no piece is long or begins inside a character', () => {
    fc.assert(
      fc.property(long, (line) => {
        const lines = heldLines(line);
        expect(withoutSoftBreaks(lines.join('\n'))).toBe(line);
        expect(lines.length).toBeGreaterThan(line.length / LONG_LINE);
        for (const piece of lines) {
          expect(piece.length).toBeLessThan(LONG_LINE);
          expect(piece).not.toMatch(/^[\uDC00-\uDFFF]/);
        }
      }),
      options,
    );
  });

  test('is left whole where it is not long', () => {
    const line = 'x'.repeat(LONG_LINE);
    expect(heldLines(line)).toEqual([line]);
  });

  test('of one combined character without end is cut all the same', () => {
    const line = `a${'\u0301'.repeat(LONG_LINE * 2)}`;
    expect(heldLines(line).length).toBeGreaterThan(2);
    expect(withoutSoftBreaks(heldLines(line).join('\n'))).toBe(line);
  });
});

test('text without soft breaks stays as it is, whatever whole characters it holds', () => {
  fc.assert(
    fc.property(fc.array(characters), (parts) => {
      const text = parts.join('');
      expect(withoutSoftBreaks(text)).toBe(text);
      expect(softBreaksIn(Text.of(text.split('\n'))).length).toBe(0);
    }),
    options,
  );
});

test('every place of the text has a position that leads back to it, and characters stand where they are said to', () => {
  fc.assert(
    fc.property(heldText, (held) => {
      const doc = Text.of(held.split('\n'));
      const text = withoutSoftBreaks(held);
      const breaks = softBreaksIn(doc);
      for (let offset = 0; offset <= text.length; offset++) {
        const position = documentPosition(breaks, offset);
        expect(textOffset(breaks, position)).toBe(offset);
        expect(withoutSoftBreaks(doc.sliceString(position))).toBe(text.slice(offset));
      }
      for (const at of breaks) {
        const places = [at, at + 1, at + 2].map((position) => textOffset(breaks, position));
        expect(new Set(places).size).toBe(1);
      }
    }),
    options,
  );
});

test('soft breaks after changes are those of the new document, and the changes of the text give the new text', () => {
  const cuts = fc.array(fc.tuple(fc.nat(60), fc.nat(6), heldText), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(heldText, cuts, (held, wanted) => {
      const doc = Text.of(held.split('\n'));
      const breaks = softBreaksIn(doc);
      // Inside of a soft break the editor changes nothing, nor inside of a character.
      const outside = (at: number): number => {
        const end = Math.min(at, doc.length);
        return /[\uDC00-\uDFFF\n]/.test(held[end] ?? '') && /[\uD800-\uDBFF]/.test(held[end - 1] ?? '') ? end - 1 : end;
      };
      let from = 0;
      const changes = wanted.flatMap(([skip, length, insert]) => {
        const start = outside(from + (skip % 12));
        const end = Math.max(start, outside(start + length));
        if (start < from) return [];
        from = end + 1;
        return start > doc.length ? [] : [{ from: start, to: end, insert: Text.of(insert.split('\n')) }];
      });
      const set = ChangeSet.of(
        changes.filter((change, index) => index === 0 || change.from > changes[index - 1]!.to),
        doc.length,
      );
      const after = set.apply(doc);
      expect(softBreaksAfter(breaks, set, after)).toEqual(softBreaksIn(after));
      let text = withoutSoftBreaks(held);
      for (const [start, end, insert] of textEdits(breaks, set).toReversed())
        text = text.slice(0, start) + insert + text.slice(end);
      expect(text).toBe(withoutSoftBreaks(after.toString()));
    }),
    { ...options, numRuns: 2_000 },
  );
});
