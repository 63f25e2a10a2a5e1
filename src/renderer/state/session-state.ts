import { create } from 'zustand';
import type { ErrorValue } from '../../shared/errors.ts';
import type { Collection, Order, RecordDetail, Summary } from '../../shared/protocol.ts';
import type { RowSource } from '../features/records/row-pages.ts';
import type { SearchRequest } from '../features/search/parse-search.ts';

export type Chip = 'all' | 'live' | 'damaged' | 'drafts';

export type Tab = 'payload' | 'velesdb' | 'history' | 'bytes' | 'repair';

/**
 * What the right pane shows: a row of the log, one that a snapshot names and the scan has not come to, or a draft that no row of the log
 * belongs to.
 */
export type Selected =
  | { type: 'row'; row: number }
  | { type: 'provisional'; id: string; offset: string }
  | { type: 'draft'; id: string };

export interface QueryState {
  name: string;
  revision: number;
  total: number;
  complete: boolean;
  /** The person stopped it: it holds what was found until then, and is not made again unasked. */
  stopped: boolean;
  order: Order;
  error: ErrorValue | null;
  /** How many rows were scanned when it was made. */
  scanned: number;
  /** It may go on behind the scanned rows with rows from the snapshot. */
  provisional: boolean;
}

/** Asks the grid to bring a position into view, once for each serial. */
export interface Reveal {
  position: number;
  focus: boolean;
  serial: number;
}

/** Bytes of the log, `to` not included. */
export interface ByteRange {
  from: number;
  to: number;
}

/** The first row on the screen. */
export interface TopRow {
  position: number;
  offset: string;
}

/** Where a row stood in a list, and where it stands in the one that took its place. */
export interface Move {
  from: number;
  to: number;
}

/** Tells the grid, once for each serial, that rows stand elsewhere in a list made anew; null where one does not, or is not known. */
export interface Moved {
  top: Move | null;
  selected: Move | null;
  serial: number;
}

export interface SessionState {
  database: string | null;
  collection: Collection | null;
  session: string | null;
  summary: Summary | null;
  opening: boolean;
  failure: ErrorValue | null;
  chip: Chip;
  searchText: string;
  search: SearchRequest;
  order: Order;
  query: QueryState | null;
  queryFailure: ErrorValue | null;
  querying: boolean;
  source: RowSource | null;
  selected: Selected | null;
  /** Position of the selected row in the grid; null when the grid's list does not hold it. */
  position: number | null;
  record: RecordDetail | null;
  recordFailure: ErrorValue | null;
  tab: Tab;
  reveal: Reveal | null;
  /** Where the rows on the screen stand in the log, for its map. */
  visibleRanges: ByteRange[];
  topRow: TopRow | null;
  moved: Moved | null;
}

/** What a window knows while no collection is open. */
export const NO_SESSION = {
  session: null,
  summary: null,
  opening: false,
  failure: null,
  chip: 'all',
  searchText: '',
  search: { kind: 'none' },
  order: { by: 'offset', direction: 'ascending' },
  query: null,
  queryFailure: null,
  querying: false,
  source: null,
  selected: null,
  position: null,
  record: null,
  recordFailure: null,
  reveal: null,
  visibleRanges: [],
  topRow: null,
  moved: null,
} satisfies Partial<SessionState>;

/** What the window knows of the open collection, its list and its selection. */
export const useSession = create<SessionState>(() => ({
  database: null,
  collection: null,
  tab: 'payload',
  ...NO_SESSION,
}));
