import type { ByteSource } from './byte-source.ts';
import { CRC_STORE_OVERHEAD, type Crc32, LENGTH_FIELD_OFFSET, Marker } from './record.ts';
import type { RecordTable } from './record-table.ts';
import type { Steps } from './steps.ts';
import { readU32 } from './u64.ts';
import { crcHolds, WINDOW_SIZE, Window } from './window.ts';

export interface StillHoldsOptions {
  /** The log as it is now, at the size that the table was made of. */
  source: ByteSource;
  crc32: Crc32;
  /** Scanned to the source's end. */
  table: RecordTable;
}

/** Rows looked at between two yields, where they are short; long ones yield by their bytes. */
const ROWS_AT_ONCE = 512;

/**
 * Whether the log's bytes are still those of the table, as far as the log itself can tell: every record whose CRC held is where it was,
 * of the same id, and holds; and none whose CRC failed holds now. One pass over the log, in the memory of a window.
 *
 * Bytes that nothing protects are not looked at (legacy records, gaps, a torn end), nor does it tell a record from another of the same
 * id and length. For those, what was there before would have to be kept.
 */
export function* stillHolds({ source, crc32, table }: StillHoldsOptions): Steps<boolean> {
  const window = new Window(source);
  let looked = 0;
  for (let row = 0; row < table.rows; row++) {
    if (table.isLegacy(row) || table.kind(row) === 'gap') continue;
    const verdict = table.verdict(row);
    if (verdict === 'torn') continue;
    const from = table.offsets[row]!;
    const length = table.length(row);
    const held = verdict !== 'crc-mismatch';
    if (held && !isFramed(window, table, row)) return false;
    if (crcHolds(window, from, from + length, crc32) !== held) return false;
    looked += WINDOW_SIZE / ROWS_AT_ONCE + length;
    if (looked < WINDOW_SIZE) continue;
    looked = 0;
    yield { done: from + length, total: source.size };
  }
  return true;
}

/** Whether marker, id and length of a CRC record are those of the row. */
function isFramed(window: Window, table: RecordTable, row: number): boolean {
  const from = table.offsets[row]!;
  const isStore = table.kind(row) === 'store';
  window.load(from, isStore ? CRC_STORE_OVERHEAD : LENGTH_FIELD_OFFSET);
  const { bytes } = window;
  const at = from - window.base;
  if (bytes[at] !== (isStore ? Marker.crcStore : Marker.crcDelete)) return false;
  if (isStore && readU32(bytes, at + LENGTH_FIELD_OFFSET) !== table.length(row) - CRC_STORE_OVERHEAD) return false;
  return readU32(bytes, at + 1) === table.idLow[row] && readU32(bytes, at + 5) === table.idHigh[row];
}
