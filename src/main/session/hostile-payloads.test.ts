import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LogBuilder } from '../../core/log-builder.fixture.ts';
import type { CallContext, Handlers, Result } from '../../shared/protocol.ts';
import { nodeFiles } from '../engine/node-files.ts';
import { createSessionHandlers, type SessionMethod } from './handlers.ts';
import { Session } from './session.ts';

let home: string;
let session: Session | null = null;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'velescope-payloads-'));
});
afterEach(() => {
  session?.close();
  session = null;
  rmSync(home, { recursive: true, force: true });
});

/** A session over these payloads, ids from 1 on. */
async function start(payloads: readonly (string | Uint8Array)[], name = 'things', damage = -1) {
  const directory = join(home, name);
  mkdirSync(directory, { recursive: true });
  const log = new LogBuilder();
  for (const [at, payload] of payloads.entries()) log.store(at + 1, payload);
  const bytes = log.bytes();
  if (damage >= 0) bytes[damage]! ^= 1;
  writeFileSync(join(directory, 'payloads.log'), bytes);
  const made = new Session({
    name: 'test',
    files: nodeFiles,
    directory,
    collectionName: name,
    settingsDirectory: join(home, '.settings'),
    readOnly: false,
    view: 'v3.12',
    emit: () => {},
  });
  made.start();
  session = made;
  await expect.poll(() => made.summary().phase, { timeout: 60_000 }).toBe('ready');
  const handlers = createSessionHandlers(made);
  const context: CallContext = { signal: new AbortController().signal, onPeerClosed: () => {}, progress: () => {} };
  const call = async <M extends SessionMethod>(method: M, params: Omit<Parameters<Handlers[M]>[0], 'session'>) => {
    const handler = handlers[method] as (params: unknown, context: CallContext, supplied: unknown) => unknown;
    return (await handler({ session: 'test', ...params }, context, { path: null })) as Result<M>;
  };
  return { made, call };
}

const RAW = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

describe('a hostile payload', () => {
  it('of one string of 10 MB without a line break is read whole, character for character, with a short preview', async () => {
    const text = `"${'<b>\u202e'.repeat(2_000_000)}"`;
    const { call } = await start([text, '{"after":true}']);
    const { query } = await call('records.query', { filter: {}, order: { by: 'offset', direction: 'ascending' } });
    const page = await call('records.page', { query, from: 0, count: 10 });
    expect(page.rows).toHaveLength(2);
    expect(page.rows[0]!.preview.length).toBeLessThan(1000);
    const record = await call('record.read', { row: 0 });
    expect(record.check).toEqual({ state: 'ok', message: null });
    expect(record.payload?.encoding === 'text' && record.payload.text === text).toBe(true);
    expect((await call('record.read', { row: 1 })).payload).toMatchObject({ text: '{"after":true}' });
  });

  it('of 10,000 levels of nesting is read as text, and VelesDB is said to refuse it', async () => {
    const text = `${'[{"a":'.repeat(5000)}1${'}]'.repeat(5000)}`;
    const { call } = await start([text]);
    const record = await call('record.read', { row: 0 });
    expect(record).toMatchObject({ verdict: 'payload-unreadable', payload: { encoding: 'text', text } });
    expect(record.check).toMatchObject({
      state: 'unreadable',
      message: expect.stringContaining('recursion limit exceeded'),
    });
    const { query } = await call('records.query', {
      filter: { path: '$.a = 1' },
      order: { by: 'id', direction: 'ascending' },
    });
    expect((await call('records.page', { query, from: 0, count: 10 })).rows).toEqual([]);
  });
});

describe.skipIf(process.platform === 'win32')('the report of a collection with a hostile name', () => {
  const name = 'a\nFORGED\r\n# *b* | <img src=x onerror=1> [c](http://d) `e` \u001b[2J\u202e';

  it('shows the name as text in Markdown: no line, markup, link, cell or control character of its own', async () => {
    const { call } = await start(['{"secret":"payload text"}', '{}'], name, 20);
    const { text, fileName } = await call('report.render', { format: 'markdown' });
    expect(text).not.toMatch(RAW);
    expect(text).not.toMatch(/^FORGED/m);
    expect(text).not.toMatch(/(?<!\\)[<`]|(?<!\\)\[c/);
    expect(text.split('\n')[0]).toMatch(/^# a\\\\u000aFORGED/);
    expect(text).not.toContain('payload text');
    expect(fileName).toMatch(/^[A-Za-z0-9_.-]+$/);
  });

  it('is exact in JSON', async () => {
    const { made, call } = await start(['{}'], name);
    const { text } = await call('report.render', { format: 'json' });
    expect(JSON.parse(text).directory).toBe(made.directory);
  });
});

it.skipIf(process.platform === 'win32')('drafts are kept for the user alone', async () => {
  const { made, call } = await start(['{}']);
  await call('drafts.put', { draft: { id: '1', action: 'store', text: '{"private":true}', base: null } });
  made.close();
  session = null;
  const files = readdirSync(join(home, '.settings'), { recursive: true, withFileTypes: true });
  const drafts = files.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  expect(drafts.some((path) => readFileSync(path, 'utf8').includes('private'))).toBe(true);
  for (const path of drafts) expect(statSync(path).mode & 0o077).toBe(0);
});
