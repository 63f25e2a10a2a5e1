import type { ByteSource } from './byte-source.ts';
import { blockWalkerFor } from './fast-scan.ts';
import { PartColumns, scanPart } from './fast-scan-part.ts';
import type { IdIndex } from './id-index.ts';
import type { Crc32 } from './record.ts';
import { LENGTH_FIELD_OFFSET } from './record.ts';
import { INFO_OK_STORE } from './record-table.ts';
import type { Steps } from './steps.ts';

/** The shortest log that is walked this way: the walker takes longer to make than a short one takes to read. */
const LEAST_SIZE = 1 << 14;
/** Walked between two yields: a few milliseconds, most of them for the index. */
const PART_SIZE = 1 << 20;

/**
 * Replays intact CRC records, which every generation takes alike, as far as they follow each other from `start`, where a record starts if
 * the log is sound: `replay` in the fast scan's inner loop. Changes the index; returns the position of the first byte that is no such
 * record.
 */
export function* replayIntact(source: ByteSource, crc32: Crc32, index: IdIndex, start: number): Steps<number> {
  const size = source.size;
  const walker = size - start < LEAST_SIZE ? null : blockWalkerFor(crc32);
  if (!walker) return start;
  const columns = new PartColumns(new ArrayBuffer(1 << 16));
  const read = (into: Uint8Array, at: number, length: number, position: number): number => {
    const bytes = source.read(position, length);
    into.set(bytes, at);
    return bytes.length;
  };
  let position = start;
  while (position < size) {
    const to = Math.min(size, position + PART_SIZE);
    const { runs } = scanPart({ read, size, from: position, to, synchronised: true, walker, crc32, columns });
    const run = runs[0];
    if (run === undefined || columns.offsets[0] !== position) break;
    const rows = runs[1]?.first ?? columns.rows;
    const { offsets, idLow, idHigh, info } = columns;
    yield* index.makeRoom(index.size + rows);
    for (let row = 0; row < rows; row++) {
      if (info[row] === INFO_OK_STORE) index.set(idLow[row]!, idHigh[row]!, offsets[row]! + LENGTH_FIELD_OFFSET);
      else index.delete(idLow[row]!, idHigh[row]!);
    }
    position = run.end;
    if (position < to) break;
    yield { done: position, total: size };
  }
  return position;
}
