/**
 * A tiny assembler for WebAssembly modules: expressions are functions that return the encoded bytes, so that a routine reads
 * like the tree it is. It knows what Velescope's routines use and nothing else. A toolchain (AssemblyScript, wabt) would be a
 * dependency larger than all of the core, and a binary checked in could not be reviewed.
 *
 * Encoding: WebAssembly core specification 1.0, chapter 5 ("Binary Format"). Everything works on 32-bit integers unless the name
 * says otherwise; addresses are bytes of the one memory.
 */

/** Encoded instructions that leave one value (expressions) or none (statements) on the stack. */
export type Code = readonly number[];

export const I32 = 0x7f;
export const F64 = 0x7c;
/** Sixteen bytes side by side (the SIMD extension, in every runtime since 2021). */
export const V128 = 0x7b;
export type ValueType = typeof I32 | typeof F64 | typeof V128;
const EMPTY = 0x40;

/** A variable of a routine: a parameter or a local, by its position. */
export interface Variable {
  readonly index: number;
}

export function unsignedLeb(value: number): number[] {
  const bytes: number[] = [];
  let rest = value >>> 0;
  do {
    const low = rest & 0x7f;
    rest >>>= 7;
    bytes.push(rest === 0 ? low : low | 0x80);
  } while (rest !== 0);
  return bytes;
}

export function signedLeb(value: number): number[] {
  const bytes: number[] = [];
  let rest = value | 0;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    if ((rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)) {
      bytes.push(low);
      return bytes;
    }
    bytes.push(low | 0x80);
  }
}

const binary =
  (opcode: number) =>
  (left: Code, right: Code): Code => [...left, ...right, opcode];

export const constant = (value: number): Code => [0x41, ...signedLeb(value)];
export const get = (variable: Variable): Code => [0x20, ...unsignedLeb(variable.index)];
export const set = (variable: Variable, value: Code): Code => [...value, 0x21, ...unsignedLeb(variable.index)];
export const add = binary(0x6a);
export const subtract = binary(0x6b);
export const multiply = binary(0x6c);
export const and = binary(0x71);
export const or = binary(0x72);
export const xor = binary(0x73);
export const shiftLeft = binary(0x74);
export const shiftRightUnsigned = binary(0x76);
export const equal = binary(0x46);
export const notEqual = binary(0x47);
export const lessUnsigned = binary(0x49);
export const greaterUnsigned = binary(0x4b);
export const addF64 = binary(0xa0);
/** An unsigned 32-bit integer as a double. */
export const toF64 = (value: Code): Code => [...value, 0xb8];

// The alignment hint 0 claims nothing: records lie where they lie.
const load =
  (opcode: number) =>
  (address: Code, offset = 0): Code => [...address, opcode, 0, ...unsignedLeb(offset)];
const store =
  (opcode: number) =>
  (address: Code, value: Code, offset = 0): Code => [...address, ...value, opcode, 0, ...unsignedLeb(offset)];
export const load32 = load(0x28);
/** One byte, zero-extended. */
export const load8 = load(0x2d);
export const store32 = store(0x36);
export const store8 = store(0x3a);
export const storeF64 = store(0x39);

const vectorOperation = (opcode: number): Code => [0xfd, ...unsignedLeb(opcode)];
/** Sixteen bytes from an address of any alignment. */
export const loadV128 = (address: Code, offset = 0): Code => [
  ...address,
  ...vectorOperation(0x00),
  0,
  ...unsignedLeb(offset),
];
/** One byte sixteen times. */
export const splat8 = (value: Code): Code => [...value, ...vectorOperation(0x0f)];
/** For each byte, all ones where the two are equal, else zero. */
export const equal8 = (left: Code, right: Code): Code => [...left, ...right, ...vectorOperation(0x23)];
/** For each byte, all ones where the left one is less than the right one, both signed, else zero. */
export const lessSigned8 = (left: Code, right: Code): Code => [...left, ...right, ...vectorOperation(0x25)];
/** A constant of sixteen bytes. */
export const constantV128 = (bytes: readonly number[]): Code => [...vectorOperation(0x0c), ...bytes];
export const storeV128 = (address: Code, value: Code, offset = 0): Code => [
  ...address,
  ...value,
  ...vectorOperation(0x0b),
  0,
  ...unsignedLeb(offset),
];
/**
 * For each byte of `indices`, which must be 0…15, the byte of `table` in that place. Of the relaxed SIMD extension, which is one
 * instruction of the processor; the swizzle of the plain one has to see to indices beyond, and costs twice as much.
 */
