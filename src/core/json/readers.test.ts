import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalize } from './canonicalize.ts';
import { acceptedBy, checkForEveryRelease, checkPayload, isAccepted } from './check.ts';
import { differences } from './differences.ts';
import { type JsonReader, readFloat } from './number.ts';
import { propertySeed, text, utf8 } from './text.fixture.ts';

/** What a release answered to a text: what it printed, or its message. */
type Answer = { ok: true; out: string } | { ok: false; error: string };

/** Texts on which 7.1.0 and 8.0.0 answer differently, with the answers of both (interop/FINDINGS.md). */
const recorded = readFileSync(new URL('../../../interop/fixtures/json-readers.ndjson', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => {
    const { in_b64, '7.1.0': approximate, '8.0.0': exact } = JSON.parse(line);
    return { input: new Uint8Array(Buffer.from(in_b64, 'base64')), approximate, exact } as {
      input: Uint8Array;
    } & Record<JsonReader, Answer>;
  });

function answer(input: Uint8Array, reader: JsonReader): Answer {
  const result = canonicalize(input, reader);
  return result.ok ? { ok: true, out: text(result.bytes) } : { ok: false, error: result.check.message };
}

describe('the two readers of numbers', () => {
  it('print and refuse what 7.1.0 and 8.0.0 printed and refused', () => {
    let refusals = 0;
    for (const { input, approximate, exact } of recorded) {
      expect(answer(input, 'approximate')).toEqual(approximate);
      expect(answer(input, 'exact')).toEqual(exact);
      if (approximate.ok !== exact.ok) refusals++;
    }
    expect(recorded.length).toBeGreaterThan(400);
    expect(refusals).toBeGreaterThan(50);
  });

  it('are told apart in one pass', () => {
    for (const { input, approximate, exact } of recorded) {
      expect(acceptedBy(input)).toEqual({ approximate: approximate.ok, exact: exact.ok });
      expect(isAccepted(input)).toBe(approximate.ok);
      expect(isAccepted(input, 0, input.length, 'exact')).toBe(exact.ok);
    }
  });

  it('differ in both directions inside one text without hiding each other', () => {
    const onlyExact = '1.7976931348623158e308';
    const onlyApproximate = '179769313486231581e291';
    expect(acceptedBy(utf8(`[${onlyExact}]`))).toEqual({ approximate: false, exact: true });
    expect(acceptedBy(utf8(`[${onlyApproximate}]`))).toEqual({ approximate: true, exact: false });
    expect(acceptedBy(utf8(`[${onlyExact},${onlyApproximate}]`))).toEqual({ approximate: false, exact: false });
    expect(acceptedBy(utf8('[1e308]'))).toEqual({ approximate: true, exact: true });
    expect(acceptedBy(utf8('[1e308,]'))).toEqual({ approximate: false, exact: false });
  });

  it('both have to read what is about to be stored', () => {
    expect(checkForEveryRelease(utf8('1e308'))).toEqual({ state: 'ok' });
    for (const token of ['1.7976931348623158e308', '179769313486231581e291', '1e309']) {
      expect(checkForEveryRelease(utf8(`[${token}]`))).toMatchObject({
        state: 'unreadable',
        message: `number out of range at line 1 column ${token.length + 1}`,
        offset: 1,
      });
    }
  });

  it('exactly is as JavaScript reads, and a message stands exactly where reading fails', () => {
    const number = fc.stringMatching(/^-?(0|[1-9]\d{0,30})(\.\d{1,30})?(e[+-]?\d{1,3})?$/);
    fc.assert(
      fc.property(number, (token) => {
        const bytes = utf8(token);
        expect(readFloat(bytes, 0, bytes.length, 'exact')).toBe(Number(token));
        for (const reader of ['approximate', 'exact'] as const) {
          expect(checkPayload(bytes, 0, bytes.length, reader).state === 'ok').toBe(acceptedBy(bytes)[reader]);
        }
      }),
      { seed: propertySeed('exact numbers'), numRuns: 2000 },
    );
  });

  it('exactly takes numbers of any length, as JavaScript does', () => {
    const digits = fc.array(fc.constantFrom('0', '4', '5', '9'), { minLength: 0, maxLength: 1200 });
    fc.assert(
      fc.property(
        digits,
        digits,
        fc.integer({ min: -1600, max: 1600 }),
        fc.boolean(),
        (whole, part, exponent, minus) => {
          const token = `${minus ? '-' : ''}1${whole.join('')}.0${part.join('')}e${exponent}`;
          const zeroes = `${minus ? '-' : ''}0.${'0'.repeat(900)}${part.join('')}1e${exponent}`;
          for (const one of [token, zeroes]) {
            const bytes = utf8(one);
            expect(readFloat(bytes, 0, bytes.length, 'exact')).toBe(Number(one));
          }
        },
      ),
      { seed: propertySeed('long numbers'), numRuns: 500 },
    );
    // The middle between 1 and the next double, to its last digit and beyond.
    const middle = `1.00000000000000011102230246251565404236316680908203125`;
    for (const tail of ['', '0'.repeat(900), `${'0'.repeat(900)}1`]) {
      const token = utf8(`${middle}${tail}`);
      expect(readFloat(token, 0, token.length, 'exact')).toBe(tail.endsWith('1') ? 1 + 2 ** -52 : 1);
    }
  });

  it('name different columns for text that is not UTF-8', () => {
    const bytes = Uint8Array.of(0x5b, 0x0a, 0x22, 0x61, 0xff, 0x62, 0x22, 0x5d);
    expect(checkPayload(bytes)).toMatchObject({ message: 'invalid unicode code point at line 2 column 5', offset: 4 });
    expect(checkPayload(bytes, 0, bytes.length, 'exact')).toMatchObject({
      message: 'invalid unicode code point at line 2 column 3',
      offset: 4,
    });
    // Counted back from the closing quote in unescaped bytes; asked of 8.0.0.
    const escaped = Uint8Array.from(Buffer.from('5b22802cc3a95c7530306539225d', 'hex'));
    expect(checkPayload(escaped)).toMatchObject({ message: 'invalid unicode code point at line 1 column 13' });
    expect(checkPayload(escaped, 0, escaped.length, 'exact')).toMatchObject({
      message: 'invalid unicode code point at line 1 column 7',
      offset: 2,
    });
  });

  it('show different numbers as changed', () => {
    const bytes = utf8('[0.9646330322416015,0.1]');
    expect(differences(bytes)).toMatchObject([{ kind: 'number-changed', read: '0.9646330322416016' }]);
    expect(differences(bytes, 9, 'exact')).toEqual([]);
  });
});
