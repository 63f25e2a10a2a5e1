import { describe, expect, it } from 'vitest';
import { parseSyntax } from '../../../core/json/syntax.ts';
import { hintsOf } from './domain-hints.tsx';
import { valueHints } from './value-hints.ts';

const NOW = new Date('2026-01-01T00:00:00Z');
const words = (text: string) => hintsOf(text, NOW).map((hint) => hint.text);
const besideValues = (text: string) => {
  const parsed = parseSyntax(text);
  if (!parsed.ok) throw new Error('not JSON');
  return [...valueHints(parsed.tree, NOW).values()];
};

describe('an expiry', () => {
  it.each([
    ['0', 'expired 1970-01-01T00:00:00Z: VelesDB hides this record, the log keeps it', 'expired 1970-01-01T00:00:00Z'],
    [
      '1767225600',
      'expired 2026-01-01T00:00:00Z: VelesDB hides this record, the log keeps it',
      'expired 2026-01-01T00:00:00Z',
    ],
    ['1767225601', 'expires 2026-01-01T00:00:01Z', '2026-01-01T00:00:01Z'],
    ['8640000000000', 'expires +275760-09-13T00:00:00Z', '+275760-09-13T00:00:00Z'],
    ['8640000000001', 'expires after every date (8640000000001)', 'after every date'],
  ])('of %s is said the same below the text and beside the value', (seconds, below, beside) => {
    expect(words(`{"_veles_expires_at":${seconds}}`)).toEqual([below]);
    expect(besideValues(`{"_veles_expires_at":${seconds}}`)).toEqual([beside]);
  });

  it.each(['"1767225600"', '1.5', '-5', '-0', '1e9', '1E400', '5e-324', 'null', '[1]', '{}'])(
    'of %s names no time',
    (value) => {
      expect(words(`{"_veles_expires_at":${value}}`)).toEqual([expect.stringContaining('names no time')]);
      expect(besideValues(`{"_veles_expires_at":${value}}`)).toEqual([expect.stringContaining('names no time')]);
    },
  );

  it('counts where VelesDB reads it: at the top, the last of equal keys, also one spelled with escapes', () => {
    expect(words('{"a":{"_veles_expires_at":0},"_veles_expires_at":0,"\\u005fveles_expires_at":1767225601}')).toEqual([
      'expires 2026-01-01T00:00:01Z',
    ]);
    expect(words('[{"_veles_expires_at":0}]')).toEqual([]);
  });
});

describe('labels', () => {
  it('are listed, with what would be invisible made visible, and no more of them than one reads', () => {
    expect(words('{"_labels":[]}')).toEqual(['labels: none']);
    expect(words('{"_labels":["a","b\\u202e"]}')[0]).toMatch(/^labels: a, b.+202E/);
    const many = JSON.stringify({ _labels: Array.from({ length: 50_000 }, (_, index) => `l${index}`) });
    expect(words(many)).toEqual([expect.stringMatching(/^labels: l0, .*, l11 and 49,988 more$/)]);
    expect(words(`{"_labels":["${'x'.repeat(100_000)}"]}`)[0]!.length).toBeLessThan(100);
  });

  it.each(['"a"', '["a",1]', '[["a"]]', '{"0":"a"}', 'null'])('that are %s are said to be no labels', (value) => {
    expect(words(`{"_labels":${value}}`)).toEqual(['_labels is no array of strings, which VelesDB expects there']);
  });
});

describe('numbers', () => {
  it('past 2^53 are named where JavaScript would change them, however long they are', () => {
    expect(words('{"a":9007199254740992,"b":9007199254740993}')).toEqual([
      '9007199254740993: tools in JavaScript would make 9007199254740992 of it',
    ]);
    const [long] = words(`{"a":${'9'.repeat(100_000)}}`);
    expect(long).toContain('would make null of it');
    expect(long!.length).toBeLessThan(120);
  });

  it('that are no integers are left to what VelesDB reads', () => {
    expect(words('{"a":-0,"b":1E400,"c":5e-324,"d":12345678901234567890.0}')).toEqual([]);
  });
});
