import { type FastLinker, fastLinkerFor } from './fast-link.ts';

const LEAST_SLOTS = 1 << 10;
/** From so many rows on the columns are allocated where the fast routine can reach them. A table of few rows has no need of it. */
const FAST_FROM = 1 << 15;

/**
 * The columns that linking works on, and the slots of the index beside them. They are allocated together because the routine in
 * WebAssembly reaches one memory only. Nothing of it is resident before it is written to, so room to spare costs addresses.
 */
export interface LinkColumns {
  /** Rows there is room for. */
  readonly capacity: number;
  /** Where in the log each row begins. Linking has no need of it; it is here so that all columns are one piece of memory. */
  readonly offsets: Float64Array;
  readonly idLow: Uint32Array;
  readonly idHigh: Uint32Array;
  /** Row + 1 of the record of the same id before this one; NO_ROW for none. */
  readonly previous: Uint32Array;
  /** 1 for an id's first record in the log, 2 for its second, … */
  readonly ordinals: Uint32Array;
  readonly info: Uint8Array;
  readonly states: Uint8Array;
  /** For each id below `capacity`, row + 1 of its newest record. */
  readonly direct: Uint32Array;
  /** For other ids: slots, a power of two of them, with row + 1 of the newest record of the id at home there. */
  readonly heads: Uint32Array;
  /** Eight bits of the hash a slot, 0 for an empty one. */
  readonly tags: Uint8Array;
  /** How many ids there are in all, and how many of them in slots. */
  readonly counts: Uint32Array;
  /** The fast routine over these columns; null where there is none. */
  readonly linker: FastLinker | null;
}

/** How many slots an index of so many ids has: at most three of four are taken. */
export function slotsFor(ids: number): number {
  let slots = LEAST_SLOTS;
  while (ids * 4 > slots * 3) slots *= 2;
  return slots;
}

export interface AllocationOptions {
  /** False: plain arrays, whatever the size; true: in the memory of the fast routine. Tests compare the two. Default: by size. */
  fast?: boolean;
  /** Called with the one piece of memory of a large table, before a row is written to it. */
  prepareMemory?: (memory: ArrayBuffer) => void;
}

/** Columns for so many rows, all zero, and so many slots (a power of two). */
export function allocateColumns(capacity: number, slots: number, options: AllocationOptions = {}): LinkColumns {
  const inWords = 4 * capacity;
  const sizes = [inWords, inWords, inWords, inWords, inWords, 4 * slots, 8, capacity, capacity, slots, 8 * capacity];
  const linker = (options.fast ?? capacity >= FAST_FROM) ? fastLinkerFor(sizes) : null;
  if (linker) options.prepareMemory?.(linker.buffer);
  const areas = sizes.map(
    (size, at) => [linker?.buffer ?? new ArrayBuffer(size), linker?.places[at] ?? 0, size] as const,
  );
  const words = (at: number) => new Uint32Array(areas[at]![0], areas[at]![1], areas[at]![2] / 4);
  const bytes = (at: number) => new Uint8Array(...areas[at]!);
  return {
    capacity,
    idLow: words(0),
    idHigh: words(1),
    previous: words(2),
    ordinals: words(3),
    direct: words(4),
    heads: words(5),
    counts: words(6),
    info: bytes(7),
    states: bytes(8),
    tags: bytes(9),
    offsets: new Float64Array(areas[10]![0], areas[10]![1], capacity),
    linker,
  };
}
