import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createCollector, framesOf, parsePieces } from './frames.ts';

const bytesOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

describe('a large message in frames', () => {
  test('is the same message again, whatever it holds and wherever it is cut', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 20 }),
        fc.integer({ min: 0, max: 200_000 }),
        (text, times) => {
          const message = { text: text.repeat(times), more: [text] };
          const collect = createCollector(1 << 28);
          const results = [...framesOf(bytesOf(message))].map(collect);
          const last = results.pop();
          expect(results.every(({ state }) => state === 'more')).toBe(true);
          expect(last?.state === 'whole' ? parsePieces(last.pieces) : last).toEqual(message);
        },
      ),
      { numRuns: 20, verbose: true },
    );
  });

  test('no frame is longer than a megabyte and its mark', () => {
    const frames = [...framesOf(new Uint8Array(3 << 20))];
    expect(frames.map((frame) => frame.length)).toEqual([(1 << 20) + 1, (1 << 20) + 1, (1 << 20) + 1]);
    expect(frames.map((frame) => frame[0])).toEqual([0, 0, 1]);
  });

  test('is refused beyond the limit, before all of it came', () => {
    const collect = createCollector(1 << 20);
    expect([...framesOf(new Uint8Array(3 << 20))].map((frame) => collect(frame).state)).toContain('refused');
  });

  test('many small frames in place of full ones, other marks and empty frames are refused', () => {
    for (const frame of [[0, 0x7b], [2, 0x7b], [1], []]) {
      expect(createCollector(100)(Uint8Array.from(frame))).toEqual({ state: 'refused', reason: 'form' });
    }
  });

  test('bytes that are no UTF-8 are no message', () => {
    expect(() => parsePieces([Uint8Array.of(0x22, 0xff, 0x22)])).toThrow(TypeError);
  });
});
