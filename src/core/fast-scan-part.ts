import { BLOCK_SIZE, type BlockWalker, type RowColumns } from './fast-scan.ts';
import { CRC_DELETE_SIZE, CRC_SIZE, CRC_STORE_OVERHEAD, type Crc32, LENGTH_FIELD_OFFSET, Marker } from './record.ts';
import { INFO_OK_STORE } from './record-table.ts';
import { readU32 } from './u64.ts';

/** Reads into the caller's memory: bytes [position, position + length) of the log into `into` from `start`, fewer where it ends. */
export type ReadInto = (into: Uint8Array, start: number, length: number, position: number) => number;

/** Consecutive intact records of a part: rows [first, next run's first) of its columns, the last of which ends at `end`. */
export interface Run {
  first: number;
  end: number;
}

/**
 * What was found in a part of a log by itself: runs of intact CRC records that follow each other. That a run begins at a record is
 * likely, not certain: a payload may hold the bytes of a record. So the runs say nothing about the log until a scan that comes from
 * its beginning arrives exactly at one of their records (`findRun`); from there on both walks are the same.
 */
export interface ScannedPart {
  columns: PartColumns;
  rows: number;
  runs: Run[];
}

/** Columns in one buffer, so that it can be handed from thread to thread. */
export class PartColumns implements RowColumns {
  buffer: ArrayBuffer;
  rows = 0;
  offsets!: Float64Array;
  idLow!: Uint32Array;
  idHigh!: Uint32Array;
  info!: Uint8Array;

  constructor(buffer: ArrayBuffer) {
    this.buffer = buffer;
    this.#view();
  }

  #view(): void {
    const capacity = Math.floor(this.buffer.byteLength / ROW_SIZE);
    this.offsets = new Float64Array(this.buffer, 0, capacity);
    this.idLow = new Uint32Array(this.buffer, capacity * 8, capacity);
    this.idHigh = new Uint32Array(this.buffer, capacity * 12, capacity);
    this.info = new Uint8Array(this.buffer, capacity * 16, capacity);
  }

  append(columns: RowColumns, rows: number): void {
    this.#reserve(this.rows + rows);
    this.offsets.set(columns.offsets.subarray(0, rows), this.rows);
    this.idLow.set(columns.idLow.subarray(0, rows), this.rows);
    this.idHigh.set(columns.idHigh.subarray(0, rows), this.rows);
    this.info.set(columns.info.subarray(0, rows), this.rows);
    this.rows += rows;
  }

  push(offset: number, info: number, low: number, high: number): void {
    this.#reserve(this.rows + 1);
    this.offsets[this.rows] = offset;
    this.idLow[this.rows] = low;
    this.idHigh[this.rows] = high;
    this.info[this.rows++] = info;
  }

  #reserve(rows: number): void {
    if (rows <= this.offsets.length) return;
    const { offsets, idLow, idHigh, info } = this;
    this.buffer = new ArrayBuffer(Math.ceil(Math.max(rows, this.rows * 1.5)) * ROW_SIZE);
    this.#view();
    this.offsets.set(offsets.subarray(0, this.rows));
    this.idLow.set(idLow.subarray(0, this.rows));
    this.idHigh.set(idHigh.subarray(0, this.rows));
    this.info.set(info.subarray(0, this.rows));
  }
}

/** Offset, both halves of the id, info. */
const ROW_SIZE = 8 + 4 + 4 + 1;

/** How many bytes a search may hash for each byte it passes: bytes made to look like records must not hold a worker up. */
const HASHES_PER_BYTE = 8;

export interface PartOptions {
  read: ReadInto;
  /** Size of the log; nothing behind it is looked at. */
  size: number;
  /** Records that start in [from, to) are wanted. */
  from: number;
  to: number;
  /** Whether `from` is known to be where a record starts, if the log is sound: the log's beginning. */
  synchronised: boolean;
  walker: BlockWalker;
  crc32: Crc32;
  /** Where the rows go; emptied first. */
  columns: PartColumns;
  /** Records longer than this are not looked at, for a thread that must not be held up; no limit unless given. */
  longest?: number;
}

/**
 * Walks a part of a log by itself: finds the first record by its CRC, follows the framing, and after bytes that are no intact record
 * searches again. Never fails on content. System errors of `read` pass through; a log cut meanwhile ends the part early.
 */
