import { type ErrorValue, fromErrorValue, toErrorValue } from '../../shared/errors.ts';
import type { Filter, Order, Params } from '../../shared/protocol.ts';
import { formatCount, formatNoun } from '../components/format.ts';
import { call } from '../connection/current.ts';
import { RowPages } from '../features/records/row-pages.ts';
import { announce } from './announcements.ts';
import { followSelection, placeOf } from './selection.ts';
import { type Chip, type Move, type SessionState, useSession } from './session-state.ts';

const set = useSession.setState;
const get = useSession.getState;

let queryController: AbortController | null = null;
let refreshTimer: ReturnType<typeof setTimeout> | null = null;

/** Nothing that is asked for at the moment is wanted any more: the collection is closed, or its session moves. */
export function cancelQuery(): void {
  queryController?.abort();
  queryController = null;
  if (refreshTimer) clearTimeout(refreshTimer);
  refreshTimer = null;
}

let refreshDue = 0;

/** Makes the list anew after so many milliseconds, unless it is made anew sooner anyway, or is being made. */
export function scheduleRefresh(milliseconds: number): void {
  const due = performance.now() + milliseconds;
  if (refreshTimer) {
    if (refreshDue <= due) return;
    clearTimeout(refreshTimer);
  }
  refreshDue = due;
  refreshTimer = setTimeout(() => {
    refreshTimer = null;
    const { query, summary } = get();
    if (query?.stopped) return;
    // What still runs is not begun again: it would never end on a log that grows. When it is through, `catchUp` looks again.
    if (makingAnew || (query && !query.complete)) return;
    // Beside a scan a costly list is made anew each time there is twice as much to list, not each second: all of that together costs no
    // more than two of the whole log. The end of the scan asks once more.
    if (query && summary?.phase === 'scanning' && isCostly() && summary.counts.all < 2 * query.scanned) return;
    void refreshQuery('anew');
  }, milliseconds);
}

/** Whether every row, or every payload, has to be looked at to make the list. */
function isCostly({ order, search } = get()): boolean {
  return search.kind === 'filter' || order.by !== 'offset';
}

/** Whether rows were scanned that the shown list would hold, or may, and that it will hold when it is made anew. */
export function isBehind(state: SessionState): boolean {
  const { query, summary } = state;
  if (!query || !summary || query.stopped || !isCostly(state)) return false;
  return summary.phase === 'scanning' || query.scanned < summary.counts.all;
}

/** Looks again where the log went on while a list was made: what was scanned meanwhile is not in it. */
function catchUp(): void {
  const { query, summary } = get();
  if (query?.complete && summary && query.revision < summary.revision) {
    scheduleRefresh(summary.phase === 'ready' ? 150 : 1_000);
  }
}

function currentFilter(): Filter {
  const { chip, search } = get();
  return {
    ...(chip === 'live' ? { states: ['live'] } : {}),
    ...(chip === 'damaged' ? { damagedOnly: true } : {}),
    ...(search.kind === 'filter' ? search.filter : {}),
  };
}

/** True while a list takes the place of one like it, unasked. */
let makingAnew = false;

/**
 * Makes the list of rows anew from filter and order, keeping the selection where the new list holds it. `asked` for by the person,
 * hits of a search show as they are found. `anew`, because the log went on: the old list stays until the new one is whole, and
 * neither what one reads nor the length of the list jumps.
 */
export async function refreshQuery(why: 'asked' | 'anew' = 'asked'): Promise<void> {
  const { session, order, search, query: before, summary } = get();
  if (!session) return;
  queryController?.abort();
  const controller = new AbortController();
  queryController = controller;
  const anew = why === 'anew' && before !== null && !get().querying;
  makingAnew = anew;
  set({ queryFailure: null, ...(anew ? {} : { querying: true }) });
  const provisional = () => get().summary?.provisional ?? false;
  const wasProvisional = provisional();
  const isCurrent = () => queryController === controller && !controller.signal.aborted && get().session === session;
  try {
    const made = await call(
      'records.query',
      { session, filter: currentFilter(), order },
      { signal: controller.signal },
    );
    const { query } = made;
    // Rows that are not in order yet would stand under a header that says they are.
    const showsHits = search.kind === 'filter' && !anew;
    const result = made.complete || showsHits ? made : { ...made, ...(await untilComplete(query, controller.signal)) };
    const kept = isCurrent() ? await keepPlace(session, query, anew) : () => ({});
    if (!isCurrent()) {
      void call('records.closeQuery', { session, query }).catch(() => {});
      return;
    }
    const previous = get().source;
    if (previous instanceof RowPages) previous.close();
    const { revision, total, complete } = result;
    set({
      ...kept(),
      querying: false,
      query: {
        name: query,
        revision,
        total,
        complete,
        stopped: false,
        order,
        error: null,
        scanned: summary?.counts.all ?? 0,
        provisional: wasProvisional || provisional(),
      },
      source: new RowPages(session, query, total, (params, options) => call('records.page', params, options)),
    });
    if (before) void call('records.closeQuery', { session, query: before.name }).catch(() => {});
    await followSelection(!anew);
  } catch (thrown) {
    if (queryController !== controller) return;
    const error = toErrorValue(thrown);
    set({ querying: false, ...(error.code === 'CANCELLED' ? {} : { queryFailure: error }) });
  } finally {
    if (queryController === controller) {
      makingAnew = false;
      catchUp();
    }
  }
}

