import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalize } from './canonicalize.ts';
import { type Difference, differences } from './differences.ts';
import { noSpace, payloadText, propertySeed, someSpace, text, utf8 } from './text.fixture.ts';

function found(source: string): Difference[] {
  return differences(utf8(source));
}

describe('differences', () => {
  it('finds none where VelesDB would write the same bytes', () => {
    expect(found('{"a":[1,-2,1.5,"é\\n",null,18446744073709551615],"b":{}}')).toEqual([]);
  });

  it('names a dropped duplicate, with the value read instead', () => {
    expect(
      found('{"a":1,"b":{"a":[ 1.0 ],"\\u0061":2}}').filter(({ kind }) => kind === 'duplicate-key-dropped'),
    ).toEqual([
      { kind: 'duplicate-key-dropped', pointer: '/b/a', start: 12, end: 23, stored: '"a":[ 1.0 ]', read: '2' },
    ]);
  });

  it('names keys that come back in another order', () => {
    expect(found('{"b":1,"a":2,"c":3}')).toEqual([
      { kind: 'keys-reordered', pointer: '', start: 0, end: 19, stored: '"b", "a", "c"', read: '"a", "b", "c"' },
    ]);
  });

  it.each([
    ['0.9646330322416015', 'number-changed', '0.9646330322416016'],
    ['18446744073709551616', 'number-changed', '1.8446744073709552e+19'],
    ['1e-400', 'number-changed', '0.0'],
    ['3.14159265358979323846', 'number-changed', '3.141592653589793'],
    ['1E2', 'number-respelled', '100.0'],
    ['-0', 'number-respelled', '-0.0'],
    ['0e77777777777', 'number-respelled', '0.0'],
    ['1.10', 'number-respelled', '1.1'],
    ['100000000000000000000', 'number-respelled', '1e+20'],
  ])('says of %s: %s to %s', (stored, kind, read) => {
    expect(found(stored)).toEqual([{ kind, pointer: '', start: 0, end: stored.length, stored, read }]);
  });

  it('names strings and keys written with other escapes', () => {
    expect(found('{"\\u0061/~":"\\/é\\u00e9"}')).toEqual([
      { kind: 'escape-changed', pointer: '/a~1~0', start: 1, end: 11, stored: '"\\u0061/~"', read: '"a/~"' },
      { kind: 'escape-changed', pointer: '/a~1~0', start: 12, end: 24, stored: '"\\/é\\u00e9"', read: '"/éé"' },
    ]);
  });

  it('names white space once, and not that in strings', () => {
    expect(found('["a b",\n 1, 2]')).toEqual([
      { kind: 'whitespace', pointer: '', start: 7, end: 9, stored: '\n ', read: '' },
    ]);
  });

  it('stops at the limit', () => {
    expect(differences(utf8('[1E1,1E2,1E3]'), 2).map(({ stored }) => stored)).toEqual(['1E1', '1E2']);
  });

  it('is empty exactly where canonical text is the text itself', () => {
    fc.assert(
      fc.property(payloadText(fc.oneof(noSpace, someSpace), true), (source) => {
        const bytes = utf8(source);
        const canonical = canonicalize(bytes);
        fc.pre(canonical.ok);
        expect(differences(bytes).length === 0).toBe(text(canonical.bytes) === source);
      }),
      { seed: propertySeed('differences'), numRuns: 2000 },
    );
  });

  it('leaves text alone that was put right in each place it names', () => {
    // Replacing numbers and strings by what is read, and dropping what is dropped, leaves only order and white space.
    fc.assert(
      fc.property(payloadText(noSpace, true), (source) => {
        const bytes = utf8(source);
        fc.pre(canonicalize(bytes).ok);
        const places = differences(bytes).filter(({ kind }) => /^(number|escape)/.test(kind));
        fc.pre(places.every(({ stored, read }) => !stored.endsWith('…') && !read.endsWith('…')));
        let result = '';
        let at = 0;
        for (const { start, end, read } of places) {
          result += text(bytes.subarray(at, start)) + read;
          at = end;
        }
        result += text(bytes.subarray(at));
        const left = differences(utf8(result)).map(({ kind }) => kind);
        expect(left.filter((kind) => kind === 'number-respelled' || kind === 'escape-changed')).toEqual([]);
      }),
      { seed: propertySeed('put right'), numRuns: 1000 },
    );
  });
});
