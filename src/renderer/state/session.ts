import { create } from 'zustand';
import type { View } from '../../core/generation.ts';
import { type ErrorValue, fromErrorValue, toErrorValue } from '../../shared/errors.ts';
import type {
  Collection,
  Damage,
  Durability,
  Filter,
  Order,
  Params,
  RecordDetail,
  Result,
  Summary,
} from '../../shared/protocol.ts';
import { formatCount, formatDuration, formatNoun, formatOffset, percent } from '../components/format.ts';
import { call } from '../connection/current.ts';
import { RowPages, type RowSource } from '../features/records/row-pages.ts';
import { parseSearch, type SearchRequest } from '../features/search/parse-search.ts';
import { announce } from './announcements.ts';
import { notify, report, showDialog, useApplication } from './application.ts';

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

const NO_SESSION = {
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

export const useSession = create<SessionState>(() => ({
  database: null,
  collection: null,
  tab: 'payload',
  ...NO_SESSION,
}));

const set = useSession.setState;
const get = useSession.getState;

// ---------------------------------------------------------------- opening and closing

/** What is being opened; something else than before once it is not wanted any more. */
let opening: object | null = null;

/** Opens a collection: answers at once, the scan goes on and events tell how far. */
export async function openCollection(database: string, collection: Collection): Promise<void> {
  const closed = closeSession();
  const wanted = {};
  opening = wanted;
  await closed;
  // Another one was asked for while the one before was closed.
  if (opening !== wanted) return;
  set({ database, collection, ...NO_SESSION, opening: true });
  // What was said of one collection must not stand beside another. Failures stay until they are dismissed.
  const notices = useApplication.getState().notices.filter(({ tone }) => tone === 'danger');
  useApplication.setState({ page: 'records', notices });
  try {
    const { view } = useApplication.getState();
    // Not cancelled where another one is opened meanwhile: its answer names what has to be closed, and could be on the way already.
    const summary = await call('session.open', { database, collection: collection.collection, view });
    if (opening !== wanted) {
      await call('session.close', { session: summary.session }).catch(() => {});
      return;
    }
    set({ session: summary.session, opening: false });
    announce(`Opened ${collection.name}. Scanning ${formatNoun(summary.log.bytes, 'byte')}.`);
    takeSummary(summary);
    if (summary.phase !== 'failed') await refreshQuery();
  } catch (thrown) {
    if (opening !== wanted) return;
    set({ opening: false, failure: toErrorValue(thrown) });
  }
}

export async function closeSession(): Promise<void> {
  opening = null;
  cancelQuery();
  const { session, source } = get();
  if (source instanceof RowPages) source.close();
  set({ collection: null, ...NO_SESSION });
  if (session) await call('session.close', { session }).catch(() => {});
}

/** Another session of the same collection takes the place of the one that was lost. What is on the screen stays. */
export async function moveSession(summary: Summary): Promise<void> {
  cancelQuery();
  set({ session: summary.session, summary, failure: summary.phase === 'failed' ? summary.failure : null });
  if (summary.phase !== 'failed') await refreshQuery();
}

/** Takes a summary, from an answer or an event, and does what follows from it. */
export function takeSummary(summary: Summary): void {
  const before = get().summary;
  if (get().session !== summary.session || (before && before.revision > summary.revision)) return;
  const failure = summary.phase === 'failed' ? summary.failure : null;
  // Also when it is over: the log that was cut or replaced has been read again.
  set({ summary, failure });
  if (failure && before?.phase !== 'failed') announce(failure.message);
  announceScan(before, summary);
  // Rows from the snapshot come and go as soon as they may.
  if (before && before.provisional !== summary.provisional) void refreshQuery('anew');
  if (before && before.revision !== summary.revision) {
    // A list that is still empty is asked for again sooner: the first rows are a moment away.
    const soon = summary.phase === 'ready' ? 150 : get().query?.total === 0 ? 100 : 1_000;
    scheduleRefresh(soon);
  }
  if (before && before.phase !== summary.phase && summary.phase !== 'scanning') scheduleRefresh(50);
}

let announcedTenth = 0;
function announceScan(before: Summary | null, now: Summary): void {
  if (now.phase === 'scanning') {
    const tenth = Math.floor(percent(now.progress.done, now.progress.total) / 10);
    if (tenth > announcedTenth) announce(`Scan: ${tenth * 10} percent`);
    announcedTenth = tenth;
    if (before && before.counts.damaged === 0 && now.counts.damaged > 0) announce('First damage found.');
    return;
  }
  announcedTenth = 0;
  if (before?.phase !== 'ready' && now.phase === 'ready') {
    announce(
      `Scan complete: ${formatNoun(now.log.records, 'record')}, ${formatNoun(now.counts.damaged, 'damaged segment')}, in ${formatDuration(now.scanMilliseconds)}.`,
    );
  }
}

// ---------------------------------------------------------------- the grid's list

let queryController: AbortController | null = null;
let refreshTimer: ReturnType<typeof setTimeout> | null = null;

function cancelQuery(): void {
  queryController?.abort();
  queryController = null;
  if (refreshTimer) clearTimeout(refreshTimer);
  refreshTimer = null;
}

let refreshDue = 0;

function scheduleRefresh(milliseconds: number): void {
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

/** Applies what was typed into the search box: filters, or goes to an offset. */
export function applySearch(text: string): void {
  const search = parseSearch(text);
  const before = get().search;
  set({ searchText: text, search });
  if (search.kind === 'offset') {
    void goTo({ by: 'offset', offset: search.offset });
    if (before.kind === 'filter') void refreshQuery();
  } else if (search.kind !== 'problem' && (before.kind === 'filter' || search.kind === 'filter')) {
    if (get().chip === 'drafts') set({ chip: 'all' });
    void refreshQuery();
  }
}

// ---------------------------------------------------------------- selection

let revealSerial = 0;
let reading: AbortController | null = null;

/** Selects a row of the log. `position` is its place in the grid's list, where that is known. */
export function selectRow(row: number, position: number | null): void {
  const { selected } = get();
  set({ position });
  if (selected?.type === 'row' && selected.row === row) return;
  set({ selected: { type: 'row', row } });
  recordRead = readRecord();
}

/** Selects a row that comes from the snapshot. */
export function selectProvisional(named: { id: string; offset: string }, position: number | null): void {
  const { selected } = get();
  set({ position });
  if (selected?.type === 'provisional' && selected.id === named.id && selected.offset === named.offset) return;
  set({ selected: { type: 'provisional', ...named } });
  recordRead = readRecord();
}

export function selectDraft(id: string, position: number | null): void {
  reading?.abort();
  set({ selected: { type: 'draft', id }, position, record: null, recordFailure: null, tab: 'payload' });
}

let recordRead: Promise<void> = Promise.resolve();

/** The id of what is selected, once it is known: who acts right after selecting means that record, not the one shown before. */
export async function selectedId(): Promise<string | null> {
  for (let waited: Promise<void> | null = null; waited !== recordRead; ) {
    waited = recordRead;
    await waited;
  }
  const { selected, record } = get();
  return selected?.type === 'draft' ? selected.id : (record?.id ?? null);
}

/** Reads the record of what is selected. */
async function readRecord(): Promise<void> {
  const { session, selected } = get();
  if (!session || !selected || selected.type === 'draft') return;
  reading?.abort();
  const controller = new AbortController();
  reading = controller;
  try {
    const { signal } = controller;
    const record =
      selected.type === 'row'
        ? await call('record.read', { session, row: selected.row }, { signal })
        : await call('record.readAt', { session, id: selected.id, offset: selected.offset }, { signal });
    if (reading !== controller) return;
    set({ record, recordFailure: null });
    // The scan has come to it: from here on it is a row like any other.
    if (selected.type === 'provisional' && record.row !== null) set({ selected: { type: 'row', row: record.row } });
  } catch (thrown) {
    const error = toErrorValue(thrown);
    if (reading === controller && error.code !== 'CANCELLED') set({ record: null, recordFailure: error });
  }
}

function placeOf(selected: Exclude<Selected, { type: 'draft' }>): Params<'records.locate'>['target'] {
  return selected.type === 'row' ? { by: 'row', row: selected.row } : { by: 'offset', offset: selected.offset };
}

/** After the list changed: where the selected row stands in it now, and its record as it is now. */
async function followSelection(reveal = true): Promise<void> {
  const { session, query, selected } = get();
  if (!session || !query || !selected || selected.type === 'draft') return;
  const target = await call('records.locate', { session, query: query.name, target: placeOf(selected) }).catch(
    () => null,
  );
  const now = get();
  if (now.query?.name !== query.name || now.selected !== selected) return;
  // Where it stands as before, the person may be on the way to another row: the list must not jump back.
  if (reveal && target?.position != null && target.position !== now.position) {
    set({ reveal: { position: target.position, focus: false, serial: ++revealSerial } });
  }
  set({ position: target?.position ?? null });
  recordRead = readRecord();
}

/** Where something stands in the list that is shown by the time the answer is here: it may have been made anew meanwhile. */
async function locate(session: string, target: Params<'records.locate'>['target']): Promise<Result<'records.locate'>> {
  for (;;) {
    const name = get().query?.name;
    if (name === undefined) return { position: null, row: null };
    const found = await call('records.locate', { session, query: name, target }).catch((thrown: unknown) => {
      if (get().query?.name === name) throw thrown;
      return null;
    });
    if (found && get().query?.name === name) return found;
  }
}

/**
 * Goes to an id's current record, an offset or a table row. Where the list does not hold it, its filters are taken off first, and
 * said so. Returns whether there is such a record.
 */
export async function goTo(
  target: { by: 'id'; id: string } | { by: 'offset'; offset: string } | { by: 'row'; row: number },
  options: {
    focus?: boolean /** Not where the person selected something else meanwhile. */;
    unlessMoved?: boolean;
  } = {},
): Promise<boolean> {
  const { selected } = get();
  // The list of drafts holds no rows of the log to go to.
  if (get().chip === 'drafts') {
    set({ chip: 'all' });
    await refreshQuery();
  }
  const { session, query } = get();
  if (!session || !query) return false;
  try {
    let found = await locate(session, target);
    const filtered = get().chip !== 'all' || get().search.kind === 'filter';
    if (found.position === null && !filtered && found.provisional) {
      // The list was made before the snapshot was read.
      await refreshQuery();
      found = await locate(session, target);
    } else if (found.position === null && filtered) {
      set({ chip: 'all', search: { kind: 'none' }, searchText: '' });
      await refreshQuery();
      found = await locate(session, target);
      if (found.position !== null) announce('The filters were taken off to show it.');
    }
    if (options.unlessMoved && get().selected !== selected) return true;
    if (found.provisional) selectProvisional(found.provisional, found.position);
    else if (found.row !== null) selectRow(found.row, found.position);
    else {
      const words =
        target.by === 'id'
          ? `id ${target.id}`
          : target.by === 'offset'
            ? formatOffset(target.offset)
            : `row ${target.row}`;
      const scanning = get().summary?.phase === 'scanning';
      notify({
        tone: 'plain',
        text: scanning ? `The scan has not come to ${words} yet.` : `There is nothing at ${words} in this log.`,
      });
      announce(scanning ? `Nothing at ${words} so far.` : `Nothing at ${words}.`);
      return false;
    }
    if (found.position !== null) {
      set({ reveal: { position: found.position, focus: options.focus ?? false, serial: ++revealSerial } });
    }
    return true;
  } catch (thrown) {
    report(thrown);
    return false;
  }
}

export function showTab(tab: Tab): void {
  set({ tab });
}

/** The damage after (or before) a row, in file order and around the ends; null where there is none. */
async function damageNextTo(row: number, direction: 1 | -1): Promise<Damage | null> {
  const { session } = get();
  if (!session) return null;
  const page = async (from: number, count: number) => call('damage.list', { session, from, count });
  const { total } = await page(0, 1);
  if (total === 0) return null;
  // damage.list is in file order: a binary search by row, whatever the number of damaged segments.
  let low = 0;
  let high = total;
  while (low < high) {
    const middle = (low + high) >> 1;
    const at = (await page(middle, 1)).damage[0];
    if (at && at.row <= row - (direction === -1 ? 1 : 0)) low = middle + 1;
    else high = middle;
  }
  const index = direction === 1 ? low % total : (low - 1 + total) % total;
  return (await page(index, 1)).damage[0] ?? null;
}

let walk: Promise<void> = Promise.resolve();

/** F8 and Shift+F8: goes to the next or previous damage and says what it is. Pressed twice, it goes twice, however fast. */
export function walkDamage(direction: 1 | -1): Promise<void> {
  walk = walk.then(() => walkOneDamage(direction));
  return walk;
}

async function walkOneDamage(direction: 1 | -1): Promise<void> {
  // From the selected row, not from the record shown: that may still be on its way.
  const { selected, summary } = get();
  if (!summary) return;
  try {
    const from = selected?.type === 'row' ? selected.row : direction === 1 ? -1 : Number.MAX_SAFE_INTEGER;
    const damage = await damageNextTo(from, direction);
    if (!damage) {
      announce('No damage in this log.');
      notify({ tone: 'good', text: 'No damage in this log.' });
      return;
    }
    useApplication.setState({ page: 'records' });
    set({ tab: 'repair' });
    await goTo({ by: 'row', row: damage.row }, { focus: true });
    announce(`${damage.title}. ${damage.explanation}`);
  } catch (thrown) {
    report(thrown);
  }
}

// ---------------------------------------------------------------- switches

/** Sends a call that answers with a summary, and takes it. */
export async function withSummary(work: (session: string) => Promise<Summary>): Promise<Summary | null> {
  const { session } = get();
  if (!session) return null;
  try {
    const summary = await work(session);
    takeSummary(summary);
    return summary;
  } catch (thrown) {
    report(thrown);
    return null;
  }
}

export async function setView(view: View): Promise<void> {
  useApplication.setState({ view });
  void call('settings.set', { view }).catch(() => {});
  await withSummary((session) => call('session.setView', { session, view }));
}

/** Turns writing on or off; a refusal is explained in a dialog that offers what can be done. */
export async function setWriting(on: boolean, next: (() => void) | null = null): Promise<boolean> {
  const { session } = get();
  if (!session) return false;
  try {
    const summary = await call('writing.set', { session, on });
    takeSummary(summary);
    if (on && !summary.writing.on) {
      showDialog({ name: 'writing', refusal: summary.writing.refusal, next });
      return false;
    }
    announce(on ? 'Writing is on.' : 'Writing is off.');
    return true;
  } catch (thrown) {
    showDialog({ name: 'writing', refusal: toErrorValue(thrown), next });
    return false;
  }
}

export function setDurability(durability: Durability): void {
  void withSummary((session) => call('writing.setDurability', { session, durability }));
}

export function setFollow(on: boolean): void {
  void withSummary((session) => call('session.setFollow', { session, on }));
}

export function rescan(): void {
  void withSummary((session) => call('session.rescan', { session }));
}

/** Where the selection stands, for people who read numbers: "row 12 of 48,211". */
export function positionWords(): string {
  const { position, query } = get();
  return position === null || !query ? '' : `row ${formatCount(position + 1)} of ${formatCount(query.total)}`;
}
