// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { VelescopeError } from '../../shared/errors.ts';
import type { Database, Method, Params, Result } from '../../shared/protocol.ts';
import type { Connection } from '../connection/connect.ts';
import { createFixture, type Fixture } from '../testing/client.fixture.ts';
import { useApplication } from './application.ts';
import { selectCollection } from './directory.ts';
import { openDocument, type PayloadDocument } from './documents.ts';
import { careFor } from './reconnecting.ts';
import { closeSession, openCollection } from './session.ts';
import { useSession } from './session-state.ts';

/** The window over a connection that breaks: which drafts are made of what was typed meanwhile, and where. */

let database: Database;
let answer: <M extends Method>(method: M, params: Params<M>) => Result<M> | undefined;
let connections: { fixture: Fixture; breakOff(): void }[];

function connect(): Promise<Connection> {
  const fixture = createFixture(100);
  const summary = { ...fixture.summary, session: `s${connections.length + 1}` };
  let lost = (_reason: string) => {};
  connections.push({ fixture, breakOff: () => lost('It is gone.') });
  const client = {
    ...fixture.client,
    async call<M extends Method>(method: M, params: Params<M>): Promise<Result<M>> {
      const own = answer(method, params);
      const given = method === 'session.open' || method === 'session.summary' ? summary : undefined;
      const usual = method === 'database.list' ? database : given;
      return own ?? (usual as Result<M> | undefined) ?? fixture.client.call(method, params);
    },
  };
  const onLost = (listener: (reason: string) => void) => {
    lost = listener;
  };
  return Promise.resolve({ client, openDropped: null, platform: 'other', onLost });
}

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  vi.stubGlobal('fetch', () => Promise.resolve(new Response()));
  connections = [];
  answer = () => undefined;
  careFor(await connect(), { connect, takeEvent: () => {} });
  database = (await connections[0]!.fixture.client.call('directory.initial', {}))!;
  useApplication.setState({ database });
  await openCollection('d1', database.collections[0]!);
});
afterEach(async () => {
  await vi.advanceTimersByTimeAsync(10_000);
  await closeSession();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

function type(id: string, text: string): PayloadDocument {
  const document = openDocument(id, { offset: '0', text: '""' }, '""');
  document.dispatch({ changes: { from: 1, insert: text } });
  return document;
}
const breakOff = () => connections.at(-1)!.breakOff();
const drafts = () =>
  connections.at(-1)!.fixture.calls.flatMap(({ method, params }) => {
    if (method !== 'drafts.put') return [];
    const { session, draft } = params as Params<'drafts.put'>;
    return [{ session, id: draft.id, text: draft.text }];
  });

test('what was typed meanwhile becomes a draft of the session that took the place of the lost one', async () => {
  breakOff();
  type('1', 'meanwhile');
  await vi.advanceTimersByTimeAsync(1_500);
  expect(drafts()).toEqual([]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(drafts()).toEqual([{ session: 's2', id: '1', text: '"meanwhile"' }]);
});

test('what was typed in a collection that was left comes into no other', async () => {
  breakOff();
  type('1', 'meanwhile');
  await closeSession();
  await vi.advanceTimersByTimeAsync(1_900);
  useSession.setState({ session: 's-other', collection: database.collections[1]! });
  await vi.advanceTimersByTimeAsync(5_000);
  expect(connections).toHaveLength(2);
  expect(drafts()).toEqual([]);
});

test('a collection is not left while what was typed in it could not be kept, and why is said', async () => {
  breakOff();
  type('1', 'meanwhile');
  await selectCollection('c2');
  expect(useSession.getState().collection).toMatchObject({ collection: 'c1' });
  expect(useApplication.getState().notices.at(-1)?.text).toContain('What you typed could not be kept yet');
  await vi.advanceTimersByTimeAsync(3_000);
  expect(drafts()).toEqual([{ session: 's2', id: '1', text: '"meanwhile"' }]);
  await selectCollection('c2');
  expect(useSession.getState().collection).toMatchObject({ collection: 'c2' });
});

test('where the collection does not open again, the text stays on the screen, and becomes a draft once it does', async () => {
  breakOff();
  type('1', 'meanwhile');
  answer = (method) => {
    if (method === 'session.open') throw new VelescopeError('IO_ERROR', 'It is away.');
    return undefined;
  };
  await vi.advanceTimersByTimeAsync(7_000);
  expect(useApplication.getState().lost).toEqual({ state: 'elsewhere', reason: 'It is away.' });
  expect(useSession.getState().failure).toBeNull();
  answer = () => undefined;
  await vi.advanceTimersByTimeAsync(3_000);
  expect(useApplication.getState().lost).toBeNull();
  expect(drafts()).toEqual([{ session: 's2', id: '1', text: '"meanwhile"' }]);
});

test('a Velescope that was started anew knows the directory by another name: it is found by its path', async () => {
  breakOff();
  type('1', 'meanwhile');
  const anew = {
    ...database,
    database: 'd9',
    collections: database.collections.map((one) => ({ ...one, collection: `${one.collection}-anew` })),
  };
  answer = ((method: Method, params: { database?: string }) => {
    if (method === 'directory.initial') return anew;
    if (params.database === 'd1') throw new VelescopeError('NO_SUCH_DATABASE', 'This directory is not open any more.');
    return undefined;
  }) as typeof answer;
  await vi.advanceTimersByTimeAsync(3_000);
  expect(useSession.getState()).toMatchObject({ database: 'd9', collection: { collection: 'c1-anew' } });
  expect(drafts()).toEqual([{ session: 's2', id: '1', text: '"meanwhile"' }]);
});
