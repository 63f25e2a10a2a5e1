// @vitest-environment happy-dom
import { beforeEach, expect, test } from 'vitest';
import type { Method, Params, Result } from '../../shared/protocol.ts';
import { setConnection } from '../connection/current.ts';
import { createFixture } from '../testing/client.fixture.ts';
import { collectionFixture } from '../testing/collection.fixture.ts';
import { closeSession, openCollection } from './session.ts';
import { useSession } from './session-state.ts';

/** Collections that are picked faster than they open. */

const named = (name: string) => collectionFixture({ collection: name, name });

/** Sessions of the engine, by the collection they were opened for. Opening and closing are not done at once. */
let open: string[];

beforeEach(() => {
  const fixture = createFixture(10);
  open = [];
  const client = {
    ...fixture.client,
    async call<M extends Method>(method: M, params: Params<M>): Promise<Result<M>> {
      if (method !== 'session.open' && method !== 'session.close') return fixture.client.call(method, params);
      await new Promise((resolve) => setTimeout(resolve));
      if (method === 'session.close') {
        const { session } = params as Params<'session.close'>;
        open = open.filter((name) => name !== session);
        return {} as Result<M>;
      }
      const { collection } = params as Params<'session.open'>;
      open.push(collection);
      return { ...(await fixture.client.call(method, params)), session: collection };
    },
  };
  setConnection({ client, openDropped: null, platform: 'other', onLost: () => {} });
});

test('the collection that was picked last is the one that is open, and no other stays open behind it', async () => {
  await openCollection('d1', named('first'));
  expect(useSession.getState().session).toBe('first');
  await Promise.all(['second', 'third', 'fourth'].map((name) => openCollection('d1', named(name))));
  expect(useSession.getState()).toMatchObject({ session: 'fourth', collection: { name: 'fourth' } });
  expect(open).toEqual(['fourth']);
  // One that was picked when the one before was on the way already.
  const fifth = openCollection('d1', named('fifth'));
  await new Promise((resolve) => setTimeout(resolve, 5));
  await Promise.all([fifth, openCollection('d1', named('sixth'))]);
  expect(useSession.getState().session).toBe('sixth');
  await closeSession();
  expect(open).toEqual([]);
});
