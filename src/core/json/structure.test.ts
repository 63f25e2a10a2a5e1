import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runToEnd } from '../steps.ts';
import { walkStructure } from './structure.ts';

function structureOf(text: string): string {
  let found = '';
  runToEnd(
    walkStructure(text, (unit) => {
      found += String.fromCharCode(unit);
      return true;
    }),
  );
  return found;
}

test('a walk visits what stands between strings, and nothing within them', () => {
  expect(structureOf('{"a:,": [1, "\\"{", "\\\\"]}')).toBe('{: [, , ]}');
});

test('it visits the same however long strings before it are, and wherever its steps end', () => {
  const seed = Date.now() & 0x7fff_ffff;
  const around = fc.integer({ min: (1 << 17) - 8, max: (1 << 17) + 8 });
  fc.assert(
    fc.property(around, fc.constantFrom('x', '\\\\', '\\"'), fc.json(), (length, unit, text) => {
      const padding = unit.repeat(Math.ceil(length / unit.length));
      expect(structureOf(`["${padding}",${text}]`)).toBe(`[,${structureOf(text)}]`);
    }),
    { seed, numRuns: 100 },
  );
});

test('it ends where the visitor says so, and in text that is no JSON', () => {
  const seen: number[] = [];
  runToEnd(walkStructure('[[[', (_, index) => seen.push(index) < 2));
  expect(seen).toEqual([0, 1]);
  expect(structureOf('["open \\')).toBe('[');
});
