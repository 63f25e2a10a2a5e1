import { describe, expect, it } from 'vitest';
import { isExpired, largeIntegers, readConventions } from './conventions.ts';
import { parseSyntax, type SyntaxTree } from './syntax.ts';

function tree(source: string): SyntaxTree {
  const result = parseSyntax(source);
  if (!result.ok) throw new Error(`not JSON at ${result.offset}`);
  return result.tree;
}

describe('readConventions', () => {
  it('finds labels and expiry at the top of an object only', () => {
    const source = tree(
      '{"a":{"_labels":["x"]},"_labels":["Person","\\u00c9"],"_veles_expires_at":18446744073709551615}',
    );
    const { labels, expiry } = readConventions(source);
    expect(labels?.labels).toEqual(['Person', 'É']);
    expect(expiry?.seconds).toBe(18446744073709551615n);
    expect(source.token(expiry!.node)).toBe('18446744073709551615');
    expect(readConventions(tree('[{"_labels":[]}]'))).toEqual({ labels: null, expiry: null });
  });

  it('takes the last of duplicate keys', () => {
    expect(readConventions(tree('{"_labels":["old"],"\\u005flabels":["new"]}')).labels?.labels).toEqual(['new']);
  });

  it.each(['"x"', '["x",1]', '{"0":"x"}', 'null'])('says that %s is no list of labels', (value) => {
    expect(readConventions(tree(`{"_labels":${value}}`)).labels).toMatchObject({ labels: null });
  });

  it.each(['-1', '1.0', '1e9', '"1"', '18446744073709551616', 'null'])('says that %s is no expiry', (value) => {
    expect(readConventions(tree(`{"_veles_expires_at":${value}}`)).expiry).toMatchObject({ seconds: null });
  });
});

describe('isExpired', () => {
  it('turns true in the second named', () => {
    expect([99n, 100n, 101n].map((now) => isExpired(100n, now))).toEqual([false, true, true]);
  });
});

describe('largeIntegers', () => {
  it('names what JavaScript would make of integers past 2^53 - 1', () => {
    const source = tree(
      '[9007199254740991,9007199254740992,9007199254740993,-9007199254740993,1e300,18446744073709551616]',
    );
    expect(largeIntegers(source).map(({ text, javascript, changed }) => [text, javascript, changed])).toEqual([
      ['9007199254740992', '9007199254740992', false],
      ['9007199254740993', '9007199254740992', true],
      ['-9007199254740993', '-9007199254740992', true],
      ['18446744073709551616', '18446744073709552000', true],
    ]);
  });

  it('agrees with JSON.parse and JSON.stringify', () => {
    for (const text of ['248480010225057793', `1${'0'.repeat(21)}`, '9'.repeat(400)]) {
      expect(largeIntegers(tree(text))[0]?.javascript).toBe(JSON.stringify(JSON.parse(text)));
    }
  });
});
