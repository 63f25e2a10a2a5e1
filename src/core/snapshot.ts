import type { VelesError } from './generation.ts';
import { IdIndex } from './id-index.ts';
import type { Crc32 } from './record.ts';
import { runToEnd, type Steps } from './steps.ts';
import { readU32, readU64, writeU32, writeU64 } from './u64.ts';

/** `payloads.snapshot` (docs/format.md, "Snapshot"): VSNP, version, position, count, entries, CRC-32 of all before it. */
const MAGIC = 0x504e_5356; // "VSNP" read as a little-endian u32
export const SNAPSHOT_VERSION = 1;
export const SNAPSHOT_HEADER_SIZE = 21;
export const SNAPSHOT_ENTRY_SIZE = 16;
const MINIMUM_SIZE = SNAPSHOT_HEADER_SIZE + 4;
/** Entries put into an index between two steps. */
const INDEXED = 1 << 14;

/** A parsed snapshot; entries are read from the file's bytes in place, in the order they stand there. */
export class Snapshot {
  constructor(
    /** The whole file. */
    readonly bytes: Uint8Array,
    /** Where replay goes on: a record boundary of the log, if the snapshot is honest. Any u64. */
    readonly walPosition: bigint,
    readonly count: number,
  ) {}

  idLow(entry: number): number {
    return readU32(this.bytes, SNAPSHOT_HEADER_SIZE + entry * SNAPSHOT_ENTRY_SIZE);
  }

  idHigh(entry: number): number {
    return readU32(this.bytes, SNAPSHOT_HEADER_SIZE + entry * SNAPSHOT_ENTRY_SIZE + 4);
  }

  /** The offset of the record's length field, as claimed: unchecked, any u64. */
  offset(entry: number): bigint {
    return readU64(this.bytes, SNAPSHOT_HEADER_SIZE + entry * SNAPSHOT_ENTRY_SIZE + 8);
  }

  offsetLow(entry: number): number {
    return readU32(this.bytes, SNAPSHOT_HEADER_SIZE + entry * SNAPSHOT_ENTRY_SIZE + 8);
  }

  offsetHigh(entry: number): number {
    return readU32(this.bytes, SNAPSHOT_HEADER_SIZE + entry * SNAPSHOT_ENTRY_SIZE + 12);
  }

  /**
   * Copies the entries [from, to) into whole words, four each: id low, id high, offset low, offset high. For passes over all of them:
   * in the file they lie at odd addresses, where they can only be put together byte by byte.
   */
  copyEntries(from: number, to: number, into: Uint32Array): void {
    const start = SNAPSHOT_HEADER_SIZE + from * SNAPSHOT_ENTRY_SIZE;
    const target = new Uint8Array(into.buffer, into.byteOffset, into.byteLength);
    target.set(this.bytes.subarray(start, start + (to - from) * SNAPSHOT_ENTRY_SIZE));
  }

  /** The index the engine builds of it: of an id that stands twice, the last entry wins. */
  toIndex(): IdIndex {
    return runToEnd(this.indexing());
  }

  /** `toIndex` in steps. */
  *indexing(): Steps<IdIndex> {
    const index = new IdIndex(this.count);
    for (let entry = 0; entry < this.count; entry++) {
      if (entry % INDEXED === 0) yield { done: entry, total: this.count };
      index.set(this.idLow(entry), this.idHigh(entry), this.offsetHigh(entry) * 0x1_0000_0000 + this.offsetLow(entry));
      if (this.offsetHigh(entry) >= 0x20_0000) index.set64(this.idLow(entry), this.idHigh(entry), this.offset(entry));
    }
    return index;
  }
}

export type ParsedSnapshot = { ok: true; snapshot: Snapshot } | { ok: false; error: VelesError };

/** What the engine answers when there is no file. */
export const NO_SNAPSHOT: VelesError = { kind: 'NotFound', message: 'No snapshot' };

/**
 * Checks a snapshot's bytes in the engine's order and with its messages (docs/format.md, "Snapshot"). Nothing is allocated
 * from the claimed count before it is bounded by the size.
 */
export function parseSnapshot(bytes: Uint8Array, crc32: Crc32): ParsedSnapshot {
  const invalid = (message: string): ParsedSnapshot => ({ ok: false, error: { kind: 'InvalidData', message } });
  if (bytes.length < MINIMUM_SIZE) return invalid('Snapshot too small');
  if (readU32(bytes, 0) !== MAGIC) return invalid('Invalid magic');
  if (bytes[4] !== SNAPSHOT_VERSION) return invalid('Unsupported version');
  const count = readU64(bytes, 13);
  if (count > BigInt(Math.floor((bytes.length - MINIMUM_SIZE) / SNAPSHOT_ENTRY_SIZE))) {
    return invalid('Entry count exceeds data size');
  }
  const end = SNAPSHOT_HEADER_SIZE + Number(count) * SNAPSHOT_ENTRY_SIZE;
  if (bytes.length !== end + 4) return invalid('Size mismatch');
  if (crc32(bytes.subarray(0, end)) !== readU32(bytes, end)) return invalid('CRC mismatch');
  return { ok: true, snapshot: new Snapshot(bytes, readU64(bytes, 5), Number(count)) };
}

/** Bytes of a snapshot of `index` (id → offset of the length field) at log position `walPosition`. */
export function encodeSnapshot(walPosition: number, index: IdIndex, crc32: Crc32): Uint8Array {
  const end = SNAPSHOT_HEADER_SIZE + index.size * SNAPSHOT_ENTRY_SIZE;
  const bytes = new Uint8Array(end + 4);
  writeU32(bytes, 0, MAGIC);
  bytes[4] = SNAPSHOT_VERSION;
  writeU64(bytes, 5, BigInt(walPosition));
  writeU64(bytes, 13, BigInt(index.size));
  let at = SNAPSHOT_HEADER_SIZE;
  index.forEach((low, high, offset) => {
    writeU32(bytes, at, low);
    writeU32(bytes, at + 4, high);
    writeU32(bytes, at + 8, offset >>> 0);
    writeU32(bytes, at + 12, (offset / 0x1_0000_0000) >>> 0);
    at += SNAPSHOT_ENTRY_SIZE;
  });
  writeU32(bytes, end, crc32(bytes.subarray(0, end)));
  return bytes;
}
