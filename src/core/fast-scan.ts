import { CRC_MEMORY, crcLocals, crcOf, fillCrcTables } from './fast-crc.ts';
import { CRC_DELETE_SIZE, CRC_SIZE, CRC_STORE_OVERHEAD, type Crc32, LENGTH_FIELD_OFFSET, Marker } from './record.ts';
import { INFO_OK_DELETE, INFO_OK_STORE } from './record-table.ts';
import {
  add,
  addF64,
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
  store8,
  store32,
  storeF64,
  subtract,
  toF64,
  type ValueType,
  type Variable,
  when,
} from './wasm/assembler.ts';
import { PAGE, type WebAssemblyRuntime, webAssembly } from './wasm/runtime.ts';

/*
 * The inner loop of a scan in WebAssembly: from the start of a block, record after record, until the first byte that is not an
 * intact CRC record. For small records the work is a few dozen nanoseconds each, and JavaScript spends most of it on bounds
 * checks and on calls; the loop here does framing, CRC and the columns in one routine.
 */

/** Rows a walk can give back at once; few, so that the columns stay in the cache. */
const ROWS = 8192;
/** How much of the log a walk looks at. A block of this size stays in the second-level cache between being read and hashed. */
export const BLOCK_SIZE = 1 << 18;
/** From this many bytes on, a call out to the native CRC is faster than tables (both ways measured); no size is where it is folded. */
const NATIVE_FROM = 1536;

// Where things lie in the memory.
const STOPPED_AT = CRC_MEMORY;
const OFFSETS = 0x8000;
const ID_LOW = OFFSETS + ROWS * 8;
const ID_HIGH = ID_LOW + ROWS * 4;
const INFO = ID_HIGH + ROWS * 4;
/** The first step of the first record looks at up to 15 bytes before it. */
const INPUT = INFO + ROWS + 64;

const PARAMETERS: readonly ValueType[] = [I32, I32, I32, F64];
const LOCALS: readonly ValueType[] = [I32, I32, I32, I32, I32];
const variables = Array.from({ length: 64 }, (_, index): Variable => ({ index }));
const [position, end, limit, base, row, stop, word, marker, register]: Variable[] = variables;
const ofCrc = variables.slice(PARAMETERS.length + LOCALS.length);

const column = (of: number, width: number, value: Code): Code => {
  const address = width === 0 ? get(row!) : shiftLeft(get(row!), constant(width));
  return width === 3
    ? storeF64(address, value, of)
    : width === 2
      ? store32(address, value, of)
      : store8(address, value, of);
};

/**
 * walk(position, end, limit, base): takes in intact records that start before `limit` and end at or before `end`, and returns how
 * many rows there are; where it stopped is at STOPPED_AT. `base` is the file offset of address 0.
 */
const walk = (folding: boolean): Code => {
  const crc = crcOf({ position: position!, stop: stop!, register: register!, locals: ofCrc }, folding);
  return sequence(
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
        folding
          ? crc
          : when(
              greaterUnsigned(subtract(get(stop!), get(position!)), constant(NATIVE_FROM - 1)),
              set(register!, call(0, get(position!), get(stop!))),
              crc,
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
};

if (INFO_OK_DELETE - INFO_OK_STORE !== Marker.crcDelete - Marker.crcStore) {
  throw new Error('The walk computes the info byte from the marker');
}

interface WalkExports {
  walk(position: number, end: number, limit: number, base: number): number;
}

const compiled = new Map<boolean, object>();

function compile(runtime: WebAssemblyRuntime<WalkExports>, folding: boolean): object {
  const module = compiled.get(folding) ?? new runtime.Module(assemble(folding));
  compiled.set(folding, module);
  return module;
}

function assemble(folding: boolean): Uint8Array<ArrayBuffer> {
  return assembleModule(
    [{ module: 'env', name: 'crc', parameters: [I32, I32], result: I32 }],
    [
      {
        name: 'walk',
        parameters: PARAMETERS,
        result: I32,
        locals: [...LOCALS, ...crcLocals(folding)],
        body: walk(folding),
      },
    ],
  );
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

  /**
   * @param folds whether CRCs are folded, which needs relaxed SIMD.
   * @throws where WebAssembly is forbidden or does not know what it takes; `blockWalkerFor` tries.
   */
  constructor(
    runtime: WebAssemblyRuntime<WalkExports>,
    crc32: Crc32,
    readonly folds: boolean,
  ) {
    const memory = new runtime.Memory({ initial: Math.ceil((INPUT + BLOCK_SIZE) / PAGE) });
    const { buffer } = memory;
    const all = new Uint8Array(buffer);
    const crc = (from: number, to: number): number => crc32(all.subarray(from, to)) | 0;
    this.#walk = new runtime.Instance(compile(runtime, folds), { env: { memory, crc } }).exports.walk;
    this.input = all.subarray(INPUT, INPUT + BLOCK_SIZE);
    this.columns = {
      offsets: new Float64Array(buffer, OFFSETS, ROWS),
      idLow: new Uint32Array(buffer, ID_LOW, ROWS),
      idHigh: new Uint32Array(buffer, ID_HIGH, ROWS),
      info: new Uint8Array(buffer, INFO, ROWS),
    };
    this.#stopped = new Int32Array(buffer, STOPPED_AT, 1);
    fillCrcTables(buffer);
    // What relaxed instructions do is up to the processor in cases that must not arise here.
    if (folds && !this.#knowsARecord(crc32)) throw new Error('Folding gives another CRC here');
  }

  #knowsARecord(crc32: Crc32): boolean {
    const { input } = this;
    const length = 1 + 16 * 33;
    for (let at = 0; at < length; at++) input[at] = at * 37;
    input[0] = Marker.crcStore;
    const view = new DataView(input.buffer, input.byteOffset);
    view.setUint32(LENGTH_FIELD_OFFSET, length - (CRC_STORE_OVERHEAD - CRC_SIZE), true);
    view.setUint32(length, crc32(input.subarray(0, length)), true);
    return this.walk(0, length + CRC_SIZE, 1, 0) === 1;
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
  const walker = runtime ? (tryWalker(runtime, crc32, true) ?? tryWalker(runtime, crc32, false)) : null;
  walkers.set(crc32, walker);
  return walker;
}

function tryWalker(runtime: WebAssemblyRuntime<WalkExports>, crc32: Crc32, folding: boolean): BlockWalker | null {
  try {
    return new BlockWalker(runtime, crc32, folding);
  } catch {
    // The plainer way gives the same answer, only later.
    return null;
  }
}