export const relaxedSwizzle8 = (table: Code, indices: Code): Code => [...table, ...indices, ...vectorOperation(0x100)];
/** The vector with its first four bytes replaced. */
export const replaceFirst32 = (vector: Code, value: Code): Code => [...vector, ...value, ...vectorOperation(0x1c), 0];
/** Each four bytes shifted right as an unsigned number. */
export const shiftRightUnsigned32 = (vector: Code, by: Code): Code => [...vector, ...by, ...vectorOperation(0xad)];
export const xorV128 = (left: Code, right: Code): Code => [...left, ...right, ...vectorOperation(0x51)];
export const andV128 = (left: Code, right: Code): Code => [...left, ...right, ...vectorOperation(0x4e)];
export const orV128 = (left: Code, right: Code): Code => [...left, ...right, ...vectorOperation(0x50)];
/** 1 where any bit is set, else 0. */
export const anyTrue = (value: Code): Code => [...value, ...vectorOperation(0x53)];
/** The uppermost bit of each byte, the first byte's lowest. */
export const bitmask8 = (value: Code): Code => [...value, ...vectorOperation(0x64)];
export const countTrailingZeros = (value: Code): Code => [...value, 0x68];

export const call = (routine: number, ...parameters: Code[]): Code => [
  ...parameters.flat(),
  0x10,
  ...unsignedLeb(routine),
];
/** Statements one after another. */
export const sequence = (...statements: Code[]): Code => statements.flat();
export const when = (condition: Code, then: Code, otherwise: Code = []): Code =>
  otherwise.length === 0
    ? [...condition, 0x04, EMPTY, ...then, 0x0b]
    : [...condition, 0x04, EMPTY, ...then, 0x05, ...otherwise, 0x0b];
/** A block that `leave` leaves. */
export const block = (...body: Code[]): Code => [0x02, EMPTY, ...body.flat(), 0x0b];
/** A block that `leave` begins anew; it ends by running off its end. */
export const loop = (...body: Code[]): Code => [0x03, EMPTY, ...body.flat(), 0x0b];
/** Jumps to the end of the `depth`th enclosing block (0: the innermost), or to the beginning when that is a loop. */
export const leave = (depth: number): Code => [0x0c, ...unsignedLeb(depth)];
export const leaveIf = (condition: Code, depth: number): Code => [...condition, 0x0d, ...unsignedLeb(depth)];
export const giveBack = (value: Code): Code => [...value, 0x0f];

export interface Routine {
  name: string;
  parameters: readonly ValueType[];
  result: ValueType;
  /** Types of the locals behind the parameters. */
  locals: readonly ValueType[];
  body: Code;
}

export interface Import {
  module: string;
  name: string;
  parameters: readonly ValueType[];
  result: ValueType;
}

/** A module of imported and exported routines over one imported memory (`env.memory`). Imports are numbered first. */
export function assembleModule(imports: readonly Import[], routines: readonly Routine[]): Uint8Array<ArrayBuffer> {
  const vector = (items: readonly Code[]): number[] => [...unsignedLeb(items.length), ...items.flat()];
  const section = (id: number, content: Code): number[] => [id, ...unsignedLeb(content.length), ...content];
  const name = (text: string): number[] => vector([...text].map((character) => [character.charCodeAt(0)]));
  const signature = (of: Pick<Routine, 'parameters' | 'result'>): Code => [
    0x60,
    ...vector(of.parameters.map((type) => [type])),
    1,
    of.result,
  ];
  const types = section(1, vector([...imports, ...routines].map(signature)));
  const imported = section(
    2,
    vector([
      [...name('env'), ...name('memory'), 0x02, 0x00, 1],
      ...imports.map((entry, index) => [...name(entry.module), ...name(entry.name), 0x00, ...unsignedLeb(index)]),
    ]),
  );
  const declared = section(3, vector(routines.map((_, index) => unsignedLeb(imports.length + index))));
  const exported = section(
    7,
    vector(routines.map((routine, index) => [...name(routine.name), 0x00, ...unsignedLeb(imports.length + index)])),
  );
  const bodies = section(
    10,
    vector(
      routines.map((routine) => {
        const locals = vector(routine.locals.map((type) => [1, type]));
        const body = [...locals, ...routine.body, 0x0b];
        return [...unsignedLeb(body.length), ...body];
      }),
    ),
  );
  return Uint8Array.from([
    0x00,
    0x61,
    0x73,
    0x6d,
    1,
    0,
    0,
    0,
    ...types,
    ...imported,
    ...declared,
    ...exported,
    ...bodies,
  ]);
}
