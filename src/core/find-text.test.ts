import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findAllText, findText } from './find-text.ts';

const exact = (query: string) => ({ query, matchCase: true });

test('forwards and backwards it finds what indexOf and lastIndexOf find, and goes around', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', '.', '\n', '😀'), maxLength: 30 });
  const query = fc.string({ unit: fc.constantFrom('a', 'b', '.', '😀'), minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(letters, query, fc.nat(40), (text, query, at) => {
      const from = [...text].slice(0, at).join('').length;
      const next = text.indexOf(query, from);
      const first = next >= 0 ? next : text.indexOf(query);
      const forwards = first < 0 ? null : { start: first, end: first + query.length, around: next < 0 };
      expect(findText(text, exact(query), from, true)).toEqual(forwards);
      const before = text.slice(0, from).lastIndexOf(query);
      const last = before >= 0 ? before : text.lastIndexOf(query);
      const backwards = last < 0 ? null : { start: last, end: last + query.length, around: before < 0 };
      expect(findText(text, exact(query), from, false)).toEqual(backwards);
    }),
    { numRuns: 500, verbose: true },
  );
});

test('backwards it finds what lies across two parts of a large text', () => {
  const text = `${'x'.repeat(1 << 16)}`.repeat(3);
  for (const at of [(1 << 16) - 2, (2 << 16) - 1, 0, text.length - 4]) {
    const changed = `${text.slice(0, at)}Ende${text.slice(at + 4)}`;
    expect(findText(changed, { query: 'eNDE', matchCase: false }, changed.length, false)).toMatchObject({ start: at });
  }
});

test('case and the signs of patterns mean nothing but themselves', () => {
  expect(findText('a.b A(B', { query: 'a(b', matchCase: false }, 0, true)).toMatchObject({ start: 4 });
  expect(findText('Straße', { query: 'STRA', matchCase: true }, 0, true)).toBeNull();
  expect(findAllText('aaaa', exact('aa'), 10)).toEqual([
    { start: 0, end: 2 },
    { start: 2, end: 4 },
  ]);
  expect(findAllText('aaaa', exact('a'), 2)).toHaveLength(2);
  expect(findText('abc', exact(''), 0, true)).toBeNull();
});

test('a regular expression matches in both directions, per line, and never nothing', () => {
  const wanted = { query: '^"(\\w+)"', matchCase: true, regexp: true };
  const text = '"a": "b"\n"cd": 1\n "e"';
  expect(findText(text, wanted, 1, true)).toEqual({ start: 9, end: 13, around: false });
  expect(findText(text, wanted, 13, false)).toEqual({ start: 9, end: 13, around: false });
  expect(findText(text, wanted, 12, false)).toEqual({ start: 0, end: 3, around: false });
  expect(findText(text, wanted, 13, true)).toEqual({ start: 0, end: 3, around: true });
  expect(findAllText('aXbb😀', { query: 'b*', matchCase: true, regexp: true }, 9)).toEqual([{ start: 2, end: 4 }]);
  expect(() => findText(text, { query: '(', matchCase: true, regexp: true }, 0, true)).toThrow(SyntaxError);
  expect(() => findText(text, { query: 'a)(b', matchCase: true, regexp: true, word: true }, 0, true)).toThrow(
    SyntaxError,
  );
});

test('a whole word neither begins nor ends inside of another, in any script', () => {
  const text = 'score scores Öl "score" Ölscore.score';
  const wanted = { query: 'Score', matchCase: false, word: true };
  expect(findAllText(text, wanted, 9).map(({ start }) => start)).toEqual([0, 17, 32]);
  expect(findText(text, wanted, 32, false)).toMatchObject({ start: 17 });
  expect(findAllText('a.b, a.bc', { query: '.b', matchCase: true, word: true }, 9)).toEqual([{ start: 1, end: 3 }]);
  expect(findAllText('ab a ba', { query: 'a|b', matchCase: true, regexp: true, word: true }, 9)).toHaveLength(1);
});

test('what is put in the place of a regular expression may hold what it matched, other text stands for itself', () => {
  const insert = (query: string, replacement: string, regexp: boolean) =>
    findAllText('k=12', { query, matchCase: true, regexp, replacement }, 9).map((place) => place.insert);
  expect(insert('(\\w)=(\\d+)(x)?', '$2$$$1[$&]$3$4', true)).toEqual(['12$k[k=12]$4']);
  expect(insert('=', '$&', false)).toEqual(['$&']);
});