export function scanPart(options: PartOptions): ScannedPart {
  const { read, size, from, to, walker, columns, crc32, longest = Number.POSITIVE_INFINITY } = options;
  const { input } = walker;
  const runs: Run[] = [];
  columns.rows = 0;
  // Where the block in `input` lies in the log.
  let base = 0;
  let length = 0;
  const load = (position: number): void => {
    base = position;
    length = read(input, 0, Math.min(BLOCK_SIZE, size - position), position);
  };

  /** Follows intact records from `position`; returns where the first other byte is. */
  const follow = (start: number): number => {
    let position = start;
    while (position < to) {
      if (position < base || position >= base + length) load(position);
      const rows = walker.walk(position - base, length, Math.min(length, to - base), base);
      columns.append(walker.columns, rows);
      const stopped = base + walker.stoppedAt;
      if (rows > 0) {
        position = stopped;
        continue;
      }
      if (position > base && base + length < size) {
        // It may only be that the block ends inside the record.
        load(position);
        continue;
      }
      const end = longRecordEnd(position);
      if (end < 0) return position;
      columns.push(position, INFO_OK_STORE, readU32(input, position - base + 1), readU32(input, position - base + 5));
      position = end;
    }
    return position;
  };

  /** End of the intact store at `position`, the block's beginning, that is longer than a block; -1 when there is none. */
  const longRecordEnd = (position: number): number => {
    const at = position - base;
    if (at + CRC_STORE_OVERHEAD > length || input[at] !== Marker.crcStore) return -1;
    const end = position + CRC_STORE_OVERHEAD + readU32(input, at + LENGTH_FIELD_OFFSET);
    if (end <= base + length || end > size || end - position > longest) return -1;
    long ??= new Uint8Array(LONG_PIECE);
    let crc = 0;
    for (let next = position; next < end - CRC_SIZE; ) {
      const count = read(long, 0, Math.min(LONG_PIECE, end - CRC_SIZE - next), next);
      if (count === 0) return -1;
      crc = crc32(long.subarray(0, count), crc);
      next += count;
    }
    return read(long, 0, CRC_SIZE, end - CRC_SIZE) === CRC_SIZE && readU32(long, 0) === crc ? end : -1;
  };

  let hashed = 0;
  /** The first intact record that starts in [start, to), or -1: also when too much looks like one. */
  const search = (start: number): number => {
    for (let position = start; position < to; ) {
      if (position < base || position + CRC_DELETE_SIZE > base + length) load(position);
      const last = Math.min(length - CRC_DELETE_SIZE, to - base - 1);
      let at = position - base;
      if (at > last) return -1;
      for (; at <= last; at++) {
        const marker = input[at];
        if (marker !== Marker.crcStore && marker !== Marker.crcDelete) continue;
        let end = at + CRC_DELETE_SIZE;
        if (marker === Marker.crcStore) end = at + CRC_STORE_OVERHEAD + readU32(input, at + LENGTH_FIELD_OFFSET);
        if (base + end > size || end - at > LONGEST_SEARCHED) continue;
        if (end > length && at > 0) break;
        hashed += end - at;
        if (hashed > HASHES_PER_BYTE * (to - from)) return -1;
        if (end > length ? longRecordEnd(base + at) >= 0 : walker.walk(at, length, at + 1, base) > 0) return base + at;
      }
      position = base + at;
      // A record that goes beyond the block is judged with a block of its own.
      if (at <= last) load(position);
    }
    return -1;
  };

  let position = options.synchronised ? from : search(from);
  while (position >= 0 && position < to) {
    const first = columns.rows;
    const end = follow(position);
    if (columns.rows > first) runs.push({ first, end });
    position = end >= to ? -1 : search(end + 1);
  }
  return { columns, rows: columns.rows, runs };
}

let long: Uint8Array | null = null;
/** Records longer than a block are hashed in pieces of this size. */
const LONG_PIECE = 1 << 20;
/** A search believes no record longer than this; a log of such records is scanned from its beginning alone. */
const LONGEST_SEARCHED = 64 << 20;

/**
 * Where a scan that stands at `position` can go on with what was found in the part: rows [row, to) that are consecutive and end at
 * `end`; null when no record of the part starts there.
 */
export function findRun(part: ScannedPart, position: number): { row: number; to: number; end: number } | null {
  const { offsets } = part.columns;
  let low = 0;
  let high = part.rows - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (offsets[middle]! < position) low = middle + 1;
    else high = middle;
  }
  if (part.rows === 0 || offsets[low] !== position) return null;
  let run = 0;
  for (let after = part.runs.length - 1; run < after; ) {
    const middle = (run + after + 1) >>> 1;
    if (part.runs[middle]!.first <= low) run = middle;
    else after = middle - 1;
  }
  return { row: low, to: part.runs[run + 1]?.first ?? part.rows, end: part.runs[run]!.end };
}
