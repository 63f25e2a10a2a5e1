import type { View } from '../../core/generation.ts';
import { StateCode, VerdictCode } from '../../core/record-table.ts';
import type { Steps } from '../../core/steps.ts';
import { highU32, lowU32, parseU64 } from '../../core/u64.ts';
import { VelescopeError } from '../../shared/errors.ts';
import type { Filter, Order, RecordState } from '../../shared/protocol.ts';
import type { CollectionState } from './collection.ts';
import { parsePathCondition } from './json-path.ts';
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

/** The list of rows behind a grid. Without filter, in log order, it is the table itself and costs nothing. */
export class Query {
  #list: Uint32Array | null = null;
  #growing: RowList | null = null;
  complete = false;
  error: VelescopeError | null = null;
  readonly stop = new AbortController();

  constructor(
    readonly name: string,
    readonly state: CollectionState,
    readonly filter: Filter,
    readonly order: Order,
    readonly revision: number,
  ) {}

  /** Every row, in log order: nothing is stored. */
  get isWhole(): boolean {
    return this.#list === null && this.#growing === null;
  }

  get total(): number {
    return this.#list?.length ?? this.#growing?.length ?? this.state.table.linkedRows;
  }

  rowAt(position: number): number {
    if (this.#list) return this.#list[position]!;
    if (this.#growing) return this.#growing.take()[position]!;
    return this.order.direction === 'ascending' ? position : this.state.table.linkedRows - 1 - position;
  }

  /** Position of a row in the list, or -1. */
  positionOf(row: number): number {
    if (this.isWhole) {
      if (row >= this.state.table.linkedRows) return -1;
      return this.order.direction === 'ascending' ? row : this.state.table.linkedRows - 1 - row;
    }
    return (this.#list ?? this.#growing!.take()).indexOf(row);
  }

  /** Makes the list. While a payload search runs, its hits so far can be read, in log order; sorting comes last. */
  *run(view: View): Steps<void> {
    const { filter, order, state } = this;
    const search = payloadSearchOf(filter);
    if (!search && isEmpty(filter) && order.by === 'offset') {
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
    if (filter.id !== undefined) {
      const id = parseU64(filter.id)!;
      for (const row of state.table.history(lowU32(id), highU32(id))) if (accept(row)) list.push(row);
    } else if (search) {
      yield* searchPayloads(state, search, accept, (row) => list.push(row));
    } else {
      const rows = state.table.linkedRows;
      for (let from = 0; from < rows; from += PIECE) {
        const to = Math.min(rows, from + PIECE);
        for (let row = from; row < to; row++) if (accept(row)) list.push(row);
        yield { done: from, total: rows };
      }
    }
    const sorted = yield* sortRows(state.table, list.take().slice(), order);
    this.#list = sorted;
    this.#growing = null;
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
