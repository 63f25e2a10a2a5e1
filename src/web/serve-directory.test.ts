import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { type Client, createClient } from '../shared/connection.ts';
import type { Database, Summary } from '../shared/protocol.ts';
import { serveDirectory } from './index.ts';
import type { RunningServer } from './serve.ts';

/**
 * The real services behind real sockets: what the served root and --read-only promise, asked for by a client that keeps to no
 * rules. Needs the built window and worker (npm test builds them first).
 */

const sample = join(import.meta.dirname, '..', '..', 'resources', 'sample');

let base: string;
let served: string;
let running: RunningServer | null = null;
let sockets: WebSocket[] = [];

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'velescope-served-'));
  served = join(base, 'served');
  cpSync(join(sample, 'people'), join(served, 'database', 'people'), { recursive: true });
  cpSync(join(sample, 'people'), join(base, 'secret', 'people'), { recursive: true });
  mkdirSync(join(served, 'empty'));
});
afterEach(async () => {
  for (const socket of sockets) socket.terminate();
  sockets = [];
  await running?.close();
  running = null;
  rmSync(base, { recursive: true, force: true });
});

/** Serves a directory and connects as a page does: the printed address, its cookie, the socket. */
async function connect(directory: string, readOnly = false): Promise<Client> {
  running = await serveDirectory({ directory, readOnly, settingsDirectory: join(base, 'settings') });
  const signedIn = await fetch(running.url, { redirect: 'manual' });
  const cookie = signedIn.headers.getSetCookie()[0]!.split(';')[0]!;
  const socket = new WebSocket(`ws://127.0.0.1:${running.port}/protocol`, { headers: { cookie } });
  sockets.push(socket);
  const { client, receive } = createClient((request) => socket.send(JSON.stringify(request)));
  socket.on('message', (data) => receive(JSON.parse(data.toString())));
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  return client;
}

/** Opens a collection and waits until its log was scanned. */
async function openCollection(client: Client, database: Database): Promise<Summary> {
  const { collection } = database.collections[0]!;
  let summary = await client.call('session.open', { database: database.database, collection, view: 'v3.12' });
  const { session } = summary;
  await expect
    .poll(async () => {
      summary = await client.call('session.summary', { session });
      return summary.phase;
    })
    .toBe('ready');
  return summary;
}

/** Every place that can be reached from the root by walking down. */
async function walk(client: Client): Promise<{ names: string[]; places: string[] }> {
  const names: string[] = [];
  const places: string[] = [];
  const visit = async (place: string | null, depth: number): Promise<void> => {
    if (depth > 6) return;
    const found = await client.call('directory.places', { place });
    for (const child of found.places) {
      names.push(child.name);
      places.push(child.place);
      await visit(child.place, depth + 1);
    }
  };
  await visit(null, 0);
  return { names, places };
}

describe('attack: out of the served directory', () => {
  test('the root has no parent, and walking down never meets what lies beside it', async () => {
    const client = await connect(served);
    expect(await client.call('directory.places', { place: null })).toMatchObject({ parent: null });
    const { names } = await walk(client);
    expect(names).toContain('people');
    expect(names).not.toContain('secret');
  });

  test('a link that leads out, absolute or relative, is as if it were not there', async () => {
    symlinkSync(join(base, 'secret'), join(served, 'absolute'));
    symlinkSync('../secret', join(served, 'relative'));
    symlinkSync('..', join(served, 'up'));
    symlinkSync(join(base, 'secret', 'people'), join(served, 'database', 'linked'));
    const client = await connect(served);
    const { names } = await walk(client);
    expect(names).toContain('database');
    for (const name of ['absolute', 'relative', 'up', 'linked', 'secret']) expect(names).not.toContain(name);
  });

  test('a collection of an open database that is replaced by a link out is refused when it is opened', async () => {
    const client = await connect(join(served, 'database'));
    const database = await client.call('directory.initial', {});
    rmSync(join(served, 'database', 'people'), { recursive: true });
    symlinkSync(join(base, 'secret', 'people'), join(served, 'database', 'people'));
    const { collection } = database!.collections[0]!;
    const attempt = client.call('session.open', { database: database!.database, collection, view: 'v3.12' });
    await expect(attempt).rejects.toMatchObject({ code: 'OUTSIDE_ROOT' });
  });

  test.each(['..', '../secret', '/', '/etc', 'SECRET', 'file:///etc', '..%2fsecret', '~', '.'])(
    'a place that was never given out (%s) is none, whatever it spells',
    async (word) => {
      const client = await connect(served);
      const place = word === 'SECRET' ? join(base, 'secret') : word;
      await expect(client.call('directory.open', { place })).rejects.toMatchObject({ code: 'NO_SUCH_PLACE' });
      await expect(client.call('directory.places', { place })).rejects.toMatchObject({ code: 'NO_SUCH_PLACE' });
    },
  );

  test('the system dialog is not opened on the machine that serves', async () => {
    const client = await connect(served);
    await expect(client.call('directory.choose', {})).rejects.toMatchObject({ code: 'NOT_ALLOWED' });
  });

  test('a recovery goes beside the collection by a plain name, never by a path', async () => {
    const client = await connect(join(served, 'database'));
    const { session } = await openCollection(client, (await client.call('directory.initial', {}))!);
    for (const name of ['../../out', '/tmp/out', '..', '.', 'a/b', 'a\\b', 'a\0b']) {
      await expect(client.call('recovery.chooseTarget', { session, name })).rejects.toMatchObject({
        code: expect.stringMatching(/^(BAD_REQUEST|OUTSIDE_ROOT|NOT_ALLOWED)$/),
      });
    }
    expect(readdirSync(base).sort()).toEqual(
      ['secret', 'served', ...(existsSync(join(base, 'settings')) ? ['settings'] : [])].sort(),
    );
  });
});

