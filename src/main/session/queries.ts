import type { View } from '../../core/generation.ts';
import type { ProvisionalRecords } from '../../core/provisional-records.ts';
import { StateCode, VerdictCode } from '../../core/record-table.ts';
import type { Steps } from '../../core/steps.ts';
import { highU32, lowU32, parseU64 } from '../../core/u64.ts';
import { VelescopeError } from '../../shared/errors.ts';
import type { Filter, Order, RecordState } from '../../shared/protocol.ts';
import type { CollectionState } from './collection.ts';
import { parsePathCondition } from './json-path.ts';
import { scannedEnd } from './provisional-rows.ts';
import { stateInView } from './rows.ts';
import { type PayloadSearch, searchPayloads } from './search.ts';
import { sortRows } from './sorting.ts';

const PIECE = 1 << 16;

/** A growing list of rows. */
export class RowList {
  #rows = new Uint32Array(1024);
  length = 0;

  push(row: number): void {
    if (this.length === this.#rows.length) {
      const larger = new Uint32Array(this.length * 2);
      larger.set(this.#rows);
      this.#rows = larger;
    }
    this.#rows[this.length++] = row;
  }

  take(): Uint32Array {
    return this.#rows.subarray(0, this.length);
  }
}

/** The part of a list that is not scanned yet: entries of a snapshot, in the order of the log. */
interface Tail {
  count: number;
  /** The entry at a place of the tail. */
  entryAt(place: number): number;
  /** The place of an entry, or -1. */
  placeOf(entry: number): number;
}

/**
 * The list of rows behind a grid. Without filter, in log order, it is the table itself and costs nothing.
 *
 * Made while the scan runs and a snapshot is there, a list in log order (of everything, of the live records, of one id) goes on
 * behind the scanned rows with what the snapshot names there. Such a list stays as it was made, so that its pages fit together; what
 * the scan has passed since is described by its rows.
 */
export class Query {
  #list: Uint32Array | null = null;
  #growing: RowList | null = null;
  #tail: Tail | null = null;
  /** How many rows were scanned when the tail was made. */
  #scannedRows = 0;
  complete = false;
  error: VelescopeError | null = null;
  readonly stop = new AbortController();

  constructor(
    readonly name: string,
    readonly state: CollectionState,
    readonly filter: Filter,
    readonly order: Order,
    readonly revision: number,
    /** What a snapshot names, while the scan runs. */
    readonly provisional: ProvisionalRecords | null = null,
  ) {}

  /** Every row, in log order: nothing is stored. */
  get isWhole(): boolean {
    return this.#list === null && this.#growing === null;
  }

  get total(): number {
    return this.#rows + this.tailCount;
  }

  /** How many positions are not rows but entries of the snapshot. */
  get tailCount(): number {
    return this.#tail?.count ?? 0;
  }

  get #rows(): number {
    const whole = () => (this.#tail ? this.#scannedRows : this.state.table.linkedRows);
    return this.#list?.length ?? this.#growing?.length ?? whole();
  }

  get #ascending(): boolean {
    return this.order.direction === 'ascending';
  }

