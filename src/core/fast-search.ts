import {
  add,
  and,
  andV128,
  anyTrue,
  assembleModule,
  bitmask8,
  block,
  constant,
  countTrailingZeros,
  equal,
  equal8,
  get,
  giveBack,
  greaterUnsigned,
  I32,
  leave,
  leaveIf,
  load8,
  loadV128,
  loop,
  notEqual,
  orV128,
  sequence,
  set,
  splat8,
  subtract,
  V128,
  type Variable,
  when,
} from './wasm/assembler.ts';
import { PAGE, type WebAssemblyRuntime, webAssembly } from './wasm/runtime.ts';

/*
 * Search for a byte string, sixteen places at a time: where the needle's two rarest bytes stand at their distance, the whole is compared.
 * The search built into buffers looks for the first byte alone, and in text the first byte of a word is everywhere.
 */

/** How many bytes are looked at between two calls. Smaller blocks are read more slowly, larger ones leave the second-level cache. */
export const SEARCH_BLOCK = 1 << 20;
/** The longest needle; the protocol lets none through that is longer. */
export const LONGEST_NEEDLE = 1 << 14;
/**
 * Where a block goes in `input`; before it is room for the end of the block before. On a line of the cache, because systems read files
 * half as fast to addresses between two (measured on Linux: 5 against 10 GB/s).
 */
export const SEARCH_HEAD = LONGEST_NEEDLE;
const NEEDLE = 64;
const INPUT = NEEDLE + LONGEST_NEEDLE;
/** Places looked at in a step. */
const STEP = 64;

const [at, last, length, rareA, rareB, index, mask, place, byteA, byteB, match0, match1, match2, match3] = Array.from(
  { length: 14 },
  (_, position): Variable => ({ index: position }),
) as [
  Variable,
  Variable,
  Variable,
  Variable,
  Variable,
  Variable,
  Variable,
  Variable,
  Variable,
  Variable,
  Variable,
  Variable,
  Variable,
  Variable,
];
const matches = [match0, match1, match2, match3];

/** Gives the address back if the whole needle stands at `place`. */
const compareAtPlace = sequence(
  set(index, constant(0)),
  block(
    loop(
      when(equal(get(index), get(length)), giveBack(get(place))),
      leaveIf(notEqual(load8(add(get(place), get(index))), load8(get(index), NEEDLE)), 1),
      set(index, add(get(index), constant(1))),
      leave(0),
    ),
  ),
);

/**
 * find(at, last, length, rareA, rareB): the first address in [at, last] where the needle stands, or -1. Bytes behind `last` + length are
 * read but not believed.
 */
const find = sequence(
  set(byteA, splat8(load8(get(rareA), NEEDLE))),
  set(byteB, splat8(load8(get(rareB), NEEDLE))),
  block(
    loop(
      leaveIf(greaterUnsigned(get(at), get(last)), 1),
      ...matches.map((match, lane) =>
        set(
          match,
          andV128(
            equal8(loadV128(add(get(at), get(rareA)), lane * 16), get(byteA)),
            equal8(loadV128(add(get(at), get(rareB)), lane * 16), get(byteB)),
          ),
        ),
      ),
      when(
        anyTrue(orV128(orV128(get(match0), get(match1)), orV128(get(match2), get(match3)))),
        sequence(
          ...matches.map((match, lane) =>
            sequence(
              set(mask, bitmask8(get(match))),
              block(
                loop(
                  leaveIf(equal(get(mask), constant(0)), 1),
                  set(place, add(add(get(at), constant(lane * 16)), countTrailingZeros(get(mask)))),
                  when(greaterUnsigned(get(place), get(last)), giveBack(constant(-1))),
                  compareAtPlace,
                  set(mask, and(get(mask), subtract(get(mask), constant(1)))),
                  leave(0),
                ),
              ),
            ),
          ),
        ),
      ),
      set(at, add(get(at), constant(STEP))),
      leave(0),
    ),
  ),
  giveBack(constant(-1)),
);

interface FindExports {
  find(at: number, last: number, length: number, rareA: number, rareB: number): number;
}

/** Looks for one byte string in blocks that the caller puts into `input`. */
export interface BlockSearcher {
  /** Where the bytes go: SEARCH_HEAD, and SEARCH_BLOCK of them at most. */
  readonly input: Uint8Array;
  /** The first place from `from` on at which the needle stands whole in input[0, length), or -1. */
  find(from: number, length: number): number;
}

/** A searcher; by plain means where there is no WebAssembly with SIMD. `needle` has 1 to LONGEST_NEEDLE bytes. */
export function createBlockSearcher(needle: Uint8Array): BlockSearcher {
  const runtime = webAssembly<FindExports>();
  try {
    if (runtime) return fastSearcher(runtime, needle);
  } catch {
    // The plain search gives the same answer, only later.
  }
  return plainSearcher(needle);
}

function fastSearcher(runtime: WebAssemblyRuntime<FindExports>, needle: Uint8Array): BlockSearcher {
  const size = INPUT + SEARCH_HEAD + SEARCH_BLOCK + LONGEST_NEEDLE + STEP;
  const memory = new runtime.Memory({ initial: Math.ceil(size / PAGE) });
  const module = new runtime.Module(
    assembleModule(
      [],
      [
        {
          name: 'find',
          parameters: [I32, I32, I32, I32, I32],
          result: I32,
          locals: [I32, I32, I32, V128, V128, V128, V128, V128, V128],
          body: find,
        },
      ],
    ),
  );
  const { exports } = new runtime.Instance(module, { env: { memory } });
  const bytes = new Uint8Array(memory.buffer);
  bytes.set(needle, NEEDLE);
  const [rareA, rareB] = rarest(needle);
  return {
    input: bytes.subarray(INPUT, INPUT + SEARCH_HEAD + SEARCH_BLOCK),
    find: (from, length) => {
      const last = length - needle.length;
      if (from > last) return -1;
      const found = exports.find(INPUT + from, INPUT + last, needle.length, rareA, rareB);
      return found < 0 ? -1 : found - INPUT;
    },
  };
}

export function plainSearcher(needle: Uint8Array): BlockSearcher {
  const input = new Uint8Array(SEARCH_HEAD + SEARCH_BLOCK);
  return {
    input,
    find: (from, length) => {
      for (let at = from; ; at++) {
        at = input.indexOf(needle[0]!, at);
        if (at < 0 || at > length - needle.length) return -1;
        let same = 1;
        while (same < needle.length && input[at + same] === needle[same]) same++;
        if (same === needle.length) return at;
      }
    },
  };
}

/** Bytes of JSON text from the commonest on; what is not here is rare. */
const COMMON = ' etaoinsrhldcumfpgwybv",:.0123456789kxjqz_-{}[]ETAOINSRHLDCUMFPGWYBVKXJQZ/\\';

/** The places of the two rarest bytes of a needle; twice the same in a needle of one. */
function rarest(needle: Uint8Array): [number, number] {
  const rarity = (byte: number): number => {
    const rank = COMMON.indexOf(String.fromCharCode(byte));
    return rank < 0 ? COMMON.length : rank;
  };
  const places = Array.from(needle.keys()).sort((a, b) => rarity(needle[b]!) - rarity(needle[a]!) || b - a);
  return [places[0]!, places[1] ?? places[0]!];
}
