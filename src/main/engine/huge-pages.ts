import { createRequire } from 'node:module';
import type * as Koffi from 'koffi';
import { RecordTable } from '../../core/record-table.ts';

/** From <sys/mman.h> of Linux; the same on all its architectures. */
const MADV_HUGEPAGE = 14;
/** Less memory than this costs fewer interruptions than it takes to load koffi. */
const WORTH_ASKING = 64 << 20;

type Advise = (memory: Uint8Array, length: number, advice: number) => number;
let advise: Advise | null | undefined;

/**
 * Asks Linux for pages of 2 MiB under a piece of memory that will be filled. Columns of millions of rows else take an interruption for
 * every 4 KiB that is first written to, and most reads far apart miss the processor's table of pages as well (measured: a third of
 * the time to open a log of 160-byte records). Linux gives such pages unasked on few systems. No other system has anything to ask for,
 * and where the question fails nothing is lost but time.
 */
export function adviseHugePages(memory: ArrayBuffer): void {
  if (memory.byteLength < WORTH_ASKING || process.platform !== 'linux') return;
  advise = advise === undefined ? load() : advise;
  advise?.(new Uint8Array(memory), memory.byteLength, MADV_HUGEPAGE);
}

function load(): Advise | null {
  try {
    const loaded = createRequire(import.meta.url)('koffi') as typeof Koffi & { default?: typeof Koffi };
    const koffi = loaded.default ?? loaded;
    return koffi.load(null).func('int madvise(void *, size_t, int)') as Advise;
  } catch {
    return null;
  }
}

/** A table for the records of a log of any size. */
export function createRecordTable(): RecordTable {
  return new RecordTable(undefined, { prepareMemory: adviseHugePages });
}
