import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkPayload, isAccepted, isJsonText } from './check.ts';
import { brokenBytes, propertySeed, utf8 } from './text.fixture.ts';
import { readVectors, vectorsPresent, warnIfAbsent } from './vectors.fixture.ts';

function message(source: string | Uint8Array): string {
  const check = checkPayload(typeof source === 'string' ? utf8(source) : source);
  return check.state === 'ok' ? 'ok' : check.message;
}

function parses(bytes: Uint8Array): boolean {
  try {
    JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
    return true;
  } catch {
    return false;
  }
}

warnIfAbsent('checkPayload against recorded answers');

describe.skipIf(!vectorsPresent)('checkPayload against recorded answers', () => {
  it('accepts what VelesDB accepted and refuses the rest with the same words', () => {
    const vectors = readVectors();
    expect(vectors.length).toBeGreaterThan(4000);
    for (const { input, output, error } of vectors) {
      expect(isAccepted(input)).toBe(output !== null);
      expect(message(input)).toBe(output !== null ? 'ok' : error);
      expect(isJsonText(input)).toBe(parses(input));
    }
  });
});

describe('checkPayload', () => {
  it.each([
    ['', 'EOF while parsing a value at line 1 column 0'],
    ['  ', 'EOF while parsing a value at line 1 column 2'],
    ['[1,]', 'trailing comma at line 1 column 4'],
    ['[1', 'EOF while parsing a list at line 1 column 2'],
    ['{"a"', 'EOF while parsing an object at line 1 column 4'],
    ['{"a":1,}', 'trailing comma at line 1 column 8'],
    ['{a:1}', 'key must be a string at line 1 column 2'],
    ['nul', 'EOF while parsing a value at line 1 column 3'],
    ['nulx', 'expected ident at line 1 column 4'],
    ['01', 'invalid number at line 1 column 2'],
    ['1.', 'EOF while parsing a value at line 1 column 2'],
    ['{"a":\n1e400}', 'number out of range at line 2 column 5'],
    ['"\\ud800"', 'unexpected end of hex escape at line 1 column 8'],
    ['"\\udc00"', 'lone leading surrogate in hex escape at line 1 column 7'],
    ['[1\n2]', 'expected `,` or `]` at line 2 column 1'],
    ['\ufeff1', 'expected value at line 1 column 1'],
  ])('says of %j: %s', (source, expected) => {
    expect(message(source)).toBe(expected);
  });

  it('calls JSON that only VelesDB refuses unreadable, and everything else not JSON', () => {
    const state = (source: string | Uint8Array) =>
      checkPayload(typeof source === 'string' ? utf8(source) : source).state;
    for (const source of ['1e400', '"\\ud800"', '"\\udc00\\ud800"', '['.repeat(128) + ']'.repeat(128)]) {
      expect(state(source)).toBe('unreadable');
    }
    for (const source of ['', '\ufeff{}', '[1e400', '{"a"}', '['.repeat(128), Uint8Array.of(0x22, 0xff, 0x22)]) {
      expect(state(source)).toBe('not-json');
    }
    expect(state('['.repeat(127) + ']'.repeat(127))).toBe('ok');
  });

  it('points at the byte to look at', () => {
    const offset = (source: string | Uint8Array) => {
      const check = checkPayload(typeof source === 'string' ? utf8(source) : source);
      return check.state === 'ok' ? -1 : check.offset;
    };
    expect(offset('[1, x]')).toBe(4);
    expect(offset('[1')).toBe(2);
    expect(offset('[10, 1e999]')).toBe(5);
    expect(offset(Uint8Array.of(0x22, 0x61, 0xc3, 0x28, 0x62, 0x22))).toBe(2);
  });

  it('answers for a range inside a larger buffer as for the range alone', () => {
    fc.assert(
      fc.property(
        brokenBytes,
        fc.uint8Array({ maxLength: 5 }),
        fc.uint8Array({ maxLength: 5 }),
        (bytes, head, tail) => {
          const buffer = Uint8Array.from([...head, ...bytes, ...tail]);
          const end = head.length + bytes.length;
          expect(checkPayload(buffer, head.length, end)).toEqual(checkPayload(bytes));
          expect(isAccepted(buffer, head.length, end)).toBe(isAccepted(bytes));
          expect(isJsonText(buffer, head.length, end)).toBe(isJsonText(bytes));
        },
      ),
      { seed: propertySeed('ranges') },
    );
  });

  it('neither overflows the stack nor misjudges text of a hundred thousand levels', () => {
    const deep = utf8(`${'[{"a":'.repeat(50_000)}1${'}]'.repeat(50_000)}`);
    expect(isJsonText(deep)).toBe(true);
    expect(isJsonText(deep.subarray(0, -1))).toBe(false);
    expect(checkPayload(deep)).toMatchObject({
      state: 'unreadable',
      message: expect.stringMatching(/^recursion limit/),
    });
  });

  it('reads a string of 100 MB', () => {
    const long = new Uint8Array(100_000_000).fill(0x61);
    long[0] = 0x22;
    expect(checkPayload(long)).toMatchObject({ state: 'not-json', offset: long.length });
    long[long.length - 1] = 0x22;
    expect(checkPayload(long).state).toBe('ok');
    expect(isAccepted(long)).toBe(true);
  });
});

describe('the fast answers', () => {
  it('agree with checkPayload and with JSON.parse on text that is nearly JSON', () => {
    fc.assert(
      fc.property(brokenBytes, (bytes) => {
        const check = checkPayload(bytes);
        expect(isAccepted(bytes)).toBe(check.state === 'ok');
        expect(isJsonText(bytes)).toBe(parses(bytes));
        expect(check.state !== 'not-json').toBe(isJsonText(bytes));
      }),
      { seed: propertySeed('agreement'), numRuns: 5000 },
    );
  });
});
