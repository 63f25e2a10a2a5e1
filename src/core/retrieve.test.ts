import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ByteSource } from './byte-source.ts';
import { MemorySource } from './byte-source.ts';
import { GENERATIONS } from './generation.ts';
import { brokenBytes, payloadText, propertySeed, someSpace, utf8 } from './json/text.fixture.ts';
import { LogBuilder } from './log-builder.fixture.ts';
import { isReadable, retrieve } from './retrieve.ts';
import { runToEnd } from './steps.ts';
import { writeU32 } from './u64.ts';

/** Bytes, then zeros up to a size that no memory has to hold. Remembers the longest read. */
class SparseSource implements ByteSource {
  longestRead = 0;
  constructor(
    private readonly head: Uint8Array,
    readonly size: number,
  ) {}

  read(offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(Math.max(0, Math.min(length, this.size - offset)));
    this.longestRead = Math.max(this.longestRead, bytes.length);
    if (offset < this.head.length) bytes.set(this.head.subarray(offset, offset + bytes.length));
    return bytes;
  }
}

describe('reading an index entry', () => {
  it('gives the payload as stored', () => {
    const source = new MemorySource(new LogBuilder().store(1, '{"a":1.10}').bytes());
    const read = retrieve(source, 9, 'v3.12');
    expect(read.ok && new TextDecoder().decode(read.payload)).toBe('{"a":1.10}');
  });

  it('of a log that became shorter gives what is left as unreadable, also where that is JSON by itself', () => {
    const bytes = new LogBuilder().store(1, '1234').bytes();
    for (const [left, present] of [
      [0, null],
      [3, null],
      [4, null],
      [6, '12'],
    ] as const) {
      const cut = bytes.subarray(0, 9 + left);
      const source: ByteSource = {
        size: bytes.length,
        read: (offset, length) => cut.subarray(offset, offset + length),
      };
      for (const generation of GENERATIONS) {
        const read = retrieve(source, 9, generation);
        const pastEnd = left >= 4 && generation !== 'v1.6';
        expect(read).toMatchObject({ ok: false, error: { kind: pastEnd ? 'InvalidData' : 'UnexpectedEof' } });
        expect(!read.ok && read.bytes && new TextDecoder().decode(read.bytes)).toBe(present);
      }
    }
  });

  it('of a length that damage made up takes no more into memory than up to the byte that is refused', () => {
    for (const [text, message] of [
      ['', 'expected value at line 1 column 1'],
      ['{"a":"b', 'control character (\\u0000-\\u001F) found while parsing a string at line 1 column 8'],
      ['[1,2', 'expected `,` or `]` at line 1 column 5'],
    ] as const) {
      const head = new LogBuilder().legacyStore(1, text).bytes();
      writeU32(head, 9, 0xffff_fff0);
      const source = new SparseSource(head, 5 * 2 ** 30);
      for (const generation of GENERATIONS) {
        expect(retrieve(source, 9, generation)).toMatchObject({ ok: false, error: { kind: 'InvalidData', message } });
      }
      expect(source.longestRead).toBeLessThanOrEqual(1 << 20);
    }
  });
});

describe('whether an index entry can be read', () => {
  it('is what reading it says, wherever a long payload is cut to look at its beginning', () => {
    const broken = fc.tuple(payloadText(someSpace, false), fc.nat(), fc.nat(255)).map(([text, at, byte]) => {
      const bytes = utf8(text);
      if (bytes.length > 0) bytes[at % bytes.length] = byte;
      return bytes;
    });
    const digits = fc
      .tuple(fc.integer({ min: 1, max: 420 }), fc.integer({ min: -500, max: 400 }))
      .map(([count, exponent]) => utf8(`[1${'0'.repeat(count)}e${exponent}]`));
    const whole = payloadText(someSpace, true).map(utf8);
    const property = fc.property(
      fc.oneof(whole, broken, brokenBytes, digits),
      fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 330, max: 430 })),
      fc.integer({ min: -20, max: 20 }),
      (payload, longFrom, wrongBy) => {
        const bytes = new Uint8Array(13 + payload.length + 4);
        bytes.set(payload, 13);
        writeU32(bytes, 9, Math.max(0, payload.length + (wrongBy > 4 ? wrongBy - 4 : 0)));
        const source = new MemorySource(bytes);
        for (const generation of GENERATIONS) {
          expect(runToEnd(isReadable(source, 9, generation, longFrom))).toBe(retrieve(source, 9, generation).ok);
        }
      },
    );
    fc.assert(property, { seed: propertySeed('readable entries'), numRuns: 2000 });
  });

  it('of a false length takes no more into memory than a window', () => {
    for (const text of ['{"a":"b', 'aaaa']) {
      const head = new LogBuilder().legacyStore(1, text).bytes();
      writeU32(head, 9, 100 << 20);
      const source = new SparseSource(head, 200 << 20);
      expect(runToEnd(isReadable(source, 9, 'v3.12'))).toBe(false);
      const pastEnd = new SparseSource(head, 50 << 20);
      expect(runToEnd(isReadable(pastEnd, 9, 'v1.6'))).toBe(false);
      expect(Math.max(source.longestRead, pastEnd.longestRead)).toBeLessThanOrEqual(1 << 20);
    }
  });
});
