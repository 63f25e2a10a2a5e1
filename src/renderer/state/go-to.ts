import type { Damage, Params, Result } from '../../shared/protocol.ts';
import { formatOffset } from '../components/format.ts';
import { call } from '../connection/current.ts';
import { parseSearch } from '../features/search/parse-search.ts';
import { announce } from './announcements.ts';
import { notify, report, useApplication } from './application.ts';
import { refreshQuery } from './records-list.ts';
import { reveal, selectProvisional, selectRow } from './selection.ts';
import { useSession } from './session-state.ts';

const set = useSession.setState;
const get = useSession.getState;

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
    if (found.position !== null) reveal(found.position, options.focus ?? false);
    return true;
  } catch (thrown) {
    report(thrown);
    return false;
  }
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
