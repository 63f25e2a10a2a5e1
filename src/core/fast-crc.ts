import { crc32 as coreCrc32 } from './crc32-algebra.ts';
import {
  add,
  and,
  andV128,
  block,
  type Code,
  constant,
  constantV128,
  equal,
  get,
  I32,
  leave,
  leaveIf,
  lessUnsigned,
  load32,
  loadV128,
  loop,
  relaxedSwizzle8,
  replaceFirst32,
  sequence,
  set,
  shiftLeft,
  shiftRightUnsigned,
  shiftRightUnsigned32,
  storeV128,
  subtract,
  V128,
  type ValueType,
  type Variable,
  when,
  xor,
  xorV128,
} from './wasm/assembler.ts';

/*
 * CRC-32/ISO-HDLC of a range of the memory, as a piece of a WebAssembly routine. WebAssembly has no carry-less multiplication, which
 * is how processors usually do this, and a call out for the native CRC costs as much as hashing some hundred bytes. Two ways take its
 * place.
 *
 * By tables: slicing-by-16 (sixteen table lookups a step of sixteen bytes) with one change: the odd bytes come first, not last. A
 * first step of m = 1…16 bytes leaves a multiple of sixteen. It is done as a whole step over the 16 bytes that end with those m, the
 * bytes before them masked to zero (a zero byte ahead adds nothing) and the register's initial ones put in their place; for m < 4 the
 * ones that do not fit are what the register holds afterwards. So no record needs a loop over single bytes, which for records of a
 * hundred bytes would cost as much as all the rest.
 *
 * By folding, from FOLD_FROM bytes on and where the runtime has the relaxed SIMD extension: five vectors of sixteen bytes stand for everything read so far, as a message of 80 bytes with
 * the same CRC. To read 80 bytes more, those five are replaced by others that mean the same 80 bytes further on, and the bytes read
 * are added to them. Moving is linear and the same for all sixteen columns of the 5 × 16 bytes (a column is five bytes, sixteen
 * apart; columns differ by a power of x only), so it is a table of sixteen entries for each half of each byte and each byte it moves
 * to: 40 lookups of sixteen bytes at once, one instruction each. That is the method of folding by multiplication (Gopal et al.,
 * "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction", Intel 2009) with tables in place of the multiplication.
 * What the vectors hold at the end goes through the tables of bytes. It takes less time than zlib's multiplication, at any length.
 *
 * Four bytes of a column are enough to move to, if they reach every register of 32 bits. Four vectors do not: four bytes sixteen apart
 * reach only half of the registers (31 of 32 dimensions). Of five, the first and the last three do.
 */

const TABLE_SIZE = 1024;
const FIRST_STEPS = 16 * TABLE_SIZE;
const FIRST_STEP_SIZE = 64;
const FOLDS = FIRST_STEPS + 17 * FIRST_STEP_SIZE;
const VECTOR = 16;
/** Vectors that stand for what was read, and bytes of a column. */
const VECTORS = 5;
/** The bytes of a column that others move to. */
const TARGETS = [0, 2, 3, 4];
const FOLDED = VECTORS * VECTOR;
const SCRATCH = FOLDS + VECTORS * 2 * TARGETS.length * VECTOR;

/** Memory that `crcOf` needs from address 0 on, filled by `fillCrcTables`. */
export const CRC_MEMORY = SCRATCH + FOLDED;

/** Less than this behind the first step goes through the tables: setting up a fold costs about as much as two of its steps. */
const FOLD_FROM = 2 * FOLDED;

/** Where `crcOf` reads from and what it works with: variables of the routine it is part of. */
export interface CrcVariables {
  /** Address of the first byte; kept. */
  readonly position: Variable;
  /** Address behind the last byte, at least one behind `position`; kept. */
  readonly stop: Variable;
  /** Gets the finalised CRC. */
  readonly register: Variable;
  /** As many as `crcLocals` gives, of those types, for its own use. */
  readonly locals: readonly Variable[];
}

/** Types of the variables that `crcOf` works with. */
export function crcLocals(folding: boolean): ValueType[] {
  const vectors = folding ? 2 * VECTORS + 2 : 0;
  return [...new Array<ValueType>(6).fill(I32), ...new Array<ValueType>(vectors).fill(V128)];
}

