import type { ByteSource } from '../byte-source.ts';
import {
  CRC_DELETE_SIZE,
  CRC_STORE_OVERHEAD,
  describeMarker,
  LEGACY_DELETE_SIZE,
  LENGTH_FIELD_OFFSET,
  STORE_HEADER_SIZE,
} from '../record.ts';
import type { RecordTable } from '../record-table.ts';
import type { Verdict } from '../segment.ts';
import { readU32 } from '../u64.ts';

/** The end of a log that a crash of its writer explains. */
export interface Tail {
  /** Its first row; it goes on to the last. */
  row: number;
  offset: number;
  length: number;
  verdict: Verdict;
}

/**
 * The torn or zero-filled tail of a log, null where it has none: a last record that is torn; zeros that reach the end; or both, a
 * record whose bytes were written in part and whose claimed extent lies, from there on, in zeros that reach the end (the size
 * had reached the disk, the bytes had not). Other bytes at the end are no tail: no crash of a writer explains them.
 */
export function findTail(source: ByteSource, table: RecordTable): Tail | null {
  const last = table.rows - 1;
  if (last < 0) return null;
  const verdict = table.verdict(last);
  if (verdict === 'torn') return tailFrom(table, last);
  if (verdict !== 'zero-filled') return null;
  for (let row = last - 1; row >= 0 && table.kind(row) === 'gap'; row--) {
    if (!table.hasId(row)) continue;
    return claimedEnd(source, table.offsets[row]!) > table.offsets[last]!
      ? tailFrom(table, row)
      : tailFrom(table, last);
  }
  return tailFrom(table, last);
}

function tailFrom(table: RecordTable, row: number): Tail {
  const offset = table.offsets[row]!;
  return { row, offset, length: table.end - offset, verdict: table.verdict(row) === 'torn' ? 'torn' : 'zero-filled' };
}

/** Where the record whose marker stands at `offset` says it ends; -1 where that is no marker. */
function claimedEnd(source: ByteSource, offset: number): number {
  const header = source.read(offset, STORE_HEADER_SIZE);
  const described = header.length < STORE_HEADER_SIZE ? null : describeMarker(header[0]!);
  if (!described) return -1;
  if (described.kind === 'delete') return offset + (described.format === 'crc' ? CRC_DELETE_SIZE : LEGACY_DELETE_SIZE);
  const overhead = described.format === 'crc' ? CRC_STORE_OVERHEAD : STORE_HEADER_SIZE;
  return offset + overhead + readU32(header, LENGTH_FIELD_OFFSET);
}
