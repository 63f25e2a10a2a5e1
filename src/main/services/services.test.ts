import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Client, createClient, createServer } from '../../shared/connection.ts';
import type { ProtocolEvent, Summary } from '../../shared/protocol.ts';
import { createServices } from './index.ts';
import type { Services } from './services-type.ts';
import { workerUrl } from './worker-url.ts';

const SAMPLE = new URL('../../../resources/sample', import.meta.url).pathname;
const DAMAGED = new URL('../../../resources/damaged', import.meta.url).pathname;

/** A window's end of the protocol, over the real services and a real worker, without a socket. */
function connect(services: Services): { client: Client; events: ProtocolEvent[]; close(): void } {
  const events: ProtocolEvent[] = [];
  // Both directions pass through the copy that a process boundary makes.
  const { client, receive } = createClient((request) => server.receive(structuredClone(request)));
  const server = createServer(services.handlers, (response) => setImmediate(() => receive(structuredClone(response))));
  services.onEvent((event) => server.event(event));
  client.onEvent((event) => events.push(event));
  return { client, events, close: () => server.close() };
}

describe.skipIf(!existsSync(SAMPLE))('a window over the services', () => {
  let root: string;
  let services: Services;
  let window: ReturnType<typeof connect>;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'velescope-services-'));
    cpSync(SAMPLE, join(root, 'sample'), { recursive: true });
    cpSync(DAMAGED, join(root, 'damaged'), { recursive: true });
    services = createServices({
      door: 'browser',
      readOnly: false,
      root,
      initial: join(root, 'sample'),
      ports: {},
      settingsDirectory: join(root, '.settings'),
    });
    window = connect(services);
  });
  afterEach(async () => {
    window.close();
    await services.close();
    rmSync(root, { recursive: true, force: true });
  });

  async function open(name: string): Promise<Summary> {
    const { client } = window;
    const database = (await client.call('directory.initial', {}))!;
    const collection = database.collections.find((entry) => entry.name === name)!;
    const opened = await client.call('session.open', {
      database: database.database,
      collection: collection.collection,
      view: 'v3.12',
    });
    return ready(opened.session);
  }

  async function ready(session: string): Promise<Summary> {
    for (;;) {
      const summary = await window.client.call('session.summary', { session });
      if (summary.phase === 'ready' || summary.phase === 'failed') return summary;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  const byOffset = { by: 'offset', direction: 'ascending' } as const;

  it('makes an export ready for download, and leaves no copy of payloads behind when it ends', async () => {
    const { session } = await open('articles');
    const made = (await window.client.call('export.records', { session, query: null, rows: null }))!;
    expect(made).toMatchObject({ path: null, records: expect.any(Number) });
    const download = services.download(made.download!)!;
    const path = 'path' in download ? download.path : '';
    expect(download.fileName).toBe('articles.ndjson');
    expect(readFileSync(path)).toHaveLength(made.bytes);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await services.close();
    expect(existsSync(dirname(path))).toBe(false);
  });

  it('lists the collections of a database and opens one', async () => {
    const database = (await window.client.call('directory.initial', {}))!;
    expect(database.kind).toBe('root');
    expect(database.collections.length).toBeGreaterThan(3);
    const summary = await open('articles');
    expect(summary.phase).toBe('ready');
    expect(summary.log.records).toBeGreaterThan(0);
    expect(Object.keys(summary.outcomes).sort()).toEqual(['salvage', 'v1.16', 'v1.17', 'v1.6', 'v3.12', 'v8.0']);
  });

  it('pages through records, reads one, and tells its history', async () => {
    const { session } = await open('articles');
    const { client } = window;
    const query = await client.call('records.query', { session, filter: {}, order: byOffset });
    const page = await client.call('records.page', { session, query: query.query, from: 0, count: 10 });
    expect(page.rows).toHaveLength(10);
    const first = page.rows[0]!;
    const record = await client.call('record.read', { session, row: first.row! });
    expect(record.crc?.matches).toBe(true);
    expect(record.check?.state).toBe('ok');
    const history = await client.call('record.history', { session, id: first.id! });
    expect(history.rows.map((row) => row.row)).toContain(first.row);
    const found = await client.call('records.locate', {
      session,
      query: query.query,
      target: { by: 'id', id: first.id! },
    });
    expect(found.position).not.toBeNull();
  });

  it('sorts by every column in both directions', async () => {
    const { session } = await open('articles');
    const keys = {
      id: (row: { id?: string }) => BigInt(row.id ?? 0),
      size: (row: { length: number }) => BigInt(row.length),
    };
    for (const by of ['id', 'size'] as const) {
      for (const direction of ['ascending', 'descending'] as const) {
        const { query, total } = await window.client.call('records.query', {
          session,
          filter: {},
          order: { by, direction },
        });
        const { rows } = await window.client.call('records.page', {
          session,
          query,
          from: 0,
          count: Math.min(1000, total),
        });
        const values = rows.map(keys[by]);
        const sorted = values.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
        expect(values).toEqual(direction === 'ascending' ? sorted : sorted.reverse());
      }
    }
  });

  it('finds text in payloads, and places by path', async () => {
    const { session } = await open('articles');
    const { client } = window;
    const all = await client.call('records.query', { session, filter: {}, order: byOffset });
    const { rows } = await client.call('records.page', { session, query: all.query, from: 0, count: 1000 });
    const needle = rows.find((row) => row.kind === 'store')!.preview.slice(2, 8);
    const expected = rows.filter((row) => row.kind === 'store' && row.preview.includes(needle)).length;
    const hits = await client.call('records.query', { session, filter: { text: needle }, order: byOffset });
    expect(hits.complete).toBe(true);
    expect(hits.total).toBeGreaterThanOrEqual(expected);
    await expect(
      client.call('records.query', { session, filter: { path: 'no dollar' }, order: byOffset }),
    ).rejects.toMatchObject({ code: 'BAD_QUERY' });
  });

  it('keeps a draft through a restart, writes it as one batch, and takes it back', async () => {
    const { client } = window;
    const { session } = await open('articles');
    const log = join(root, 'sample', 'articles', 'payloads.log');
    const before = readFileSync(log);
    const base = null;
    await client.call('drafts.put', {
      session,
      draft: { id: '18446744073709551615', action: 'store', text: '{"n":1.10}', base },
    });
    await client.call('drafts.put', { session, draft: { id: '77', action: 'store', text: '[1e2]', base } });
    await client.call('session.close', { session });

    const again = await open('articles');
    const kept = await client.call('drafts.list', { session: again.session });
    expect(kept.map((draft) => draft.id).sort()).toEqual(['18446744073709551615', '77']);
    const ids = kept.map((draft) => draft.id);
    await ready(again.session);
    const review = await client.call('drafts.review', { session: again.session });
    const overwrite = Object.fromEntries(review.map(({ draft, current }) => [draft.id, current?.offset ?? null]));
    await expect(client.call('drafts.write', { session: again.session, ids, overwrite })).rejects.toMatchObject({
      code: 'WRITING_OFF',
    });
    expect(readFileSync(log).equals(before)).toBe(true);

    await client.call('writing.set', { session: again.session, on: true });
    const written = await client.call('drafts.write', { session: again.session, ids, overwrite });
    expect(written).toMatchObject({ written: 2, state: 'saved' });
    expect(statSync(log).size).toBe(before.length + 17 + 10 + 17 + 5);
    const history = await client.call('record.history', { session: again.session, id: '18446744073709551615' });
    expect(history.rows.at(-1)).toMatchObject({ preview: '{"n":1.10}', state: 'live' });

    await client.call('writing.undoLast', { session: again.session, leaveOut: false });
    const undone = await client.call('record.history', { session: again.session, id: '18446744073709551615' });
    expect(undone.rows.at(-1)).toMatchObject({ kind: 'delete' });
    const snapshot = await client.call('snapshot.create', { session: again.session });
    expect(snapshot.walPosition).toBe(String(statSync(log).size));
    expect((await ready(again.session)).snapshot.state).toBe('valid');
  });

  it('refuses to write a payload that VelesDB would not read', async () => {
    const { client } = window;
    const { session } = await open('articles');
    await client.call('writing.set', { session, on: true });
    const id = '999999';
    await client.call('drafts.put', { session, draft: { id, action: 'store', text: '{"a":1e309}', base: null } });
    await expect(client.call('drafts.write', { session, ids: [id] })).rejects.toMatchObject({
      code: 'PAYLOAD_REFUSED',
    });
  });

  it('ends the sessions of a window that went away', async () => {
    const { session } = await open('articles');
    window.close();
    window = connect(services);
    await expect(window.client.call('session.summary', { session })).rejects.toMatchObject({ code: 'NO_SUCH_SESSION' });
  });

  it('keeps no session whose opening was cancelled', async () => {
    const { client, events } = window;
    const { database, collections } = (await client.call('directory.initial', {}))!;
    const { collection } = collections[0]!;
    const stop = new AbortController();
    const opened = client.call('session.open', { database, collection, view: 'v3.12' }, { signal: stop.signal });
    stop.abort();
    await expect(opened).rejects.toMatchObject({ code: 'CANCELLED' });
    await expect.poll(() => events.some(({ event }) => event === 'session'), { timeout: 10_000 }).toBe(true);
    const { session } = events.find((event) => event.event === 'session')!;
    const answer = () =>
      client.call('session.summary', { session }).then(
        () => 'open',
        (thrown: { code: string }) => thrown.code,
      );
    await expect.poll(answer).toBe('NO_SUCH_SESSION');
  });

  it('does not break when a window goes away while badges are being worked out', async () => {
    const unhandled: unknown[] = [];
    const listener = (reason: unknown) => unhandled.push(reason);
    process.on('unhandledRejection', listener);
    try {
      const { client } = window;
      const database = (await client.call('directory.initial', {}))!;
      const asked = database.collections.map((entry) =>
        client.call('database.health', { database: database.database, collection: entry.collection }).catch(() => null),
      );
      await asked[0];
      window.close();
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(unhandled).toEqual([]);
    } finally {
      process.off('unhandledRejection', listener);
    }
    window = connect(services);
    expect(await window.client.call('directory.initial', {})).not.toBeNull();
  });

  it('lists no folder outside the served root', async () => {
    const { places, parent } = await window.client.call('directory.places', { place: null });
    expect(parent).toBeNull();
    expect(places.map((place) => place.name).sort()).toEqual(
      ['.settings', 'damaged', 'sample'].filter((name) => existsSync(join(root, name))),
    );
    await expect(window.client.call('directory.open', { place: '/etc' })).rejects.toMatchObject({
      code: 'NO_SUCH_PLACE',
    });
  });
});

it('the session worker is built', () => {
  expect(existsSync(workerUrl('session'))).toBe(true);
});
