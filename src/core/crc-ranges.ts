import type { ByteSource } from './byte-source.ts';
import { crcOfRange } from './crc32-algebra.ts';
import type { Crc32 } from './record.ts';
import type { Steps } from './steps.ts';
import { crcOfFileRange, HASHED_AT_ONCE, hashFileRange, WINDOW_SIZE } from './window.ts';

/** Ranges up to this long are hashed as they are. */
const SHORT_RANGE = 512;
/** A free allowance of directly hashed bytes before long ranges must go through the checkpoints. */
const FREE_BYTES = 8 << 20;
const SMALLEST_SPACING = 128;
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
  /** Prefix CRC at every multiple of the spacing; entry 0 is the empty prefix. */
  #checkpoints = new Uint32Array(1);
  #ready = false;

  constructor(
    private readonly source: ByteSource,
    private readonly crc32: Crc32,
  ) {
    let spacing = SMALLEST_SPACING;
    while (source.size / spacing > MOST_CHECKPOINTS) spacing *= 2;
    this.#spacing = spacing;
  }

  /** How many bytes were hashed directly, short ranges apart. */
  get direct(): number {
    return this.#direct;
  }

  /** Whether so much was hashed directly that `layDown` should come before the next question. */
  get wantsCheckpoints(): boolean {
    return !this.#ready && this.#direct > FREE_BYTES + 2 * this.source.size;
  }

  /** CRC of bytes [from, to). Reads through the source: views taken of it before are void afterwards. */
  crc(from: number, to: number): number {
    const length = to - from;
    if (length <= SHORT_RANGE || !this.#ready) {
      if (length > SHORT_RANGE) this.#direct += length;
      return crcOfFileRange(this.source, from, to, this.crc32);
    }
    return crcOfRange(this.#prefix(from), this.#prefix(to), length);
  }

  /** Whether a range takes so long to hash that `hashing` has to be asked. */
  isLong(length: number): boolean {
    return length > HASHED_AT_ONCE && !this.#ready;
  }

  /** `crc` of a long range, in steps: damage makes such lengths up. */
  *hashing(from: number, to: number): Steps<number> {
    this.#direct += to - from;
    return yield* hashFileRange(this.source, from, to, this.crc32);
  }

  #prefix(position: number): number {
    const checkpoint = Math.floor(position / this.#spacing);
    const start = checkpoint * this.#spacing;
    const seed = this.#checkpoints[checkpoint]!;
    return position === start ? seed : this.crc32(this.source.read(start, position - start), seed);
  }

  /** One pass over the file that makes every later question cheap. */
  *layDown(): Steps<void> {
    const { size } = this.source;
    const checkpoints = new Uint32Array(Math.floor(size / this.#spacing) + 1);
    const most = Math.ceil(WINDOW_SIZE / this.#spacing);
    let crc = 0;
    for (let laid = 0; laid + 1 < checkpoints.length; ) {
      const blocks = Math.min(checkpoints.length - 1 - laid, most);
      const bytes = this.source.read(laid * this.#spacing, blocks * this.#spacing);
      for (let block = 0; block < blocks; block++) {
        crc = this.crc32(bytes.subarray(block * this.#spacing, (block + 1) * this.#spacing), crc);
        checkpoints[++laid] = crc;
      }
      yield { done: 0, total: size };
    }
    this.#checkpoints = checkpoints;
    this.#ready = true;
  }
}
