import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makeVisible, nameParts, visibleParts } from './visible-text.tsx';

const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;

describe('hostile text', () => {
  test('shows control characters as escapes', () => {
    expect(makeVisible('a\u0000b\nc\u001b[31m')).toBe('a\\0b\\nc\\x1B[31m');
  });

  test('shows what would reorder or hide a line', () => {
    expect(makeVisible('user\u202etxt.exe')).toBe('user[U+202E]txt.exe');
    expect(makeVisible('a\u200bb\ufeff')).toBe('a[U+200B]b[U+FEFF]');
    expect(makeVisible('\u{e0041}')).toBe('[U+E0041]');
  });

  test('leaves letters of any script, and emoji that are joined, as they are', () => {
    for (const text of ['Ärzte in Köln', 'می\u200cخواهم', '👩\u200d🚒', '日本語', '𝒳'])
      expect(makeVisible(text)).toBe(text);
  });

  test('marks a surrogate without its partner', () => {
    expect(makeVisible('a\ud800b')).toBe('a[U+D800]b');
    expect(makeVisible('\udc00')).toBe('[U+DC00]');
  });

  test('loses nothing but what it marks, and leaves nothing invisible', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.nat(0x10ffff).map((code) => String.fromCodePoint(code)) }), (text) => {
        const parts = visibleParts(text);
        expect(parts.map((part) => part.text).join('')).not.toMatch(CONTROLS);
        const kept = parts
          .filter((part) => !part.mark)
          .map((part) => part.text)
          .join('');
        let at = 0;
        for (const unit of kept) at = text.indexOf(unit, at) + unit.length;
        expect(at).toBeLessThanOrEqual(text.length);
      }),
    );
  });
});

describe('a name', () => {
  const shown = (name: string) =>
    nameParts(name)
      .map(({ text }) => text)
      .join('');

  test('shows the spaces at its ends, where nobody would see them', () => {
    expect(shown(' ')).toBe('\\x20');
    expect(shown(' a b ')).toBe('\\x20a b\\x20');
    expect(shown('a\u3000')).toBe('a[U+3000]');
    expect(shown('people')).toBe('people');
    expect(shown('')).toBe('');
  });
});
