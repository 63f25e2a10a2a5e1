import fc from 'fast-check';
import { expect, test } from 'vitest';
import { applyEdits, type TextEdit } from './edits.ts';

test('steps of edits give what slicing gives, across pieces as within one', () => {
  const edits = fc.array(fc.tuple(fc.nat(), fc.nat(100_000), fc.constantFrom('', 'x', '😀\n', 'y'.repeat(70_000))), {
    maxLength: 3,
  });
  fc.assert(
    fc.property(fc.nat(200_000), fc.array(edits, { maxLength: 6 }), (length, wanted) => {
      const original = 'lorem ipsum '.repeat(length / 12);
      let text = original;
      const steps = wanted.map((step) => {
        let from = 0;
        const made: TextEdit[] = [];
        for (const [skip, taken, insert] of step) {
          const start = from + (skip % (text.length - from + 1));
          const end = Math.min(text.length, start + taken);
          made.push([start, end, insert]);
          from = end;
        }
        for (const [start, end, insert] of made.toReversed()) text = text.slice(0, start) + insert + text.slice(end);
        return made;
      });
      expect(applyEdits(original, steps) === text).toBe(true);
    }),
    { numRuns: 100, verbose: true },
  );
});

test('edits of another text are refused', () => {
  for (const step of [
    [[0, 4, '']],
    [[-1, 0, '']],
    [[2, 1, '']],
    [
      [0, 2, ''],
      [1, 2, ''],
    ],
  ] as TextEdit[][])
    expect(() => applyEdits('abc', [step])).toThrow(RangeError);
});
