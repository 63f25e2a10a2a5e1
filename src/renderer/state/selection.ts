import { toErrorValue } from '../../shared/errors.ts';
import type { Params } from '../../shared/protocol.ts';
import { call } from '../connection/current.ts';
import { type Selected, type Tab, useSession } from './session-state.ts';

const set = useSession.setState;
const get = useSession.getState;

let revealSerial = 0;

/** Asks the grid to bring a position into view, and to put the focus there where that is wanted. */
export function reveal(position: number, focus: boolean): void {
  set({ reveal: { position, focus, serial: ++revealSerial } });
}

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

/** A selected row as `records.locate` takes it. */
export function placeOf(selected: Exclude<Selected, { type: 'draft' }>): Params<'records.locate'>['target'] {
  return selected.type === 'row' ? { by: 'row', row: selected.row } : { by: 'offset', offset: selected.offset };
}

/** After the list changed: where the selected row stands in it now, and its record as it is now. */
export async function followSelection(showIt = true): Promise<void> {
  const { session, query, selected } = get();
  if (!session || !query || !selected || selected.type === 'draft') return;
  const target = await call('records.locate', { session, query: query.name, target: placeOf(selected) }).catch(
    () => null,
  );
  const now = get();
  if (now.query?.name !== query.name || now.selected !== selected) return;
  // Where it stands as before, the person may be on the way to another row: the list must not jump back.
  if (showIt && target?.position != null && target.position !== now.position) reveal(target.position, false);
  set({ position: target?.position ?? null });
  recordRead = readRecord();
}

export function showTab(tab: Tab): void {
  set({ tab });
}
