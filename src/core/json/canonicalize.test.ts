import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalize } from './canonicalize.ts';
import { noSpace, payloadText, propertySeed, someSpace, text, utf8 } from './text.fixture.ts';
import { readVectors, vectorsPresent, warnIfAbsent } from './vectors.fixture.ts';

function canonical(source: string): string {
  const result = canonicalize(utf8(source));
  return result.ok ? text(result.bytes) : result.check.message;
}

warnIfAbsent('canonicalize against recorded answers');

describe.skipIf(!vectorsPresent)('canonicalize against recorded answers', () => {
  it('writes byte for byte what VelesDB wrote', () => {
    let written = 0;
    for (const { input, output, error } of readVectors()) {
      const result = canonicalize(input);
      if (output === null) {
        expect(result).toMatchObject({ ok: false, check: { message: error } });
      } else {
        expect(result).toEqual({ ok: true, bytes: output });
        written++;
      }
    }
    expect(written).toBeGreaterThan(2000);
  });
});

describe('canonicalize', () => {
  it.each([
    [' { "b" : 1 , "a" : [ ] } ', '{"a":[],"b":1}'],
    ['{"a":1,"b":2,"\\u0061":3}', '{"a":3,"b":2}'],
    ['{"😀":1,"\uffff":2}', '{"\uffff":2,"😀":1}'],
    ['"\\u0041\\/\\u001F\\u0008\\u007f\\u2028\\ud83d\\ude00"', '"A/\\u001f\\b\x7f\u2028😀"'],
    ['-0', '-0.0'],
    ['-9223372036854775808', '-9223372036854775808'],
    ['-9223372036854775809', '-9.223372036854776e+18'],
    ['18446744073709551615', '18446744073709551615'],
    ['18446744073709551616', '1.8446744073709552e+19'],
    ['1844674407370955161600000.5', '1.8446744073709552e+24'],
    ['[1E2,1e15,1e16,0.00001,0.000001,-1.50]', '[100.0,1000000000000000.0,1e+16,0.00001,1e-6,-1.5]'],
    ['[0e99999999999,1e-99999999999,-0.0e5]', '[0.0,0.0,-0.0]'],
    // The fraction's first digit is offered to a significand that refused the integer's last one.
    ['18446744073709551616.0e-30', '1.844674407370955e-11'],
    ['0.9646330322416015', '0.9646330322416016'],
  ])('%s becomes %s', (source, expected) => {
    expect(canonical(source)).toBe(expected);
  });

  it('is refused where checkPayload refuses', () => {
    expect(canonical('[1e400]')).toBe('number out of range at line 1 column 6');
  });

  it('changes nothing but floats when done again, and floats only in their digits', () => {
    fc.assert(
      fc.property(payloadText(fc.oneof(noSpace, someSpace), true), (source) => {
        const once = canonicalize(utf8(source));
        fc.pre(once.ok);
        const twice = canonicalize(once.bytes);
        expect(twice.ok).toBe(true);
        if (!twice.ok) return;
        const withoutFloats = (bytes: Uint8Array) => text(bytes).replace(/-?\d+(\.\d+(e[+-]?\d+)?|e[+-]?\d+)/g, '#');
        expect(withoutFloats(twice.bytes)).toBe(withoutFloats(once.bytes));
      }),
      { seed: propertySeed('idempotence'), numRuns: 500 },
    );
  });
});
