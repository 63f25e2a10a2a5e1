// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Method, Params, Result, Summary } from '../../shared/protocol.ts';
import { setConnection } from '../connection/current.ts';
import { createFixture, type Fixture } from '../testing/client.fixture.ts';
import { collectionFixture } from '../testing/collection.fixture.ts';
import { applySearch } from './go-to.ts';
import { cancelSearch, isBehind, setOrder, takeQueryEvent } from './records-list.ts';
import { closeSession, openCollection, takeSummary } from './session.ts';
import { useSession } from './session-state.ts';

/** Lists that are shown while the log they are made of goes on: what was scanned since must come into them, or be said to be missing. */

const TOTAL = 1_000;
let fixture: Fixture;
/** What the next lists answer; the fixture's own answer, complete at once, where there is none. */
let answers: Partial<Result<'records.query'>>[];
let summary: Summary;

const collection = collectionFixture();

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  fixture = createFixture(TOTAL);
  answers = [];
  const client = {
    ...fixture.client,
    async call<M extends Method>(method: M, params: Params<M>): Promise<Result<M>> {
      const answer = await fixture.client.call(method, params);
      return method === 'records.query' ? { ...answer, ...answers.shift() } : answer;
    },
  };
  setConnection({ client, openDropped: null, platform: 'other', onLost: () => {} });
  await openCollection('d1', collection);
  summary = fixture.summary;
});

afterEach(async () => {
  await closeSession();
  vi.useRealTimers();
});

/** The engine says how the log stands now. */
function tell(change: Partial<Summary>): void {
  Object.assign(summary, change, { revision: summary.revision + 1 });
  takeSummary({ ...summary });
}
const scanned = (rows: number) => ({ counts: { ...summary.counts, all: rows } });
const queries = () => fixture.calls.filter(({ method }) => method === 'records.query').length;
const shown = () => useSession.getState().query!;
const turn = () => vi.advanceTimersByTimeAsync(0);

test('a search that is through when the scan is over is made again, and only then holds all', async () => {
  tell({ phase: 'scanning', ...scanned(400) });
  answers = [{ total: 40, complete: false }];
  applySearch('report');
  await turn();
  const { name } = shown();
  tell({ phase: 'ready', ...scanned(TOTAL) });
  await vi.advanceTimersByTimeAsync(5_000);
  // Not begun again while it runs: on a log that grows it would never end.
  expect(shown().name).toBe(name);
  expect(isBehind(useSession.getState())).toBe(true);

  takeQueryEvent({ query: name, total: 60, complete: true, error: null });
  await vi.advanceTimersByTimeAsync(1_000);
  expect(shown().name).not.toBe(name);
  expect(isBehind(useSession.getState())).toBe(false);
});

test('a search that was stopped stays as it is, however the log goes on', async () => {
  tell({ phase: 'scanning', ...scanned(400) });
  answers = [{ total: 40, complete: false }];
  applySearch('report');
  await turn();
  cancelSearch();
  const made = queries();
  for (const rows of [500, 1_000, 4_000]) {
    tell({ phase: rows === 4_000 ? 'ready' : 'scanning', ...scanned(rows) });
    await vi.advanceTimersByTimeAsync(3_000);
  }
  expect(queries()).toBe(made);
  expect(shown()).toMatchObject({ stopped: true, total: 40 });
});

test('beside a scan a sorted list is made anew when there is twice as much to sort, and at the end', async () => {
  tell({ phase: 'scanning', ...scanned(100) });
  setOrder({ by: 'id', direction: 'ascending' });
  await turn();
  const made = queries();
  for (let rows = 110; rows < 200; rows += 10) {
    tell(scanned(rows));
    await vi.advanceTimersByTimeAsync(1_500);
  }
  expect(queries()).toBe(made);
  expect(isBehind(useSession.getState())).toBe(true);
  tell(scanned(200));
  await vi.advanceTimersByTimeAsync(1_500);
  expect(queries()).toBe(made + 1);
  tell({ phase: 'ready', ...scanned(210) });
  await vi.advanceTimersByTimeAsync(1_500);
  expect(queries()).toBe(made + 2);
  expect(isBehind(useSession.getState())).toBe(false);
});

test('rows that are not sorted yet never stand under a header that says they are', async () => {
  const before = shown().name;
  answers = [{ complete: false }];
  setOrder({ by: 'size', direction: 'ascending' });
  await turn();
  expect(shown().name).toBe(before);
  const made = fixture.calls.filter(({ method }) => method === 'records.query').at(-1)!;
  const waited = `q${fixture.calls.indexOf(made) + 1}`;
  takeQueryEvent({ query: waited, total: TOTAL, complete: true, error: null });
  await turn();
  expect(shown()).toMatchObject({ name: waited, complete: true });
});

test('a sort that is stopped leaves the list, and its header, as they were', async () => {
  const before = shown().name;
  answers = [{ complete: false }];
  setOrder({ by: 'size', direction: 'ascending' });
  await turn();
  cancelSearch();
  await turn();
  expect(shown().name).toBe(before);
  expect(useSession.getState()).toMatchObject({ order: { by: 'offset', direction: 'ascending' }, querying: false });
});

test('hits that were shown as they came are fetched again once they are sorted', async () => {
  setOrder({ by: 'id', direction: 'ascending' });
  await turn();
  answers = [{ total: 500, complete: false }];
  applySearch('report');
  await turn();
  const source = useSession.getState().source!;
  source.want(0, 10);
  await turn();
  expect(source.get(0)).toBeDefined();
  takeQueryEvent({ query: shown().name, total: 500, complete: true, error: null });
  expect(source.get(0)).toBeUndefined();
});
