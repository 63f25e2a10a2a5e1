import fc from 'fast-check';

/** Seeds are printed so that a failure can be replayed: `VELESCOPE_SEED=… npx vitest run …`. */
export function propertySeed(name: string): number {
  const seed = process.env.VELESCOPE_SEED ? Number(process.env.VELESCOPE_SEED) : Date.now() % 0x7fffffff;
  console.info(`${name}: seed ${seed}`);
  return seed;
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** False for a string with a surrogate that lacks its partner. */
export function isWellFormed(value: string): boolean {
  return !/\p{Cs}/u.test(value);
}

export function text(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
}

const digits = (minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789'), minLength, maxLength });

/** Number tokens in every spelling the grammar allows, also past the ranges of u64, i64 and double. */
export const numberToken: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom('', '-'),
    fc.oneof(
      fc.constant('0'),
      fc.tuple(fc.constantFrom(...'123456789'), digits(0, 25)).map((parts) => parts.join('')),
      fc.bigInt(0n, 0x1_0000_0000_0000_0001n).map(String),
    ),
    fc.oneof(
      fc.constant(''),
      digits(1, 25).map((fraction) => `.${fraction}`),
    ),
    fc.oneof(
      { weight: 2, arbitrary: fc.constant('') },
      {
        weight: 1,
        arbitrary: fc
          .tuple(
            fc.constantFrom('e', 'E'),
            fc.constantFrom('', '+', '-'),
            fc.oneof(
              digits(1, 2),
              fc.integer({ min: 280, max: 340 }).map(String),
              fc.constantFrom('2147483647', '2147483648', '00012'),
            ),
          )
          .map((parts) => parts.join('')),
      },
    ),
  )
  .map((parts) => parts.join(''));

const escapeToken = fc.oneof(
  fc.constantFrom('\\"', '\\\\', '\\/', '\\b', '\\f', '\\n', '\\r', '\\t', '\\ud83d\\ude00', '\\uD800', '\\udc00'),
  fc.integer({ min: 0, max: 0xffff }).map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`),
);

/** String tokens, quotes included; some with lone surrogate escapes, which VelesDB refuses, unless `accepted` is asked for. */
export function stringToken(accepted: boolean): fc.Arbitrary<string> {
  const harmlessEscape = escapeToken.filter((token) => !/^\\u[dD][89a-fA-F]..$/.test(token));
  const plain = fc
    .string({ unit: 'binary' })
    .map((value) => [...value].filter((character) => character >= ' ' && !'"\\'.includes(character)).join(''))
    .filter(isWellFormed);
  return fc
    .array(
      fc.oneof({ weight: 3, arbitrary: plain }, { weight: 1, arbitrary: accepted ? harmlessEscape : escapeToken }),
      {
        maxLength: 4,
      },
    )
    .map((parts) => `"${parts.join('')}"`);
}

/** Keys from few letters, so that duplicates happen, some of them differently spelled, and integer-like ones. */
const keyToken = (accepted: boolean) =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom('"a"', '"b"', '"\\u0061"', '"10"', '"2"', '""', '"é"', '"_labels"') },
    { weight: 1, arbitrary: stringToken(accepted) },
  );

/**
 * Payload texts token by token: any spelling of numbers and strings, duplicate keys, empty containers.
 *
 * @param space what may stand between two tokens; an arbitrary of '' gives compact text
 * @param accepted leave out what VelesDB refuses
 */
export function payloadText(space: fc.Arbitrary<string>, accepted: boolean): fc.Arbitrary<string> {
  const number = accepted ? numberToken.filter((token) => Number.isFinite(Number(token))) : numberToken;
  const { value } = fc.letrec<{ value: string }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      fc.oneof(number, stringToken(accepted), fc.constantFrom('true', 'false', 'null')),
      fc
        .array(fc.tuple(space, tie('value'), space), { maxLength: 5 })
        .map((elements) => `[${elements.map((parts) => parts.join('')).join(',')}]`),
      fc
        .array(fc.tuple(space, keyToken(accepted), space, fc.constant(':'), space, tie('value'), space), {
          maxLength: 5,
        })
        .map((members) => `{${members.map((parts) => parts.join('')).join(',')}}`),
      fc.tuple(space, space).map(([before, after]) => (before + after === '' ? '[]' : `[${before}]`)),
    ),
  }));
  return fc.tuple(space, value, space).map((parts) => parts.join(''));
}

export const noSpace: fc.Arbitrary<string> = fc.constant('');
export const someSpace: fc.Arbitrary<string> = fc.string({
  unit: fc.constantFrom(' ', '\n', '\t', '\r'),
  maxLength: 3,
});

/** Bytes near JSON: a text with some bytes replaced, inserted or cut away. */
export const brokenBytes: fc.Arbitrary<Uint8Array> = fc
  .tuple(
    payloadText(fc.oneof(noSpace, someSpace), false),
    fc.array(
      fc.record({
        at: fc.double({ min: 0, max: 1, noNaN: true }),
        how: fc.constantFrom('replace', 'insert', 'cut', 'drop'),
        byte: fc.oneof(
          fc.integer({ min: 0, max: 255 }),
          fc.constantFrom(...[...'{}[]",:\\u0-1.eE+tfn \n\t'].map((character) => character.charCodeAt(0))),
        ),
      }),
      { maxLength: 3 },
    ),
  )
  .map(([source, changes]) => {
    let bytes = [...utf8(source)];
    for (const { at, how, byte } of changes) {
      const index = Math.floor(at * bytes.length);
      if (how === 'replace') bytes[index] = byte;
      if (how === 'insert') bytes.splice(index, 0, byte);
      if (how === 'drop') bytes.splice(index, 1);
      if (how === 'cut') bytes = bytes.slice(0, index);
    }
    return Uint8Array.from(bytes);
  });
