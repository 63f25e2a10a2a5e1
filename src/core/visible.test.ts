import { describe, expect, it } from 'vitest';
import { escapeInvisible } from './visible.ts';

describe('escapeInvisible', () => {
  it('leaves text of any script, and joiners inside it, as it stands', () => {
    const text = 'Größe 東京 العربية नमस्ते 👩‍👩‍👧 \\u001b ~';
    expect(escapeInvisible(text)).toBe(text);
  });

  it.each([
    ['an escape sequence', '\u001b[2J', '\\u001b[2J'],
    ['a line break', 'a\nb', 'a\\u000ab'],
    ['DEL', '\u007f', '\\u007f'],
    ['the eight-bit control sequence introducer', '\u009b31m', '\\u009b31m'],
    ['a right-to-left override', 'gpj.\u202eexe', 'gpj.\\u202eexe'],
    ['an isolate', '\u2066a\u2069', '\\u2066a\\u2069'],
    ['directional marks', '\u200e\u200f', '\\u200e\\u200f'],
    ['line and paragraph separators', '\u2028\u2029', '\\u2028\\u2029'],
    ['half of a surrogate pair', 'x\ud800y', 'x\\ud800y'],
    ['a tag character', '\u{e0041}', '\\udb40\\udc41'],
  ])('writes %s as an escape', (_name, text, escaped) => {
    expect(escapeInvisible(text)).toBe(escaped);
  });

  it('keeps the meaning of a JSON text', () => {
    const value = { 'k\u202e': '\u0085\u007f\u{e0001}\u2028' };
    expect(JSON.parse(escapeInvisible(JSON.stringify(value)))).toEqual(value);
  });
});
