import { crc32 as zlibCrc32 } from 'node:zlib';
import CRC32 from 'crc-32';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { combine, crc32, crcOfRange, shift, shiftByte, unshift, unshiftBit, unshiftByte } from './crc32-algebra.ts';

const seed = Number(process.env.FC_SEED ?? Date.now() % 0x7fffffff);
console.info(`crc32-algebra: property seed ${seed} (FC_SEED=${seed} repeats it)`);

const bytes = fc.uint8Array({ maxLength: 300 });
const word = fc.nat({ max: 0xffffffff });
function check<Values>(property: fc.IProperty<Values>): void {
  fc.assert(property, { seed, numRuns: 500 });
}

function filled(length: number, start = 1): Uint8Array {
  const result = new Uint8Array(length);
  let state = start;
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    result[index] = state >>> 24;
  }
  return result;
}

describe('crc32', () => {
  test('gives the check value of CRC-32/ISO-HDLC', () => {
    expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926);
  });

  test('of nothing is the seed', () => {
    expect(crc32(new Uint8Array(0))).toBe(0);
    expect(crc32(new Uint8Array(9), 4, 4, 0xdeadbeef)).toBe(0xdeadbeef);
  });

  test('equals the crc-32 package for every length up to 300', () => {
    const data = filled(300);
    for (let length = 0; length <= 300; length++) {
      expect(crc32(data, 0, length)).toBe(CRC32.buf(data.subarray(0, length)) >>> 0);
    }
  });

  test('equals the crc-32 package on any range, continued from any seed', () => {
    check(
      fc.property(bytes, fc.nat(), fc.nat(), word, (data, from, to, previous) => {
        const start = from % (data.length + 1);
        const end = start + (to % (data.length - start + 1));
        expect(crc32(data, start, end, previous)).toBe(CRC32.buf(data.subarray(start, end), previous | 0) >>> 0);
      }),
    );
  });

  test('equals zlib.crc32 of Node', () => {
    const data = filled(1 << 20);
    expect(crc32(data)).toBe(zlibCrc32(data));
    check(
      fc.property(bytes, word, (data, previous) => {
        expect(crc32(data, 0, data.length, previous)).toBe(zlibCrc32(data, previous));
      }),
    );
  });

  test('chains', () => {
    check(
      fc.property(bytes, bytes, (a, b) => {
        const joined = new Uint8Array([...a, ...b]);
        expect(crc32(b, 0, b.length, crc32(a))).toBe(crc32(joined));
      }),
    );
  });
});

describe('combine and crcOfRange', () => {
  test('join and cut out what crc32 would compute from the bytes', () => {
    check(
      fc.property(bytes, bytes, (a, b) => {
        const joined = new Uint8Array([...a, ...b]);
        expect(combine(crc32(a), crc32(b), b.length)).toBe(crc32(joined));
        expect(crcOfRange(crc32(a), crc32(joined), b.length)).toBe(crc32(b));
      }),
    );
  });

  test('hold on a megabyte', () => {
    const data = filled(1 << 20);
    for (const cut of [0, 1, 13, 4096, 65_537, data.length - 1, data.length]) {
      const head = crc32(data, 0, cut);
      const tail = crc32(data, cut);
      expect(combine(head, tail, data.length - cut)).toBe(crc32(data));
      expect(crcOfRange(head, crc32(data), data.length - cut)).toBe(tail);
    }
  });
});

describe('shift and unshift', () => {
  test('are inverse, for lengths up to 2^53-1', () => {
    check(
      fc.property(word, fc.maxSafeNat(), (value, count) => {
        expect(unshift(shift(value, count), count)).toBe(value);
        expect(shift(unshift(value, count), count)).toBe(value);
      }),
    );
  });

  test('add up, also past 2^32 bytes', () => {
    check(
      fc.property(word, fc.nat({ max: 2 ** 40 }), fc.nat({ max: 2 ** 40 }), (value, a, b) => {
        expect(shift(shift(value, a), b)).toBe(shift(value, a + b));
      }),
    );
  });

  test('agree with single steps', () => {
    check(
      fc.property(word, fc.nat({ max: 200 }), (value, count) => {
        let forward = value;
        let backward = value;
        let bits = value;
        for (let step = 0; step < count; step++) {
          forward = shiftByte(forward);
          backward = unshiftByte(backward);
          for (let bit = 0; bit < 8; bit++) bits = unshiftBit(bits);
        }
        expect(forward >>> 0).toBe(shift(value, count));
        expect(backward >>> 0).toBe(unshift(value, count));
        expect(bits >>> 0).toBe(unshift(value, count));
      }),
    );
  });

  test('an error byte at distance d from the end changes the CRC by error times x^(8d)', () => {
    check(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 300 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (data, at, error) => {
          const position = at % data.length;
          const damaged = data.slice();
          damaged[position] = damaged[position]! ^ error;
          expect((crc32(damaged) ^ crc32(data)) >>> 0).toBe(shift(error, data.length - position));
        },
      ),
    );
  });
});