  /** The row at a position that `entryAt` knows nothing of. */
  rowAt(position: number): number {
    if (!this.#ascending) position -= this.tailCount;
    if (this.#list) return this.#list[position]!;
    if (this.#growing) return this.#growing.take()[position]!;
    return this.#ascending ? position : this.#rows - 1 - position;
  }

  /** The entry of the snapshot at a position, or -1 where a row stands. */
  entryAt(position: number): number {
    if (!this.#tail) return -1;
    const place = this.#ascending ? position - this.#rows : this.#tail.count - 1 - position;
    return place < 0 || place >= this.#tail.count ? -1 : this.#tail.entryAt(place);
  }

  /** Position of a row in the list, or -1. */
  positionOf(row: number): number {
    let at: number;
    if (!this.isWhole) at = (this.#list ?? this.#growing!.take()).indexOf(row);
    else if (row >= this.#rows) at = -1;
    else at = this.#ascending ? row : this.#rows - 1 - row;
    if (at >= 0) return this.#ascending ? at : at + this.tailCount;
    // Scanned since the list was made.
    const { provisional } = this;
    if (!this.#tail || !provisional) return -1;
    const offset = this.state.table.offsets[row]!;
    for (let listed = provisional.positionFrom(offset); listed < provisional.listed; listed++) {
      const entry = provisional.entryAt(listed);
      if (provisional.marker(entry) !== offset) break;
      const position = this.positionOfEntry(entry);
      if (position >= 0) return position;
    }
    return -1;
  }

  /** Position of an entry of the snapshot, or -1. */
  positionOfEntry(entry: number): number {
    const place = this.#tail?.placeOf(entry) ?? -1;
    if (place < 0) return -1;
    return this.#ascending ? this.#rows + place : this.#tail!.count - 1 - place;
  }

  /** All that the snapshot names from `end` of what was scanned on. */
  #takeTail(records: ProvisionalRecords, end: number): void {
    const from = records.positionFrom(end);
    this.#tail = {
      count: records.listed - from,
      entryAt: (place) => records.entryAt(from + place),
      placeOf: (entry) => Math.max(-1, records.positionOf(entry) - from),
    };
  }

  /** Makes the list. While a payload search runs, its hits so far can be read, in log order; sorting comes last. */
  *run(view: View): Steps<void> {
    const { filter, order, state } = this;
    const search = payloadSearchOf(filter);
    const { provisional } = this;
    if (!search && isEmpty(filter) && order.by === 'offset') {
      if (provisional) {
        this.#scannedRows = state.table.linkedRows;
        this.#takeTail(provisional, scannedEnd(state.table));
      }
      this.complete = true;
      return;
    }
    if (!search && isEmpty(filter)) {
      // Until it is sorted, the list is the table in log order.
      const all = new Uint32Array(state.table.linkedRows);
      for (let row = 0; row < all.length; row++) all[row] = row;
      this.#list = yield* sortRows(state.table, all, order);
      this.complete = true;
      return;
    }
    const list = new RowList();
    this.#growing = list;
    const accept = acceptorOf(state, view, filter);
    // The snapshot knows of no record what it is but that it was live.
    const throughSnapshot = provisional && !search && filter.verdicts === undefined && !filter.damagedOnly;
    const named = throughSnapshot && (filter.states === undefined || filter.states.includes('live'));
    let tail: (() => void) | null = null;
    if (filter.id !== undefined) {
      const id = parseU64(filter.id)!;
      const entry = named ? yield* provisional.find(lowU32(id), highU32(id)) : -1;
      for (const row of state.table.history(lowU32(id), highU32(id))) if (accept(row)) list.push(row);
      if (named && entry >= 0 && provisional.marker(entry) >= scannedEnd(state.table)) {
        tail = () => {
          this.#tail = { count: 1, entryAt: () => entry, placeOf: (other) => (other === entry ? 0 : -1) };
        };
      }
    } else if (search) {
      yield* searchPayloads(state, search, accept, (row) => list.push(row));
    } else {
      const rows = state.table.linkedRows;
      if (named && order.by === 'offset') {
        const at = scannedEnd(state.table);
        tail = () => this.#takeTail(provisional, at);
      }
      for (let from = 0; from < rows; from += PIECE) {
        const to = Math.min(rows, from + PIECE);
        for (let row = from; row < to; row++) if (accept(row)) list.push(row);
        yield { done: from, total: rows };
      }
    }
    const sorted = yield* sortRows(state.table, list.take().slice(), order);
    this.#list = sorted;
    this.#growing = null;
    tail?.();
    this.complete = true;
  }
}

function isEmpty(filter: Filter): boolean {
  return Object.values(filter).every((value) => value === undefined || value === false);
}

function payloadSearchOf(filter: Filter): PayloadSearch | null {
  if ([filter.text, filter.bytes, filter.path].filter((part) => part !== undefined).length > 1) {
    throw new VelescopeError('BAD_QUERY', 'Search for a text, for bytes or for a path: one at a time.');
  }
  if (filter.text !== undefined) return { needle: Buffer.from(filter.text, 'utf8'), condition: null };
  if (filter.bytes !== undefined) return { needle: Buffer.from(filter.bytes, 'hex'), condition: null };
  if (filter.path !== undefined) {
    const condition = parsePathCondition(filter.path);
    return { needle: condition.needle === null ? null : Buffer.from(condition.needle, 'utf8'), condition };
  }
  return null;
}

/** Whether a row passes the parts of a filter that need no payload. */
function acceptorOf(state: CollectionState, view: View, filter: Filter): (row: number) => boolean {
  const { table } = state;
  const verdicts = filter.verdicts ? new Set(filter.verdicts.map((verdict) => VerdictCode[verdict])) : null;
  const states = filter.states ? new Set<RecordState>(filter.states) : null;
  const plain = state.difference(view) === null;
  const liveOnly = states?.size === 1 && states.has('live') && plain;
  return (row) => {
    if (filter.damagedOnly && !table.isDamaged(row)) return false;
    if (verdicts && !verdicts.has(table.verdictCode(row))) return false;
    if (liveOnly) return table.states[row] === StateCode.live;
    if (states) return states.has(plain ? table.state(row) : stateInView(state, view, row));
    return true;
  };
}
