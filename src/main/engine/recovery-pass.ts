import { createHash } from 'node:crypto';
import type { ByteSource } from '../../core/byte-source.ts';
import type { RecoveryPlan } from '../../core/recovery/plan.ts';
import { FateCode } from '../../core/recovery/ranges.ts';
import { repairedBytes } from '../../core/recovery/repairs.ts';
import type { Verdict } from '../../core/segment.ts';
import type { Steps } from '../../core/steps.ts';
import { appendFully, type OpenFile } from './files.ts';

/** What is read, hashed or written at once. */
const PIECE = 1 << 20;
const HASH_SIZE = 32;

/** A range of the input that is not in the output, as evidence. */
export interface LeftOutPiece {
  /** Where it stood in the input. */
  offset: number;
  length: number;
  verdict: Verdict;
  sha256: string;
}

/** The left-out ranges of a plan with their hashes: columns, for there can be as many as records. */
export class LeftOutPieces {
  #count = 0;
  readonly #ranges: Uint32Array;
  readonly #hashes: Uint8Array;

  constructor(private readonly plan: RecoveryPlan) {
    this.#ranges = new Uint32Array(plan.leftOut.pieces);
    this.#hashes = new Uint8Array(plan.leftOut.pieces * HASH_SIZE);
  }

  get count(): number {
    return this.#count;
  }

  add(range: number, hash: Uint8Array): void {
    this.#ranges[this.#count] = range;
    this.#hashes.set(hash, this.#count++ * HASH_SIZE);
  }

  at(index: number): LeftOutPiece {
    const { ranges } = this.plan;
    const range = this.#ranges[index]!;
    const hash = this.#hashes.subarray(index * HASH_SIZE, (index + 1) * HASH_SIZE);
    return {
      offset: ranges.offset(range),
      length: ranges.length(range),
      verdict: ranges.verdict(range),
      sha256: Buffer.from(hash).toString('hex'),
    };
  }

  *[Symbol.iterator](): Iterator<LeftOutPiece> {
    for (let index = 0; index < this.#count; index++) yield this.at(index);
  }
}

/** What one pass over the input gives. Hashes are SHA-256 in hexadecimal. */
export interface PassResult {
  inputSha256: string;
  outputSha256: string;
  leftOut: LeftOutPieces;
}

export interface PassSinks {
  output(bytes: Uint8Array): void;
  evidence(bytes: Uint8Array): void;
}

/**
 * Reads the input once, from the first byte to the last, and hands each byte to where the plan says it goes. Without sinks it only
 * hashes, which is the dry run: the same pass, so that both say the same. A source that gives fewer bytes than planned for shows
 * in the hash of the input.
 */
export function* passOver(source: ByteSource, plan: RecoveryPlan, sinks: PassSinks | null): Steps<PassResult> {
  const input = createHash('sha256');
  const output = createHash('sha256');
  const leftOut = new LeftOutPieces(plan);
  const repairs = plan.repairs.filter(({ enters }) => enters);
  const write = (bytes: Uint8Array) => {
    output.update(bytes);
    sinks?.output(bytes);
  };
  let nextRepair = 0;
  let reported = 0;
  const { ranges } = plan;
  for (let range = 0; range < ranges.count; range++) {
    const from = ranges.offset(range);
    const end = from + ranges.length(range);
    const fate = ranges.fateCode(range);
    const repair = repairs[nextRepair]?.offset === from ? repairs[nextRepair++] : undefined;
    if (repair) write(repairedBytes(source.read(from, repair.consumed), repair));
    const piece = fate === FateCode.leftOut ? createHash('sha256') : null;
    for (let at = from; at < end; ) {
      const bytes = source.read(at, Math.min(PIECE, end - at));
      if (bytes.length === 0) break;
      input.update(bytes);
      if (piece) {
        piece.update(bytes);
        sinks?.evidence(bytes);
      } else if (fate === FateCode.kept) write(bytes);
      at += bytes.length;
      if (at - reported >= PIECE) {
        reported = at;
        yield { done: at, total: plan.inputBytes };
      }
    }
    if (piece) leftOut.add(range, piece.digest());
  }
  return { inputSha256: input.digest('hex'), outputSha256: output.digest('hex'), leftOut };
}

/** SHA-256 of a source, in hexadecimal. */
export function* hashOf(source: ByteSource): Steps<string> {
  const hash = createHash('sha256');
  for (let at = 0; at < source.size; ) {
    const bytes = source.read(at, Math.min(PIECE, source.size - at));
    if (bytes.length === 0) break;
    hash.update(bytes);
    at += bytes.length;
    yield { done: at, total: source.size };
  }
  return hash.digest('hex');
}

/** Appends to a file in large pieces, however small those given are. */
export class BufferedAppender {
  readonly #buffer = new Uint8Array(PIECE);
  #length = 0;

  constructor(private readonly file: OpenFile) {}

  write(bytes: Uint8Array): void {
    if (this.#length + bytes.length > PIECE) this.flush();
    if (bytes.length > PIECE) {
      appendFully(this.file, bytes, 0, bytes.length);
      return;
    }
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  text(text: string): void {
    this.write(Buffer.from(text));
  }

  /** Everything written so far reaches the file; not synced. */
  flush(): void {
    appendFully(this.file, this.#buffer, 0, this.#length);
    this.#length = 0;
  }
}
