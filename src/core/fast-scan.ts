import { crc32 as coreCrc32 } from './crc32-algebra.ts';
import { CRC_DELETE_SIZE, CRC_SIZE, CRC_STORE_OVERHEAD, type Crc32, LENGTH_FIELD_OFFSET, Marker } from './record.ts';
import { INFO_OK_DELETE, INFO_OK_STORE } from './record-table.ts';
import {
  add,
  addF64,
  and,
  assembleModule,
  block,
  type Code,
  call,
  constant,
  equal,
  F64,
  get,
  giveBack,
  greaterUnsigned,
  I32,
  leave,
  leaveIf,
  lessUnsigned,
  load8,
  load32,
  loop,
  notEqual,
  sequence,
  set,
  shiftLeft,
  shiftRightUnsigned,
  store8,
  store32,
  storeF64,
  subtract,
  toF64,
  type Variable,
  when,
  xor,
} from './wasm/assembler.ts';
import { PAGE, type WebAssemblyRuntime, webAssembly } from './wasm/runtime.ts';

/*
 * The inner loop of a scan in WebAssembly: from the start of a block, record after record, until the first byte that is not an
 * intact CRC record. For small records the work is a few dozen nanoseconds each, and JavaScript spends most of it on bounds
 * checks and on calls; the loop here does framing, CRC and the columns in one routine.
 *
 * The CRC is slicing-by-16 (sixteen table lookups a step of sixteen bytes) with one change: the odd bytes come first, not last.
 * A first step of m = 1…16 bytes leaves a multiple of sixteen. It is done as a whole step over the 16 bytes that end with those
 * m, the bytes before them masked to zero (a zero byte ahead adds nothing) and the register's initial ones put in their place;
 * for m < 4 the ones that do not fit are what the register holds afterwards. So no record needs a loop over single bytes, which
 * for records of a hundred bytes would cost as much as all the rest.
 */

/** Rows a walk can give back at once; few, so that the columns stay in the cache. */
const ROWS = 8192;
/** How much of the log a walk looks at. A block of this size stays in the second-level cache between being read and hashed. */
export const BLOCK_SIZE = 1 << 18;
/** From this many bytes on, a call out to the native CRC is faster than the tables (both ways measured: bench/run.ts). */
const NATIVE_FROM = 1536;

// Where things lie in the memory.
const TABLE_SIZE = 1024;
const FIRST_STEPS = 16 * TABLE_SIZE;
const FIRST_STEP_SIZE = 64;
const STOPPED_AT = FIRST_STEPS + 17 * FIRST_STEP_SIZE;
const OFFSETS = 0x8000;
const ID_LOW = OFFSETS + ROWS * 8;
const ID_HIGH = ID_LOW + ROWS * 4;
const INFO = ID_HIGH + ROWS * 4;
/** The first step of the first record looks at up to 15 bytes before it. */
const INPUT = INFO + ROWS + 64;

const [position, end, limit, base, row, stop, word, marker, at, register, w0, w1, w2, w3, entry]: Variable[] =
  Array.from({ length: 15 }, (_, index) => ({ index }));

/** What the byte at place `place` of a step, in place `place` % 4 of its word, adds to the register. */
function lookup(place: number, of: Variable): Code {
  const bit = (place & 3) * 8;
  const scaled = bit === 0 ? shiftLeft(get(of), constant(2)) : shiftRightUnsigned(get(of), constant(bit - 2));
  return load32(and(scaled, constant(0x3fc)), place * TABLE_SIZE);
}

/** The register after a step over the words w0…w3, the register before it already in w0 (or wherever it belongs). */
function step(): Code {
  const words = [w1!, w2!, w3!, w0!];
  // w0 comes last because it is what waits for the step before.
  return [4, 8, 12, 0]
    .map((first, index) =>
      xor(
        xor(lookup(first, words[index]!), lookup(first + 1, words[index]!)),
        xor(lookup(first + 2, words[index]!), lookup(first + 3, words[index]!)),
      ),
    )
    .reduce(xor);
}

const column = (of: number, width: number, value: Code): Code => {
  const address = width === 0 ? get(row!) : shiftLeft(get(row!), constant(width));
  return width === 3
    ? storeF64(address, value, of)
    : width === 2
      ? store32(address, value, of)
      : store8(address, value, of);
};

