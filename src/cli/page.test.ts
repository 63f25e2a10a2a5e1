import { describe, expect, it } from 'vitest';
import { wrapped } from './page.ts';

describe('text beside the margin', () => {
  it('is broken between words where it is too long, and only there', () => {
    expect(wrapped('one two three', 13)).toEqual(['one two three']);
    expect(wrapped('one two three', 12)).toEqual(['one two', 'three']);
    expect(wrapped('one two three', 3)).toEqual(['one', 'two', 'three']);
  });

  it('keeps a word whole that is longer than a line', () => {
    expect(wrapped('see /a/very/long/path there', 8)).toEqual(['see', '/a/very/long/path', 'there']);
  });

  it('goes on below the words of a list item, not below its dash', () => {
    expect(wrapped('- one two', 6)).toEqual(['- one', '  two']);
  });

  it('takes styles for nothing', () => {
    const red = '\u001b[31mone\u001b[39m two';
    expect(wrapped(red, 7)).toEqual([red]);
  });
});
