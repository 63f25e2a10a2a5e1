import { beforeAll, beforeEach, expect, test } from 'vitest';
import { setConnection } from '../../connection/current.ts';
import { useSession } from '../../state/session-state.ts';
import { createFixture } from '../../testing/client.fixture.ts';
import { followSession, useAccepted } from './accepted.ts';

let { client, summary } = createFixture(100);
const accepted = () => [...useAccepted.getState().accepted];
const phase = (session: string, at: 'scanning' | 'ready') =>
  useSession.setState({ session, summary: { ...summary, session, phase: at } });

beforeAll(() => {
  useSession.subscribe(followSession);
});
beforeEach(async () => {
  ({ client, summary } = createFixture(100));
  setConnection({ client, openDropped: null, platform: 'other', onLost: () => {} });
  useSession.setState({ session: null, summary: null });
  await client.call('damage.accept', { session: 's1', row: 7, index: 2 });
});

test('what was accepted before the window was reloaded is there again once the log has been read', async () => {
  phase('s1', 'scanning');
  expect(accepted()).toEqual([]);
  phase('s1', 'ready');
  await expect.poll(accepted).toEqual([[7, 2]]);
});

test('what was accepted is asked for again when the log is read anew', async () => {
  phase('s1', 'ready');
  await expect.poll(accepted).toEqual([[7, 2]]);
  await client.call('damage.accept', { session: 's1', row: 7, index: null });
  await client.call('damage.accept', { session: 's1', row: 5, index: 0 });
  phase('s1', 'scanning');
  phase('s1', 'ready');
  await expect.poll(accepted).toEqual([[5, 0]]);
});

test('what was accepted in one collection is not shown in another', async () => {
  phase('s1', 'ready');
  await expect.poll(accepted).toEqual([[7, 2]]);
  phase('s2', 'scanning');
  expect(accepted()).toEqual([]);
});
