import type { ByteSource } from './byte-source.ts';
import type { Crc32 } from './record.ts';
import type { Steps } from './steps.ts';
import { readU32 } from './u64.ts';

/** Longer ranges are hashed in steps of so many bytes: whoever waits for a page or a cancel must not wait for a gigabyte. */
export const HASHED_AT_ONCE = 8 << 20;

/** How much is read at once. Larger gains nothing; smaller makes the read calls show. */
export const WINDOW_SIZE = 1 << 20;

/**
 * A sliding window over a source. Loops that walk the log keep `bytes` and `base` in locals and call `load` when the
 * record they look at is not whole in it.
 */
export class Window {
  bytes: Uint8Array = new Uint8Array(0);
  /** File offset of bytes[0]. */
  base = 0;

  #copy: Uint8Array | null;

  /**
   * A window that `keeps` has a buffer of its own, so that other reads of the source may come between; it costs one copy. Without,
   * `forget` must be called after any other read.
   */
  constructor(
    readonly source: ByteSource,
    keeps = false,
  ) {
    this.#copy = keeps ? new Uint8Array(Math.min(WINDOW_SIZE, source.size)) : null;
  }

  /** Makes bytes [offset, offset+length) available if the file has them; true when all are. `length` ≤ the window's size. */
  load(offset: number, length: number): boolean {
    const at = offset - this.base;
    if (at < 0 || at + length > this.bytes.length) {
      const read = this.source.read(offset, Math.max(WINDOW_SIZE, length));
      if (this.#copy && read.length <= this.#copy.length) {
        this.#copy.set(read);
        this.bytes = this.#copy.subarray(0, read.length);
      } else {
        this.bytes = this.#copy ? read.slice() : read;
      }
      this.base = offset;
    }
    return offset - this.base + length <= this.bytes.length;
  }

  /** To be called after the source was read past the window, which may have reused the buffer under it. */
  forget(): void {
    this.bytes = this.bytes.subarray(0, 0);
  }

  /** The byte at an offset inside the file. */
  byteAt(offset: number): number {
    this.load(offset, 1);
    return this.bytes[offset - this.base]!;
  }
}

/** CRC of the file's bytes [from, to), read piece by piece; going on from `crc` where that is given. */
export function crcOfFileRange(source: ByteSource, from: number, to: number, crc32: Crc32, crc = 0): number {
  for (let at = from; at < to; ) {
    const piece = source.read(at, Math.min(WINDOW_SIZE, to - at));
    if (piece.length === 0) throw new RangeError(`The log ended at ${at}, expected ${to - at} more bytes`);
    crc = crc32(piece, crc);
    at += piece.length;
  }
  return crc;
}

/** The same in steps. Other reads of the source may come between them. */
export function* hashFileRange(source: ByteSource, from: number, to: number, crc32: Crc32): Steps<number> {
  let crc = 0;
  for (let at = from; at < to; at += HASHED_AT_ONCE) {
    crc = crcOfFileRange(source, at, Math.min(to, at + HASHED_AT_ONCE), crc32, crc);
    yield { done: at, total: source.size };
  }
  return crc;
}

/** `crcHolds` for a long record, in steps. */
export function* longCrcHolds(window: Window, from: number, to: number, crc32: Crc32): Steps<boolean> {
  const { source } = window;
  window.forget();
  const computed = yield* hashFileRange(source, from, to - 4, crc32);
  const holds = computed === readU32(source.read(to - 4, 4), 0);
  window.forget();
  return holds;
}

/** Whether the last four bytes of [from, to) are the CRC of those before them. */
export function crcHolds(window: Window, from: number, to: number, crc32: Crc32): boolean {
  if (to - from <= WINDOW_SIZE) {
    window.load(from, to - from);
    const at = from - window.base;
    const end = at + (to - from) - 4;
    return crc32(window.bytes.subarray(at, end)) === readU32(window.bytes, end);
  }
  const stored = readU32(window.source.read(to - 4, 4), 0);
  const computed = crcOfFileRange(window.source, from, to - 4, crc32);
  window.forget();
  return computed === stored;
}
