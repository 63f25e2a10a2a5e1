/**
 * What the core needs of a file: its size when looked at, and positional reads. Synchronous on purpose: a scan does
 * millions of small reads, and an awaited read costs many times a buffered one. Implementations live in main/engine.
 */
export interface ByteSource {
  /** Size in bytes when the source was made; a source never changes size. */
  readonly size: number;
  /**
   * The bytes from `offset`, at most `length`, fewer only where the source ends. The view stays valid only until the next
   * call of `read`, so that implementations may reuse their buffer; copy what must outlive it.
   */
  read(offset: number, length: number): Uint8Array;
}

/** A source over bytes already in memory. */
export class MemorySource implements ByteSource {
  readonly size: number;
  constructor(private readonly bytes: Uint8Array) {
    this.size = bytes.length;
  }

  read(offset: number, length: number): Uint8Array {
    return this.bytes.subarray(offset, Math.min(offset + length, this.bytes.length));
  }
}
