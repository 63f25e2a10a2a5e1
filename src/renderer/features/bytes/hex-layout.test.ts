import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { byteName, fieldAt, hexLayout, moveByte } from './hex-layout.ts';

describe('hex rows', () => {
  test('a segment begins a row, and its neighbours are shown as far as the log reaches', () => {
    expect(hexLayout({ offset: 1000, length: 40 }, 5000, 16)).toEqual({
      start: 968,
      end: 1072,
      bytesPerRow: 16,
      rows: 7,
    });
    expect(hexLayout({ offset: 0, length: 13 }, 13, 16)).toEqual({ start: 0, end: 13, bytesPerRow: 16, rows: 1 });
  });

  test('every byte of the segment lies in a row, whatever its place and size', () => {
    fc.assert(
      fc.property(
        fc.nat(1e9),
        fc.nat(1e6),
        fc.nat(1e6),
        fc.constantFrom(8, 16),
        (offset, length, behind, bytesPerRow) => {
          const layout = hexLayout({ offset, length }, offset + length + behind, bytesPerRow);
          expect(layout.start).toBeLessThanOrEqual(offset);
          expect(layout.start).toBeGreaterThanOrEqual(0);
          expect((offset - layout.start) % bytesPerRow).toBe(0);
          expect(layout.end).toBeGreaterThanOrEqual(offset + length);
          expect(layout.end).toBeLessThanOrEqual(offset + length + behind);
          expect(layout.rows * bytesPerRow).toBeGreaterThanOrEqual(layout.end - layout.start);
        },
      ),
    );
  });

  test('keys move among the bytes and never out of them; up and down keep the column', () => {
    const keys = ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown', 'PageUp', 'PageDown', 'Home', 'End'];
    fc.assert(
      fc.property(
        fc.nat(1e6),
        fc.integer({ min: 1, max: 5000 }),
        fc.constantFrom(...keys),
        fc.boolean(),
        fc.nat(),
        (offset, length, key, ctrlKey, at) => {
          const layout = hexLayout({ offset, length }, offset + length, 16);
          const from = layout.start + (at % (layout.end - layout.start));
          const to = moveByte(layout, from, { key, ctrlKey, metaKey: false }, 10)!;
          expect(to).toBeGreaterThanOrEqual(layout.start);
          expect(to).toBeLessThan(layout.end);
          if (/Up|Down/.test(key)) expect(Math.abs(to - from) % 16).toBe(0);
        },
      ),
    );
    const layout = hexLayout({ offset: 0, length: 100 }, 100, 16);
    expect(moveByte(layout, 20, { key: 'Home', ctrlKey: false, metaKey: false }, 10)).toBe(16);
    expect(moveByte(layout, 20, { key: 'End', ctrlKey: true, metaKey: false }, 10)).toBe(99);
    expect(moveByte(layout, 20, { key: 'x', ctrlKey: false, metaKey: false }, 10)).toBeNull();
  });

  test('a byte is named by offset, value, character and field', () => {
    expect(byteName(0x1a2b, 0x7b, 'payload')).toBe("offset 0x1A2B, value 7B, '{', payload");
    expect(byteName(0, 0, null)).toBe('offset 0x0, value 00');
  });

  test('fields do not reach beyond their end', () => {
    const fields = [
      { name: 'marker', from: 0, to: 1 },
      { name: 'id', from: 1, to: 9 },
    ] as const;
    expect(fieldAt([...fields], 0)).toBe('marker');
    expect(fieldAt([...fields], 8)).toBe('id');
    expect(fieldAt([...fields], 9)).toBeNull();
  });
});