/** What the byte at place `place` of a step, in place `place` % 4 of its word, adds to the register. */
function lookup(place: number, of: Variable): Code {
  const bit = (place & 3) * 8;
  const scaled = bit === 0 ? shiftLeft(get(of), constant(2)) : shiftRightUnsigned(get(of), constant(bit - 2));
  return load32(and(scaled, constant(0x3fc)), place * TABLE_SIZE);
}

/** The register after a step over four words, the register before it already in the first (or wherever it belongs). */
function step(words: readonly Variable[]): Code {
  // The first word comes last because it is what waits for the step before.
  return [1, 2, 3, 0]
    .map((index) => {
      const word = words[index]!;
      const place = 4 * index;
      return xor(
        xor(lookup(place, word), lookup(place + 1, word)),
        xor(lookup(place + 2, word), lookup(place + 3, word)),
      );
    })
    .reduce(xor);
}

/**
 * Sets `register` to the finalised CRC of [position, stop), a range that is not empty. Up to fifteen bytes before it are looked at,
 * so it must not begin below address CRC_MEMORY + 15; they do not count.
 * @param folding whether to fold, which only a runtime with relaxed SIMD compiles.
 */
export function crcOf({ position, stop, register, locals }: CrcVariables, folding: boolean): Code {
  const [at, entry, ...words] = locals.slice(0, 6) as [Variable, Variable, ...Variable[]];
  const firstStep = sequence(
    // m, the bytes of the first step, and its entry in the table of first steps.
    set(at, add(and(subtract(subtract(get(stop), get(position)), constant(1)), constant(15)), constant(1))),
    set(entry, shiftLeft(get(at), constant(6))),
    set(at, add(get(position), get(at))),
    ...words.map((of, index) =>
      set(
        of,
        xor(
          and(load32(subtract(get(at), constant(VECTOR)), index * 4), load32(get(entry), FIRST_STEPS + index * 4)),
          load32(get(entry), FIRST_STEPS + 16 + index * 4),
        ),
      ),
    ),
    set(register, xor(step(words), load32(get(entry), FIRST_STEPS + 32))),
  );

  function tableStep(address: Code, offset: number): Code[] {
    return [
      ...words.map((word, index) => {
        const bytes = load32(address, offset + index * 4);
        return set(word, index === 0 ? xor(bytes, get(register)) : bytes);
      }),
      set(register, step(words)),
    ];
  }

  function folds(): Code {
    const vectors = locals.slice(6, 6 + VECTORS);
    const next = locals.slice(6 + VECTORS, 6 + 2 * VECTORS);
    const [low, high] = locals.slice(6 + 2 * VECTORS) as [Variable, Variable];
    const nibbles = constantV128(new Array<number>(VECTOR).fill(0x0f));
    const fold = sequence(
      ...next.map((vector, index) => set(vector, loadV128(get(at), index * VECTOR))),
      ...vectors.flatMap((vector, from) => [
        set(low, andV128(get(vector), nibbles)),
        set(high, andV128(shiftRightUnsigned32(get(vector), constant(4)), nibbles)),
        ...TARGETS.map((target, to) => {
          const into = next[target]!;
          const moved = xorV128(
            relaxedSwizzle8(loadV128(constant(0), foldTable(from, 0, to)), get(low)),
            relaxedSwizzle8(loadV128(constant(0), foldTable(from, 1, to)), get(high)),
          );
          return set(into, xorV128(get(into), moved));
        }),
      ]),
      ...vectors.map((vector, index) => set(vector, get(next[index]!))),
    );
    const zero = constantV128(new Array<number>(VECTOR).fill(0));
    return sequence(
      ...vectors.map((vector, index) => set(vector, loadV128(get(at), index * VECTOR))),
      set(vectors[0]!, xorV128(get(vectors[0]!), replaceFirst32(zero, get(register)))),
      set(at, add(get(at), constant(FOLDED))),
      block(
        loop(
          leaveIf(lessUnsigned(subtract(get(stop), get(at)), constant(FOLDED)), 1),
          fold,
          set(at, add(get(at), constant(FOLDED))),
          leave(0),
        ),
      ),
      ...vectors.map((vector, index) => storeV128(constant(0), get(vector), SCRATCH + index * VECTOR)),
      set(register, constant(0)),
      ...vectors.flatMap((_, index) => tableStep(constant(0), SCRATCH + index * VECTOR)),
    );
  }

  return sequence(
    firstStep,
    folding ? when(lessUnsigned(constant(FOLD_FROM - 1), subtract(get(stop), get(at))), folds()) : [],
    block(
      loop(
        leaveIf(equal(get(at), get(stop)), 1),
        ...tableStep(get(at), 0),
        set(at, add(get(at), constant(VECTOR))),
        leave(0),
      ),
    ),
    set(register, xor(get(register), constant(-1))),
  );
}

