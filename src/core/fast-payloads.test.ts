import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PAYLOAD_BLOCK, payloadWalker } from './fast-payloads.ts';
import { acceptedBy } from './json/check.ts';
import { readVectors, vectorsPresent, warnIfAbsent } from './json/vectors.fixture.ts';
import { LogBuilder, text } from './log-builder.fixture.ts';

warnIfAbsent('passes no recorded text that VelesDB refuses');
const walker = payloadWalker();
const seed = Date.now() & 0x7fff_ffff;
console.info(`fast-payloads.test.ts: seed ${seed}`);

/** Whether the walk passes a record with this payload, as the second of three: what stands around it must not matter. */
function passes(payload: Uint8Array): boolean {
  const log = new LogBuilder().store(1, '"before"').store(2, payload).store(3, '"behind"');
  const bytes = log.bytes();
  walker.input.fill(0x22);
  walker.input.set(bytes);
  const stopped = walker.walk(0, bytes.length);
  if (stopped !== bytes.length) expect(stopped).toBe(log.offsets[1]);
  return stopped === bytes.length;
}

function isRead(payload: Uint8Array): boolean {
  const accepted = acceptedBy(payload);
  return accepted.approximate && accepted.exact;
}

describe('the walk over payloads', () => {
  it.each([
    '{"content":"amber","score":17.125,"tags":["a","b"],"none":null,"yes":true,"no":false}',
    '[]',
    '{}',
    '[[],{},[{}],{"a":[]}]',
    '0',
    '-0',
    '-1.5',
    '18446744073709551615',
    '""',
    'true',
    'false',
    'null',
    `"${'x'.repeat(1000)}"`,
    '"\\"\\\\\\/\\b\\f\\n\\r\\t"',
    '"Grüße, 世界, ไทย, 한국어, 😀, \u{10ffff}\u{ffff}\u{7f}"',
    `${'['.repeat(31)}${']'.repeat(31)}`,
    `{"${'k'.repeat(40)}":{"":[1,2,[3,"x"],{"a":"b","c":[true]}]}}`,
  ])('passes what VelesDB writes: %s', (payload) => {
    expect(passes(text(payload))).toBe(true);
  });

  it.each([
    '',
    ' ',
    '{',
    '[1,]',
    '{"a":1,}',
    '{"a"}',
    '{"a":}',
    '{1:2}',
    '[,]',
    '{,}',
    '[1 2]',
    '01',
    '-',
    '1.',
    '.5',
    '+1',
    '1.5.5',
    'tru',
    'truex',
    'nul',
    'falsy',
    '"',
    '"\\',
    '"\\x"',
    '"a\u0001"',
    '"a"b',
    '1,2',
    ']',
    '}',
    '[}',
    '{"a":1]',
    '{]',
    '[1}',
  ])('stops at what is no JSON: %s', (payload) => {
    expect(passes(text(payload))).toBe(false);
  });

  it('passes no payload that a reader of VelesDB refuses, however like JSON it is', () => {
    const piece = fc.constantFrom(
      ...['{', '}', '[', ']', ',', ':', '"', '"a"', '"a":', '1', '-', '0', '.', '5', 'e9', 'true', 'null', 'false'],
      ...['\\', '\\n', '\\u0041', ' ', 'é', '\u0000', '\u001f', '{"a":1}', '[1]', '""', '"\\"', '9'.repeat(310)],
    );
    const nearly = fc.oneof(
      fc.json().map(text),
      fc.array(piece, { maxLength: 12 }).map((pieces) => text(pieces.join(''))),
      fc.uint8Array({ maxLength: 40 }),
      // One byte of good text changed, and cut.
      fc.tuple(fc.json({ stringUnit: 'binary' }), fc.nat(), fc.nat(255), fc.nat(3)).map(([json, at, byte, cut]) => {
        const bytes = text(json);
        bytes[at % bytes.length] = byte;
        return bytes.subarray(0, bytes.length - (cut % bytes.length));
      }),
      // Any bytes as a string: the forms of UTF-8.
      fc
        .array(
          fc.constantFrom(
            0x61,
            0x80,
            0x8f,
            0x90,
            0x9f,
            0xa0,
            0xbf,
            0xc0,
            0xc2,
            0xdf,
            0xe0,
            0xe1,
            0xed,
            0xef,
            0xf0,
            0xf4,
            0xf5,
          ),
          { maxLength: 20 },
        )
        .map((bytes) => Uint8Array.from([0x22, ...bytes, 0x22])),
    );
    let passed = 0;
    fc.assert(
      fc.property(nearly, (payload) => {
        const pass = passes(payload);
        if (pass) passed++;
        if (pass && !isRead(payload)) throw new Error('passed, and is not read');
      }),
      { seed, numRuns: 20_000 },
    );
    expect(passed).toBeGreaterThan(1000);
  }, 60_000);

  it('passes every compact JSON text with few levels, plain numbers and plain escapes', () => {
    const value = fc.jsonValue({ maxDepth: 5 }).map((json) => JSON.stringify(json));
    fc.assert(
      fc.property(value, (json) => {
        if (!/\\u|\d[eE]/.test(json)) expect(passes(text(json))).toBe(true);
      }),
      { seed, numRuns: 3000 },
    );
  });

  it.skipIf(!vectorsPresent)('passes no recorded text that VelesDB refuses', () => {
    for (const { input, output } of readVectors()) if (passes(input)) expect(output).not.toBeNull();
  });

  it('passes deletes, and stops before legacy records, other bytes and what is not whole', () => {
    const log = new LogBuilder().store(1).delete(1).store(2).legacyStore(3, '{}').store(4);
    const bytes = log.bytes();
    walker.input.set(bytes);
    expect(walker.walk(0, bytes.length)).toBe(log.offsets[3]);
    for (let end = 0; end <= log.offsets[3]!; end++) {
      const whole = [...log.offsets].filter((offset) => offset <= end).at(-1);
      expect(walker.walk(0, end)).toBe(whole);
    }
    walker.input.fill(0xff);
    expect(walker.walk(0, PAYLOAD_BLOCK)).toBe(0);
    // A length that says more than there is.
    walker.input.set([0xc3, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
    expect(walker.walk(0, PAYLOAD_BLOCK)).toBe(0);
  });

  it('passes records up to the very end of the block', () => {
    const log = new LogBuilder();
    const payload = `"${'x'.repeat(100)}"`;
    while (log.length < PAYLOAD_BLOCK - 400) log.store(1, payload);
    log.store(2, `"${'y'.repeat(PAYLOAD_BLOCK - log.length - 19)}"`);
    expect(log.length).toBe(PAYLOAD_BLOCK);
    walker.input.set(log.bytes());
    expect(walker.walk(0, PAYLOAD_BLOCK)).toBe(PAYLOAD_BLOCK);
  });
});