/** Sets `register` to the finalised CRC of [position, stop) by tables. */
const crcByTables = sequence(
  // m, the bytes of the first step, and its entry in the table of first steps.
  set(at!, add(and(subtract(subtract(get(stop!), get(position!)), constant(1)), constant(15)), constant(1))),
  set(entry!, shiftLeft(get(at!), constant(6))),
  set(at!, add(get(position!), get(at!))),
  ...[w0!, w1!, w2!, w3!].map((of, index) =>
    set(
      of,
      xor(
        and(load32(subtract(get(at!), constant(16)), index * 4), load32(get(entry!), FIRST_STEPS + index * 4)),
        load32(get(entry!), FIRST_STEPS + 16 + index * 4),
      ),
    ),
  ),
  set(register!, xor(step(), load32(get(entry!), FIRST_STEPS + 32))),
  block(
    loop(
      leaveIf(equal(get(at!), get(stop!)), 1),
      set(w0!, xor(load32(get(at!)), get(register!))),
      set(w1!, load32(get(at!), 4)),
      set(w2!, load32(get(at!), 8)),
      set(w3!, load32(get(at!), 12)),
      set(register!, step()),
      set(at!, add(get(at!), constant(16))),
      leave(0),
    ),
  ),
  set(register!, xor(get(register!), constant(-1))),
);

/**
 * walk(position, end, limit, base): takes in intact records that start before `limit` and end at or before `end`, and returns how
 * many rows there are; where it stopped is at STOPPED_AT. `base` is the file offset of address 0.
 */
const walk = sequence(
  block(
    loop(
      leaveIf(equal(get(row!), constant(ROWS)), 1),
      leaveIf(lessUnsigned(get(limit!), add(get(position!), constant(1))), 1),
      leaveIf(lessUnsigned(get(end!), add(get(position!), constant(CRC_DELETE_SIZE))), 1),
      set(marker!, load8(get(position!))),
      when(
        equal(get(marker!), constant(Marker.crcStore)),
        sequence(
          set(word!, subtract(subtract(get(end!), get(position!)), constant(CRC_STORE_OVERHEAD))),
          // Fewer than seventeen bytes left: the subtraction ran below zero.
          leaveIf(greaterUnsigned(get(word!), constant(0x7fff_ffff)), 2),
          leaveIf(greaterUnsigned(load32(get(position!), LENGTH_FIELD_OFFSET), get(word!)), 2),
          set(
            stop!,
            add(
              add(get(position!), load32(get(position!), LENGTH_FIELD_OFFSET)),
              constant(CRC_STORE_OVERHEAD - CRC_SIZE),
            ),
          ),
        ),
        sequence(
          leaveIf(notEqual(get(marker!), constant(Marker.crcDelete)), 2),
          set(stop!, add(get(position!), constant(CRC_DELETE_SIZE - CRC_SIZE))),
        ),
      ),
      when(
        greaterUnsigned(subtract(get(stop!), get(position!)), constant(NATIVE_FROM - 1)),
        set(register!, call(0, get(position!), get(stop!))),
        crcByTables,
      ),
      leaveIf(notEqual(get(register!), load32(get(stop!))), 1),
      column(OFFSETS, 3, addF64(get(base!), toF64(get(position!)))),
      column(ID_LOW, 2, load32(get(position!), 1)),
      column(ID_HIGH, 2, load32(get(position!), 5)),
      column(
        INFO,
        0,
        add(
          constant(INFO_OK_STORE),
          // Store and delete differ in the marker by one, and so do their info bytes.
          subtract(get(marker!), constant(Marker.crcStore)),
        ),
      ),
      set(row!, add(get(row!), constant(1))),
      set(position!, add(get(stop!), constant(CRC_SIZE))),
      leave(0),
    ),
  ),
  store32(constant(0), get(position!), STOPPED_AT),
  giveBack(get(row!)),
);

if (INFO_OK_DELETE - INFO_OK_STORE !== Marker.crcDelete - Marker.crcStore) {
  throw new Error('The walk computes the info byte from the marker');
}

interface WalkExports {
  walk(position: number, end: number, limit: number, base: number): number;
}

let compiled: object | null = null;

function compile(runtime: WebAssemblyRuntime<WalkExports>): object {
  compiled ??= new runtime.Module(
    assembleModule(
      [{ module: 'env', name: 'crc', parameters: [I32, I32], result: I32 }],
      [
        {
          name: 'walk',
          parameters: [I32, I32, I32, F64],
          result: I32,
          locals: new Array(11).fill(I32),
          body: walk,
        },
      ],
    ),
  );
  return compiled;
}