describe('--read-only, asked by a client that does not care', () => {
  test('every call that writes is refused by code, and no byte changes', async () => {
    const directory = join(served, 'database');
    const log = readFileSync(join(directory, 'people', 'payloads.log'));
    const files = readdirSync(directory, { recursive: true }).sort();
    const client = await connect(directory, true);
    expect(await client.call('app.info', {})).toMatchObject({ readOnly: true });
    const { session, writing } = await openCollection(client, (await client.call('directory.initial', {}))!);
    expect(writing).toMatchObject({ on: false });
    await client.call('drafts.put', {
      session,
      draft: { id: '1', action: 'store', text: '{"changed":true}', base: null },
    });
    const turned = client.call('writing.set', { session, on: true });
    const refusal = await turned.then(
      (summary) => summary.writing.refusal?.code ?? 'turned on',
      (error: { code: string }) => error.code,
    );
    expect(refusal).toBe('READ_ONLY');
    const plan = await client.call('recovery.plan', {
      session,
      policy: 'salvage',
      compact: true,
      applyCandidates: false,
    });
    const attempts: Record<string, () => Promise<unknown>> = {
      'drafts.write': () => client.call('drafts.write', { session, ids: ['1'] }),
      'snapshot.create': () => client.call('snapshot.create', { session }),
      'snapshot.remove': () => client.call('snapshot.remove', { session }),
      'writing.undoLast': () => client.call('writing.undoLast', { session, leaveOut: false }),
      'writing.trimTail': () => client.call('writing.trimTail', { session }),
      'fullText.moveAside': () => client.call('fullText.moveAside', { session }),
      'recovery.applyInPlace': () => client.call('recovery.applyInPlace', { session, plan: plan.plan }),
      'recovery.apply': async () => {
        const target = await client.call('recovery.chooseTarget', { session, name: 'recovered' });
        await client.call('recovery.apply', { session, plan: plan.plan, target: target!.target });
      },
      'import.lines': () =>
        client.call('import.lines', {
          session,
          text: '{"id":"9","payload":{}}\n',
          mode: 'batches',
          conflicts: 'overwrite',
          firstLine: 1,
          group: 'import',
        }),
    };
    for (const [name, attempt] of Object.entries(attempts)) {
      const answer = await attempt().then(
        () => 'done',
        (error: { code: string }) => error.code,
      );
      // Either is a refusal: writing is off, and cannot be turned on.
      expect([name, answer]).toEqual([name, expect.stringMatching(/^(READ_ONLY|WRITING_OFF)$/)]);
    }
    expect(readFileSync(join(directory, 'people', 'payloads.log'))).toEqual(log);
    expect(readdirSync(directory, { recursive: true }).sort()).toEqual(files);
  });
});

test('a page that closes takes its sessions with it, and another page keeps its own', async () => {
  const client = await connect(join(served, 'database'));
  const database = (await client.call('directory.initial', {}))!;
  const { session } = await openCollection(client, database);
  const port = running!.port;
  const signedIn = await fetch(running!.url, { redirect: 'manual' });
  const cookie = signedIn.headers.getSetCookie()[0]!.split(';')[0]!;
  const socket = new WebSocket(`ws://127.0.0.1:${port}/protocol`, { headers: { cookie } });
  sockets.push(socket);
  const second = createClient((request) => socket.send(JSON.stringify(request)));
  socket.on('message', (data) => second.receive(JSON.parse(data.toString())));
  await new Promise((resolve) => socket.once('open', resolve));
  const other = await openCollection(second.client, (await second.client.call('directory.initial', {}))!);
  expect(other.session).not.toBe(session);
  sockets[0]!.terminate();
  await expect
    .poll(() =>
      second.client.call('session.summary', { session }).then(
        () => 'open',
        (error: { code: string }) => error.code,
      ),
    )
    .toBe('NO_SUCH_SESSION');
  expect(await second.client.call('session.summary', { session: other.session })).toMatchObject({ phase: 'ready' });
});
