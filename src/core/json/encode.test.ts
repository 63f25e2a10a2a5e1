import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeUtf8, encodeUtf8, utf16Offsets } from './encode.ts';
import { isWellFormed, propertySeed } from './text.fixture.ts';

describe('encodeUtf8', () => {
  it('gives the bytes of well-formed text and back again, a byte order mark included', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (source) => {
        fc.pre(isWellFormed(source));
        const encoded = encodeUtf8(`\ufeff${source}`);
        expect(encoded.ok && decodeUtf8(encoded.bytes)).toBe(`\ufeff${source}`);
      }),
      { seed: propertySeed('utf-8') },
    );
  });

  it.each([
    ['a\ud800', 1],
    ['\udc00', 0],
    ['😀\ud83d\ud83d\ude00', 2],
  ])('refuses %j at %i instead of writing U+FFFD', (source, offset) => {
    expect(encodeUtf8(source)).toEqual({ ok: false, offset });
  });
});

describe('decodeUtf8', () => {
  it.each([[[0xff]], [[0xc0, 0x80]], [[0xed, 0xa0, 0x80]], [[0xf4, 0x90, 0x80, 0x80]], [[0xe2, 0x82]]])(
    'refuses the bytes %j',
    (bytes) => {
      expect(decodeUtf8(Uint8Array.from(bytes))).toBeNull();
    },
  );
});

describe('utf16Offsets', () => {
  it('finds the place in the text of a place in the bytes', () => {
    const bytes = new TextEncoder().encode('aé😀b');
    expect(utf16Offsets(bytes, [0, 1, 2, 3, 5, 7, 8])).toEqual([0, 1, 1, 2, 2, 4, 5]);
  });
});