/** Address of the table for one half (0 low, 1 high) of the byte `from` of a column, and for what it adds to the byte TARGETS[to]. */
function foldTable(from: number, half: number, to: number): number {
  return FOLDS + ((from * 2 + half) * TARGETS.length + to) * VECTOR;
}

/** Writes what `crcOf` needs into the first CRC_MEMORY bytes of a memory. */
export function fillCrcTables(buffer: ArrayBuffer): void {
  const tables = new Int32Array(buffer, 0, FIRST_STEPS >> 2);
  for (let place = 0; place < 16; place++) {
    for (let byte = 0; byte < 256; byte++) tables[place * 256 + byte] = registerAfter(byte, 15 - place);
  }
  const first = new DataView(buffer, FIRST_STEPS);
  for (let m = 1; m <= 16; m++) {
    for (let index = 0; index < 16; index++) {
      const taken = index >= 16 - m;
      first.setUint8(m * FIRST_STEP_SIZE + index, taken ? 0xff : 0);
      first.setUint8(m * FIRST_STEP_SIZE + 16 + index, taken && index < 16 - m + 4 ? 0xff : 0);
    }
    first.setInt32(m * FIRST_STEP_SIZE + 32, m < 4 ? -1 >>> (8 * m) : 0, true);
  }
  const bytes = new Uint8Array(buffer);
  const asColumn = columnSolver();
  for (let from = 0; from < VECTORS; from++) {
    for (let half = 0; half < 2; half++) {
      for (let nibble = 0; nibble < 16; nibble++) {
        // The last column: in it the last byte of all stands at the very end.
        const column = asColumn(registerAfter(nibble << (4 * half), (2 * VECTORS - 1 - from) * VECTOR));
        for (let to = 0; to < TARGETS.length; to++) bytes[foldTable(from, half, to) + nibble] = column >>> (8 * to);
      }
    }
  }
}

/** The register, from zero, after a byte and so many zero bytes: a CRC without the inversions at both ends. */
function registerAfter(byte: number, zeros: number): number {
  const message = new Uint8Array(zeros + 1);
  const ofZeros = coreCrc32(message);
  message[0] = byte;
  return coreCrc32(message) ^ ofZeros;
}

/**
 * Finds, for a register, the last column that leaves it behind (byte `k` of the result at TARGETS[k], zeros elsewhere): 32 linear
 * equations in 32 unknown bits, solved once by elimination.
 */
function columnSolver(): (register: number) => number {
  /** By its uppermost bit: a register, and the column that leaves it. */
  const known: { register: number; column: number }[] = [];
  const reduce = (register: number, column: number): { register: number; column: number } => {
    let [rest, found] = [register, column];
    while (rest !== 0) {
      const by = known[31 - Math.clz32(rest)];
      if (!by) break;
      rest ^= by.register;
      found ^= by.column;
    }
    return { register: rest, column: found };
  };
  for (let bit = 0; bit < 32; bit++) {
    const zeros = (VECTORS - 1 - TARGETS[bit >>> 3]!) * VECTOR;
    const added = reduce(registerAfter(1 << (bit & 7), zeros), 1 << bit);
    if (added.register === 0) throw new Error('The targets do not reach every register');
    known[31 - Math.clz32(added.register)] = added;
  }
  return (register) => reduce(register, 0).column;
}