/** The list that is waited for, until events say that it is complete. */
let awaited: { query: string; settle: (event: QueryEvent | null) => void } | null = null;

function untilComplete(query: string, signal: AbortSignal): Promise<{ total: number; complete: boolean }> {
  return new Promise((resolve, reject) => {
    // Whoever aborted wants another list; this one is closed then.
    const give = () => awaited?.query === query && awaited.settle(null);
    signal.addEventListener('abort', give, { once: true });
    awaited = {
      query,
      settle(event) {
        awaited = null;
        signal.removeEventListener('abort', give);
        if (event?.error) reject(fromErrorValue(event.error));
        else resolve({ total: event?.total ?? 0, complete: true });
      },
    };
    if (signal.aborted) give();
  });
}

let movedSerial = 0;

/**
 * Where what is on the screen, and what is selected, stand in a list that is about to take the place of the shown one. Rows from a
 * snapshot move down as the scan passes the older versions and deletes between them; what one reads must not run away.
 */
async function keepPlace(session: string, query: string, anew: boolean): Promise<() => Partial<SessionState>> {
  const { topRow, order, selected, position, query: before } = get();
  // The log as it lies only grows at its end.
  const asItLies = order.by === 'offset' && order.direction === 'ascending';
  if (asItLies ? !before?.provisional : !anew) return () => ({});
  const move = async (from: number | null, target: Params<'records.locate'>['target']): Promise<Move | null> => {
    if (from === null) return null;
    const found = await call('records.locate', { session, query, target });
    return found.position === null ? null : { from, to: found.position };
  };
  // Who is at the beginning of a list stays there.
  const top =
    topRow && topRow.position > 0 ? await move(topRow.position, { by: 'offset', offset: topRow.offset }) : null;
  const own = !selected || selected.type === 'draft' ? null : await move(position, placeOf(selected));
  return () => {
    const now = get();
    // Unless another row was selected meanwhile, which is looked for once the list is there.
    const mine = own !== null && now.position === own.from ? own : null;
    const { reveal } = now;
    return {
      moved: { top, selected: mine, serial: ++movedSerial },
      ...(mine ? { position: mine.to } : {}),
      // One that the grid has not got to yet means the same row.
      ...(mine && reveal?.position === mine.from ? { reveal: { ...reveal, position: mine.to } } : {}),
    };
  };
}

/** Stops a search or a sort that is still running; what was found, or the list as it was, stays. */
export function cancelSearch(): void {
  const { query, session } = get();
  queryController?.abort();
  // A list that was to be sorted otherwise stays as it is, and so does what its header says.
  set({ querying: false, ...(query ? { order: query.order } : {}) });
  if (query && session && !query.complete) {
    set({ query: { ...query, complete: true, stopped: true } });
    announce(`Search stopped: ${formatNoun(query.total, 'row')} so far.`);
    void call('records.stopQuery', { session, query: query.name }).catch(() => {});
  }
}

export interface QueryEvent {
  query: string;
  total: number;
  complete: boolean;
  error: ErrorValue | null;
}

export function takeQueryEvent(event: QueryEvent): void {
  if (awaited?.query === event.query && event.complete) awaited.settle(event);
  const { query, source, order } = get();
  if (query?.name !== event.query) return;
  // Stopping a search is no failure of it.
  const error = event.error?.code === 'CANCELLED' ? null : event.error;
  set({ query: { ...query, total: event.total, complete: event.complete || query.complete, error } });
  if (!(source instanceof RowPages)) return;
  source.setTotal(event.total);
  if (!event.complete || query.complete) return;
  announce(`Search complete: ${formatNoun(event.total, 'row')}.`);
  // Hits come in log order and are sorted at the end: the rows fetched until then stand elsewhere now.
  if (order.by !== 'offset' || order.direction !== 'ascending') {
    source.forget();
    void followSelection();
  }
  catchUp();
}

export function setChip(chip: Chip): void {
  if (get().chip === chip) return;
  set({ chip });
  if (chip !== 'drafts') void refreshQuery();
}

export function setOrder(order: Order): void {
  set({ order });
  announce(`Sorted by ${order.by}, ${order.direction}.`);
  void refreshQuery();
}

/** Where the selection stands, for people who read numbers: "row 12 of 48,211". */
export function positionWords(): string {
  const { position, query } = get();
  return position === null || !query ? '' : `row ${formatCount(position + 1)} of ${formatCount(query.total)}`;
}
