import { isAccepted } from '../../core/json/check.ts';
import type { JsonReader } from '../../core/json/number.ts';
import { readU32 } from '../../core/u64.ts';
import { type OpenFile, readFully } from './files.ts';

const LENGTH_SIZE = 4;
/** Least and most that is read at once in the hope that the payload is in it. */
const LEAST = 256;
const MOST = 4096;
/** A guess that was too long shrinks by this part of the difference: one long payload must not make many short ones slow. */
const SHRINK = 1 / 16;
/** A longer one is rare, and may be a length that damage made up: the core's `retrieve` is careful about those. */
const LONG_PAYLOAD = 1 << 20;
/** Short payloads are handed out of blocks of this size: memory of its own for each would cost as much as a system call. */
const BLOCK_SIZE = 16 << 10;

/**
 * Reads payloads of a log at random places: one system call for a payload that is about as long as those before it, two for a longer
 * one. Nothing is read ahead for a later call, so that each tells what is in the file now.
 */
export class RecordReader {
  readonly #file: OpenFile;
  #block = new Uint8Array(BLOCK_SIZE);
  /** Bytes of the block that were handed out; they are never written again. */
  #used = 0;
  #guess = LEAST;

  /** The caller keeps the file open, and closes it. */
  constructor(file: OpenFile) {
    this.#file = file;
  }

  /**
   * The payload whose length field is at `offset`, where it lies whole in the log's first `size` bytes and `reader` reads it as JSON;
   * null where it is very long or anything is wrong, for the core's `retrieve` to tell what. It is the caller's, but for its ArrayBuffer,
   * which it may share with other payloads (as a Buffer of Node's pool does). System errors pass through.
   */
  read(offset: number, size: number, reader: JsonReader): Uint8Array | null {
    if (this.#used + this.#guess > BLOCK_SIZE) {
      this.#block = new Uint8Array(BLOCK_SIZE);
      this.#used = 0;
    }
    const block = this.#block;
    const start = this.#used;
    const present = this.#file.read(block, start, Math.min(this.#guess, size - offset), offset);
    if (present < LENGTH_SIZE) return null;
    const length = readU32(block, start);
    const needed = LENGTH_SIZE + length;
    if (offset + needed > size || length > LONG_PAYLOAD) return null;
    this.#learn(needed);
    const from = start + LENGTH_SIZE;
    if (needed <= present) {
      if (!isAccepted(block, from, from + length, reader)) return null;
      this.#used = from + length;
      return block.subarray(from, from + length);
    }
    const payload = new Uint8Array(length);
    payload.set(block.subarray(from, start + present));
    const at = present - LENGTH_SIZE;
    if (readFully(this.#file, payload, at, length - at, offset + present) < length - at) return null;
    return isAccepted(payload, 0, length, reader) ? payload : null;
  }

  /** Makes the next guess: at least LEAST, at most MOST, just enough for payloads of one size. */
  #learn(needed: number): void {
    if (needed > this.#guess) this.#guess = Math.min(needed, MOST);
    else if (this.#guess > LEAST) this.#guess -= Math.ceil((this.#guess - Math.max(needed, LEAST)) * SHRINK);
  }
}
