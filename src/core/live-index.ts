import { IdIndex } from './id-index.ts';
import { LENGTH_FIELD_OFFSET } from './record.ts';
import { type RecordTable, StateCode } from './record-table.ts';
import type { Steps } from './steps.ts';

/** Rows looked at between two yields. */
const ROWS_AT_ONCE = 1 << 14;

/**
 * The index of a table's live records: id → offset of the length field. It is the one of `salvage`, and of every generation where the
 * log is sound and the snapshot agrees with it.
 */
export function* liveIndex(table: RecordTable): Steps<IdIndex> {
  const index = new IdIndex(table.ids);
  const rows = table.linkedRows;
  for (let row = 0; row < rows; row++) {
    if (row % ROWS_AT_ONCE === 0 && row > 0) yield { done: row, total: rows };
    if (table.states[row] !== StateCode.live) continue;
    index.set(table.idLow[row]!, table.idHigh[row]!, table.offsets[row]! + LENGTH_FIELD_OFFSET);
  }
  return index;
}