/** Columns of consecutive rows, as `RecordTable.pushColumns` takes them. */
export interface RowColumns {
  readonly offsets: Float64Array;
  readonly idLow: Uint32Array;
  readonly idHigh: Uint32Array;
  readonly info: Uint8Array;
}

/**
 * Walks blocks of a log. The caller puts bytes into `input` and calls `walk`; the rows are then in `columns` until the next call.
 * About 0.5 MB a walker, nothing of it shared.
 */
export class BlockWalker {
  /** Where the caller puts the bytes of a block: BLOCK_SIZE of them at most. */
  readonly input: Uint8Array;
  readonly columns: RowColumns;
  /** Where the last walk stopped, as an index into `input`. */
  stoppedAt = 0;
  readonly #stopped: Int32Array;
  readonly #walk: (position: number, end: number, limit: number, base: number) => number;

  /** @throws where WebAssembly is missing or forbidden; `blockWalkerFor` answers null there. */
  constructor(runtime: WebAssemblyRuntime<WalkExports>, crc32: Crc32) {
    const memory = new runtime.Memory({ initial: Math.ceil((INPUT + BLOCK_SIZE) / PAGE) });
    const { buffer } = memory;
    const all = new Uint8Array(buffer);
    const crc = (from: number, to: number): number => crc32(all.subarray(from, to)) | 0;
    this.#walk = new runtime.Instance(compile(runtime), { env: { memory, crc } }).exports.walk;
    this.input = all.subarray(INPUT, INPUT + BLOCK_SIZE);
    this.columns = {
      offsets: new Float64Array(buffer, OFFSETS, ROWS),
      idLow: new Uint32Array(buffer, ID_LOW, ROWS),
      idHigh: new Uint32Array(buffer, ID_HIGH, ROWS),
      info: new Uint8Array(buffer, INFO, ROWS),
    };
    this.#stopped = new Int32Array(buffer, STOPPED_AT, 1);
    fillTables(new Int32Array(buffer, 0, STOPPED_AT >> 2));
  }

  /**
   * Takes in the intact CRC records that begin at input[from], follow each other, start before input[limit] and end at or before
   * input[end]; returns how many. It stops early when the columns are full.
   * @param fileOffset offset in the log of input[0].
   */
  walk(from: number, end: number, limit: number, fileOffset: number): number {
    const rows = this.#walk(INPUT + from, INPUT + end, INPUT + limit, fileOffset - INPUT);
    this.stoppedAt = this.#stopped[0]! - INPUT;
    return rows;
  }

  /** Whether a walk that gave so many rows stopped because there was no room for more. */
  isFull(rows: number): boolean {
    return rows === ROWS;
  }
}

const walkers = new WeakMap<Crc32, BlockWalker | null>();

/**
 * The thread's walker over a CRC function; null where the runtime has no WebAssembly or a content security policy forbids it. One
 * serves all scans of a thread, because nothing of it is kept from one walk to the next.
 */
export function blockWalkerFor(crc32: Crc32): BlockWalker | null {
  const known = walkers.get(crc32);
  if (known !== undefined) return known;
  const runtime = webAssembly<WalkExports>();
  let walker: BlockWalker | null = null;
  try {
    if (runtime) walker = new BlockWalker(runtime, crc32);
  } catch {
    // The plain loop gives the same answer, only later.
  }
  walkers.set(crc32, walker);
  return walker;
}

/** The sixteen tables, and for each length m of a first step its masks, initial ones and what is left of them. */
function fillTables(memory: Int32Array): void {
  // Byte b followed by k zero bytes, from a register of zero: the CRC of that without the inversions at both ends.
  const zeros = new Uint8Array(16);
  const bytes = new Uint8Array(16);
  for (let place = 0; place < 16; place++) {
    const length = 16 - place;
    const ofZeros = coreCrc32(zeros, 0, length);
    for (let byte = 0; byte < 256; byte++) {
      bytes[0] = byte;
      memory[place * 256 + byte] = coreCrc32(bytes, 0, length) ^ ofZeros;
    }
  }
  const first = new DataView(memory.buffer, FIRST_STEPS);
  for (let m = 1; m <= 16; m++) {
    for (let index = 0; index < 16; index++) {
      const taken = index >= 16 - m;
      first.setUint8(m * FIRST_STEP_SIZE + index, taken ? 0xff : 0);
      first.setUint8(m * FIRST_STEP_SIZE + 16 + index, taken && index < 16 - m + 4 ? 0xff : 0);
    }
    first.setInt32(m * FIRST_STEP_SIZE + 32, m < 4 ? -1 >>> (8 * m) : 0, true);
  }
}
