import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32, crc32OfRange, nativeCrc32, portableCrc32 } from './crc32.ts';

describe('crc32', () => {
  it('is CRC-32/ISO-HDLC', () => {
    const check = new TextEncoder().encode('123456789');
    expect(crc32(check)).toBe(0xcbf43926);
    expect(portableCrc32(check)).toBe(0xcbf43926);
    expect(crc32(new Uint8Array())).toBe(0);
  });

  it('is the same by every implementation, for every size and seed', () => {
    if (nativeCrc32 === null) console.warn('this Node has no zlib.crc32; only the portable one is tested');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), fc.integer({ min: 0, max: 0xffff_ffff }), (bytes, seed) => {
        const expected = portableCrc32(bytes, seed);
        expect(crc32(bytes, seed)).toBe(expected);
        if (nativeCrc32 !== null) expect(nativeCrc32(bytes, seed)).toBe(expected);
      }),
      { numRuns: 500 },
    );
    const large = Uint8Array.from({ length: 1 << 20 }, (_, index) => (index * 2654435761) >>> 13);
    expect(crc32(large)).toBe(portableCrc32(large));
  });

  it('continues from an earlier part', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 700 }), fc.nat(700), (bytes, cut) => {
        expect(crc32(bytes.subarray(cut), crc32(bytes.subarray(0, cut)))).toBe(crc32(bytes));
      }),
    );
  });

  it('is the same of a range as of a copy of it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), fc.nat(2000), fc.nat(2000), (bytes, from, length) => {
        const start = Math.min(from, bytes.length);
        const end = Math.min(start + length, bytes.length);
        expect(crc32OfRange(bytes, start, end)).toBe(portableCrc32(bytes.slice(start, end)));
      }),
    );
  });
});
