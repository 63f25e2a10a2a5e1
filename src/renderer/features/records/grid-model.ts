import type { Order, Row, StoredDraft } from '../../../shared/protocol.ts';
import { lookOf } from '../../state/draft-looks.ts';
import type { RowSource } from './row-pages.ts';

/** One row of the grid as it is drawn: where it stands, the log's row if it is here already, and the draft of its id. */
export interface GridRow {
  position: number;
  row: Row | undefined;
  draft: StoredDraft | undefined;
}

/** A row number that no row of a log has: the row is a draft only. */
export const NOT_IN_THE_LOG = -1;

/** The drafts as rows, for the Drafts filter: a new record has no row of the log that could show it. */
export function draftRows(drafts: readonly StoredDraft[]): RowSource {
  const rows = drafts.map(
    (draft): Row => ({
      row: NOT_IN_THE_LOG,
      offset: draft.base?.offset ?? '0',
      length: lookOf(draft).bytes,
      kind: draft.action,
      format: 'crc',
      id: draft.id,
      verdict: 'ok',
      foundBySearch: false,
      state: 'live',
      versions: 0,
      preview: lookOf(draft).head,
    }),
  );
  return {
    total: rows.length,
    version: 0,
    get: (position) => rows[position],
    want: () => {},
    subscribe: () => () => {},
  };
}

/** The column that sorts by what; other columns do not sort. */
export type SortColumn = Order['by'];
export const SORT_COLUMNS: readonly string[] = ['id', 'offset', 'size', 'versions'] satisfies SortColumn[];

/** The order after a header was activated: ascending first, then descending. */
export function nextOrder(order: Order, by: SortColumn): Order {
  if (order.by !== by) return { by, direction: 'ascending' };
  return { by, direction: order.direction === 'ascending' ? 'descending' : 'ascending' };
}

/** A cell of the grid: row −1 is the header. */
export interface CellPosition {
  row: number;
  column: number;
}

/** Rows that are selected, both ends included. */
export interface RowRange {
  anchor: number;
  head: number;
}

export function inRange(range: RowRange | null, row: number): boolean {
  return range !== null && row >= Math.min(range.anchor, range.head) && row <= Math.max(range.anchor, range.head);
}

/**
 * Where a key moves the focus, by the grid pattern of WAI-ARIA: arrows one cell and no wrapping, Home and End within the row, with
 * Ctrl to the first and last cell of the data, Page keys by the viewport keeping one row of overlap. Null for any other key.
 */
export function moveFocus(
  from: CellPosition,
  key: { key: string; ctrlKey: boolean; metaKey: boolean },
  size: { rows: number; columns: number; pageRows: number },
): CellPosition | null {
  const lastRow = size.rows - 1;
  const lastColumn = size.columns - 1;
  const row = (to: number): CellPosition => ({ row: Math.min(lastRow, Math.max(-1, to)), column: from.column });
  const ends = key.ctrlKey || key.metaKey;
  switch (key.key) {
    case 'ArrowUp':
      return row(from.row - 1);
    case 'ArrowDown':
      return row(from.row + 1);
    case 'ArrowLeft':
      return { row: from.row, column: Math.max(0, from.column - 1) };
    case 'ArrowRight':
      return { row: from.row, column: Math.min(lastColumn, from.column + 1) };
    case 'Home':
      return ends ? { row: Math.min(0, lastRow), column: 0 } : { row: from.row, column: 0 };
    case 'End':
      return ends ? { row: lastRow, column: lastColumn } : { row: from.row, column: lastColumn };
    case 'PageUp':
      return row(Math.max(Math.min(0, lastRow), from.row - Math.max(1, size.pageRows - 1)));
    case 'PageDown':
      return row(from.row + Math.max(1, size.pageRows - 1));
    default:
      return null;
  }
}

/** What shows of a list: where it begins, in pixels of the whole, how many rows the list has, and how high the place for it is. */
export interface SeenRows {
  top: number;
  total: number;
  height: number;
}

/**
 * Whether a person went up in the list. Not where the list or its place changed size at the same time: a banner that leaves makes the place
 * higher, and at the end of the list the rows move down for that, while one more row may just have come.
 */
export function wentUp(before: SeenRows, now: SeenRows, rowHeight: number): boolean {
  if (before.total !== now.total || before.height !== now.height) return false;
  return now.top < before.top - rowHeight / 2;
}
