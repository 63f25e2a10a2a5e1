import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LogBuilder } from '../../core/log-builder.fixture.ts';
import type { CallContext, Result, Summary } from '../../shared/protocol.ts';
import { type Call, type Fault, FaultyFiles } from '../engine/faulty-files.ts';
import { nodeFiles } from '../engine/node-files.ts';
import { createSessionHandlers } from './handlers.ts';
import { Session } from './session.ts';

let root: string;
let log: string;
const open: Session[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'velescope-writing-'));
  mkdirSync(join(root, 'things'));
  writeFileSync(join(root, 'velesdb.lock'), '');
  log = join(root, 'things', 'payloads.log');
  writeFileSync(log, new LogBuilder().store(1).store(2).delete(1).bytes());
});
afterEach(() => {
  for (const session of open.splice(0)) session.close();
  rmSync(root, { recursive: true, force: true });
});

/** A session that has read the log, its calls, and how often the log was read since. */
async function start(faultFor: (call: Call) => Fault | null = () => null) {
  const files = new FaultyFiles(nodeFiles, faultFor);
  const session = new Session({
    name: 'test',
    files,
    directory: join(root, 'things'),
    collectionName: 'things',
    settingsDirectory: join(root, '.settings'),
    readOnly: false,
    view: 'v3.12',
    emit: () => {},
  });
  open.push(session);
  session.start();
  await session.settled();
  const handlers = createSessionHandlers(session);
  const set = async (on: boolean, signal = new AbortController().signal): Promise<Summary> => {
    const context: CallContext = { signal, onPeerClosed: () => {}, progress: () => {} };
    return await handlers['writing.set']({ session: 'test', on }, context, { path: null });
  };
  const calls = handlers as unknown as Record<string, (params: object, context: object, supplied: object) => unknown>;
  const call = async (method: string, params: object) =>
    await calls[method]!({ session: 'test', ...params }, { signal: new AbortController().signal }, { path: null });
  const review = async () => (await call('drafts.review', {})) as Result<'drafts.review'>;
  /** What the log holds now for each draft, as somebody who looks at the review sees it. */
  const seen = async () =>
    Object.fromEntries((await review()).map(({ draft, current }) => [draft.id, current?.offset ?? null]));
  const write = async (id: string, text: string) => {
    await call('drafts.put', { draft: { id, action: 'store', text, base: null } });
    await call('drafts.write', { ids: [id], overwrite: await seen() });
  };
  const before = files.calls.length;
  const reads = () => files.calls.slice(before).filter(({ kind, path }) => kind === 'read' && path === log).length;
  return { session, set, call, write, review, seen, reads, files };
}

describe('turning writing on', () => {
  it('reads nothing of a log that nobody wrote to since the session read it', async () => {
    const { session, set, reads, write } = await start();
    expect((await set(true)).writing.on).toBe(true);
    expect(reads()).toBe(0);
    await write('7', '{"seven":7}');
    expect(session.summary()).toMatchObject({ log: { records: 4 }, counts: { live: 2 } });
    expect(session.writer!.payloadOf(2n)).toEqual(new TextEncoder().encode('{"id":2}'));
  });

  it('reads the log again where it grew, and knows what came', async () => {
    const { session, set, reads } = await start();
    appendFileSync(log, new LogBuilder().store(3).delete(2).bytes());
    await session.catchUp();
    const before = reads();
    await set(true);
    expect(reads()).toBeGreaterThan(before);
    expect(session.writer!.payloadOf(2n)).toBeNull();
    expect(new TextDecoder().decode(session.writer!.payloadOf(3n)!)).toBe('{"id":3}');
  });

  it('notices what was appended since the last look', async () => {
    const { session, set } = await start();
    appendFileSync(log, new LogBuilder().store(3).bytes());
    await set(true);
    expect(new TextDecoder().decode(session.writer!.payloadOf(3n)!)).toBe('{"id":3}');
    expect(session.summary().log.records).toBe(4);
  });

  it('twice at once is done once', async () => {
    const { session, set } = await start();
    const summaries = await Promise.all([set(true), set(true)]);
    expect(summaries.map((summary) => summary.writing.on)).toEqual([true, true]);
    await set(false);
    const other = await start();
    expect((await other.set(true)).writing.on).toBe(true);
    expect(session.summary().writing.on).toBe(false);
  });

  it('that is turned off, cancelled or closed meanwhile leaves nothing locked', async () => {
    const { session, set } = await start();
    const turnedOff = set(true);
    await set(false);
    await expect(turnedOff).rejects.toMatchObject({ code: 'CANCELLED' });
    const stop = new AbortController();
    const cancelled = set(true, stop.signal);
    stop.abort();
    await expect(cancelled).rejects.toMatchObject({ code: 'CANCELLED' });
    const closed = set(true);
    session.close();
    await expect(closed).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(session.writer).toBeNull();
    const other = await start();
    expect((await other.set(true)).writing.on).toBe(true);
  });
});

describe('changing the durability', () => {
  it('leaves writing on, what can be undone too', async () => {
    const { session, set, call, write } = await start();
    await set(true);
    await write('7', '{"seven":7}');
    const { writer } = session;
    await call('writing.setDurability', { durability: 'none' });
    expect(session.writer).toBe(writer);
    expect(session.summary().writing).toMatchObject({
      on: true,
      durability: 'none',
      undoable: { kind: 'write', records: 1 },
    });
    await write('8', '{"eight":8}');
    expect(session.summary().log.records).toBe(4);
    await call('writing.setDurability', { durability: 'fsync' });
    await session.catchUp();
    expect(session.summary().log.records).toBe(5);
  });
});

