import type { ByteSource } from './byte-source.ts';
import { crcOfRange } from './crc32-algebra.ts';
import type { Crc32 } from './record.ts';
import { crcOfFileRange } from './window.ts';

/** Ranges up to this long are hashed as they are. */
const SHORT_RANGE = 8 << 10;
/** A free allowance of directly hashed bytes before long ranges must go through the checkpoints. */
const FREE_BYTES = 64 << 20;
const SMALLEST_SPACING = 512;
const MOST_CHECKPOINTS = 1 << 23;

/**
 * CRCs of any range of the log in bounded work. Damage can hold thousands of plausible lengths that overlap and all fit;
 * hashing each would cost the square of the file's size. Beyond an allowance, the CRC of [a, b) is computed from those of
 * the prefixes [0, a) and [0, b), which come from checkpoints laid down once, so that each question costs at most two short
 * reads and a logarithmic number of multiplications.
 */
export class CrcRanges {
  #direct = 0;
  readonly #spacing: number;
  /** Prefix CRC at every multiple of the spacing, as far as laid down; entry 0 is the empty prefix. */
  #checkpoints = new Uint32Array(1);
  #laid = 0;

  constructor(
    private readonly source: ByteSource,
    private readonly crc32: Crc32,
  ) {
    let spacing = SMALLEST_SPACING;
    while (source.size / spacing > MOST_CHECKPOINTS) spacing *= 2;
    this.#spacing = spacing;
  }

  /** CRC of bytes [from, to). Reads through the source: views taken of it before are void afterwards. */
  crc(from: number, to: number): number {
    const length = to - from;
    this.#direct += length;
    if (length <= SHORT_RANGE || this.#direct <= FREE_BYTES + 2 * this.source.size) {
      return crcOfFileRange(this.source, from, to, this.crc32);
    }
    this.#direct -= length;
    return crcOfRange(this.#prefix(from), this.#prefix(to), length);
  }

  #prefix(position: number): number {
    const checkpoint = Math.floor(position / this.#spacing);
    this.#layDownTo(checkpoint);
    const start = checkpoint * this.#spacing;
    const seed = this.#checkpoints[checkpoint]!;
    return position === start ? seed : this.crc32(this.source.read(start, position - start), seed);
  }

  #layDownTo(checkpoint: number): void {
    if (checkpoint <= this.#laid) return;
    if (checkpoint >= this.#checkpoints.length) {
      const most = Math.floor(this.source.size / this.#spacing) + 1;
      const larger = new Uint32Array(Math.min(most, Math.max(checkpoint + 1, this.#checkpoints.length * 2)));
      larger.set(this.#checkpoints);
      this.#checkpoints = larger;
    }
    let crc = this.#checkpoints[this.#laid]!;
    while (this.#laid < checkpoint) {
      const start = this.#laid * this.#spacing;
      const blocks = Math.min(checkpoint - this.#laid, Math.ceil((1 << 20) / this.#spacing));
      const bytes = this.source.read(start, blocks * this.#spacing);
      for (let block = 0; block < blocks; block++) {
        crc = this.crc32(bytes.subarray(block * this.#spacing, (block + 1) * this.#spacing), crc);
        this.#laid++;
        this.#checkpoints[this.#laid] = crc;
      }
    }
  }
}
