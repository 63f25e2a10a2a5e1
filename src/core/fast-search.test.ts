import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createBlockSearcher, LONGEST_NEEDLE, plainSearcher, SEARCH_BLOCK } from './fast-search.ts';

// Few different bytes, so that needles are found, overlap and almost match.
const text = (maxLength: number, minLength = 0) =>
  fc.array(fc.constantFrom(0x61, 0x62, 0x63, 0xc3), { maxLength, minLength }).map((bytes) => Uint8Array.from(bytes));

/** Every place of the needle, overlapping ones too. */
function allPlaces(haystack: Uint8Array, needle: Uint8Array): number[] {
  const places: number[] = [];
  for (let at = 0; at + needle.length <= haystack.length; at++) {
    if (needle.every((byte, index) => haystack[at + index] === byte)) places.push(at);
  }
  return places;
}

test('both searchers find every place of a needle, and none behind the end of what is to be searched', () => {
  fc.assert(
    fc.property(text(400), text(6, 1), text(40), (haystack, needle, behind) => {
      for (const searcher of [createBlockSearcher(needle), plainSearcher(needle)]) {
        searcher.input.set(haystack);
        searcher.input.set(behind, haystack.length);
        const places: number[] = [];
        for (let at = searcher.find(0, haystack.length); at >= 0; at = searcher.find(at + 1, haystack.length))
          places.push(at);
        expect(places).toEqual(allPlaces(haystack, needle));
      }
    }),
    { numRuns: 300 },
  );
});

test('the longest needle is found at the end of the largest block', () => {
  const needle = new Uint8Array(LONGEST_NEEDLE).fill(0x78);
  needle[17] = 0x79;
  const searcher = createBlockSearcher(needle);
  searcher.input.fill(0x78);
  searcher.input.set(needle, SEARCH_BLOCK);
  expect(searcher.find(0, searcher.input.length)).toBe(SEARCH_BLOCK);
  expect(searcher.find(0, searcher.input.length - 1)).toBe(-1);
});