it('says of a write what became of it, whichever call of the system fails on the way', async () => {
  const original = readFileSync(log);
  for (let failing = 0; ; failing++) {
    writeFileSync(log, original);
    let writing: number | null = null;
    const { session, set, call, seen, files } = await start((one) =>
      writing !== null && one.index === writing + failing ? { type: 'error', code: 'EIO' } : null,
    );
    await set(true);
    await call('drafts.put', { draft: { id: '1', action: 'store', text: '"written"', base: null } });
    const overwrite = await seen();
    writing = files.calls.length;
    const saved = await call('drafts.write', { ids: ['1'], overwrite }).then(
      () => true,
      () => false,
    );
    const end = writing + failing < files.calls.length;
    const one = files.calls[writing + failing];
    writing = null;
    const inLog = readFileSync(log, 'utf8').includes('"written"');
    const drafts = (await call('drafts.list', {})) as unknown[];
    const what = `${one?.kind} ${one?.path} ${one?.detail}`;
    expect({ what, saved, drafts: drafts.length }).toEqual({ what, saved: inLog, drafts: inLog ? 0 : 1 });
    session.close();
    await call('drafts.drop', { ids: ['1'] });
    if (!end) break;
  }
});

it('writes no draft that was changed elsewhere since it was shown', async () => {
  const { set, call } = await start();
  await set(true);
  const put = (text: string) =>
    call('drafts.put', { draft: { id: '1', action: 'store', text, base: null } }) as Promise<{ changedAt: string }>;
  const shown = await put('"mine"');
  const others = await put('"of the other window"');
  const seen = { '1': shown.changedAt };
  await expect(call('drafts.write', { ids: ['1'], seen, overwrite: {} })).rejects.toMatchObject({
    code: 'DRAFT_CONFLICT',
    data: { ids: ['1'] },
  });
  expect(readFileSync(log, 'utf8')).not.toContain('of the other window');
  await call('drafts.write', { ids: ['1'], seen: { '1': others.changedAt } });
  expect(readFileSync(log, 'utf8')).toContain('of the other window');
});

describe('a draft is written over what was looked at, and over nothing else', () => {
  const edit = (id: string, base: { offset: string; text: string } | null) => ({
    draft: { id, action: 'store', text: '"mine"', base },
  });
  const append = (build: (builder: LogBuilder) => LogBuilder) => appendFileSync(log, build(new LogBuilder()).bytes());

  it('a version that came behind the one that was seen is not, and the review shows it', async () => {
    const { session, set, call, seen, review } = await start();
    const base = { offset: String(session.state.table.offsets[1]), text: '{"id":2}' };
    await call('drafts.put', edit('2', base));
    append((builder) => builder.store(2, '"theirs"'));
    await session.catchUp();
    const looked = await seen();
    append((builder) => builder.store(2, '"theirs again"'));
    await set(true);
    const size = readFileSync(log).length;
    await expect(call('drafts.write', { ids: ['2'], overwrite: looked })).rejects.toMatchObject({
      code: 'DRAFT_CONFLICT',
      message: expect.stringContaining('since you looked'),
      data: { ids: ['2'] },
    });
    expect(readFileSync(log).length).toBe(size);
    expect(await review()).toMatchObject([
      { draft: { text: '"mine"', conflict: true, base }, current: { text: '"theirs again"' } },
    ]);
    await call('drafts.write', { ids: ['2'], overwrite: await seen() });
    expect(readFileSync(log, 'utf8')).toContain('"mine"');
  });

  it('a conflict of another id that arose since is refused with the whole batch', async () => {
    const { session, set, call, seen } = await start();
    const base = { offset: String(session.state.table.offsets[1]), text: '{"id":2}' };
    await call('drafts.put', edit('2', base));
    await call('drafts.put', edit('9', null));
    append((builder) => builder.store(2, '"theirs"'));
    await session.catchUp();
    const { 2: at } = await seen();
    append((builder) => builder.store(9, '"theirs"'));
    await set(true);
    await expect(call('drafts.write', { ids: ['2', '9'], overwrite: { 2: at } })).rejects.toMatchObject({
      code: 'DRAFT_CONFLICT',
      data: { ids: ['9'] },
    });
    expect(readFileSync(log, 'utf8')).not.toContain('"mine"');
  });

  it('a record that was deleted since it was seen is not', async () => {
    const { session, set, call, seen } = await start();
    const base = { offset: String(session.state.table.offsets[1]), text: '{"id":2}' };
    await call('drafts.put', edit('2', base));
    append((builder) => builder.store(2, '"theirs"'));
    await session.catchUp();
    const looked = await seen();
    append((builder) => builder.delete(2));
    await set(true);
    await expect(call('drafts.write', { ids: ['2'], overwrite: looked })).rejects.toMatchObject({
      code: 'DRAFT_CONFLICT',
    });
    expect(await seen()).toEqual({ 2: null });
    await call('drafts.write', { ids: ['2'], overwrite: await seen() });
    expect(readFileSync(log, 'utf8')).toContain('"mine"');
  });
});
