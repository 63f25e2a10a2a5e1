import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fingerprintOf } from './fingerprint.ts';

test('equal texts have one fingerprint, and texts that differ by what an edit does have another', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '\0', '0', '\ud83d', '😀'), maxLength: 40 });
  fc.assert(
    fc.property(text, text, fc.nat(40), (before, insert, at) => {
      const after = before.slice(0, at) + insert + before.slice(at);
      expect(fingerprintOf(after) === fingerprintOf(before)).toBe(after === before);
      const swapped = [...before].toReversed().join('');
      expect(fingerprintOf(swapped) === fingerprintOf(before)).toBe(swapped === before);
    }),
    { numRuns: 2_000, verbose: true },
  );
});

test('the lengths are part of it', () => {
  expect(fingerprintOf('')).toBe('0:0:0');
  expect(new Set(['\0', '\0\0', '\0\0\0'].map(fingerprintOf)).size).toBe(3);
});
