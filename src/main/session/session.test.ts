import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fingerprintOf } from '../../core/fingerprint.ts';
import { LogBuilder } from '../../core/log-builder.fixture.ts';
import type { CallContext, Handlers, ProtocolEvent, Result } from '../../shared/protocol.ts';
import { nodeFiles } from '../engine/node-files.ts';
import { CollectionState } from './collection.ts';
import { createSessionHandlers, type SessionMethod } from './handlers.ts';
import { Session } from './session.ts';

let root: string;
let directory: string;
let log: string;
const open: Session[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'velescope-session-'));
  directory = join(root, 'things');
  mkdirSync(directory);
  writeFileSync(join(root, 'velesdb.lock'), '');
  writeFileSync(join(directory, 'config.json'), '{"name":"things","dimension":0,"metadata_only":true}');
  log = join(directory, 'payloads.log');
});
afterEach(() => {
  for (const session of open.splice(0)) session.close();
  rmSync(root, { recursive: true, force: true });
});

/** A session in this thread: the same object the worker runs. */
function start(options: { readOnly?: boolean; onEvent?: (event: ProtocolEvent) => void } = {}) {
  const events: ProtocolEvent[] = [];
  const session = new Session({
    name: 'test',
    files: nodeFiles,
    directory,
    collectionName: 'things',
    settingsDirectory: join(root, '.settings'),
    readOnly: options.readOnly ?? false,
    view: 'v3.12',
    emit: (event) => {
      events.push(event);
      options.onEvent?.(event);
    },
  });
  session.start();
  open.push(session);
  const handlers = createSessionHandlers(session);
  const context: CallContext = { signal: new AbortController().signal, onPeerClosed: () => {}, progress: () => {} };
  const call = async <M extends SessionMethod>(
    method: M,
    params: Omit<Parameters<Handlers[M]>[0], 'session'>,
    path: string | null = null,
  ): Promise<Result<M>> => {
    const handler = handlers[method] as (params: unknown, context: CallContext, supplied: unknown) => unknown;
    return (await handler({ session: 'test', ...params }, context, { path })) as Result<M>;
  };
  return { session, call, events };
}

/** 300,000 records of 1000 ids: enough to be in the middle of. */
function longLog(): Uint8Array {
  const thousand = new LogBuilder();
  for (let id = 0; id < 1000; id++) thousand.store(id, `{"text":"${'x'.repeat(60)}"}`);
  return Buffer.concat(new Array(300).fill(thousand.bytes()));
}

/** Which phases a session told of, in order. */
function phasesOf(events: ProtocolEvent[]): string[] {
  return events.flatMap((event) => (event.event === 'session' ? [event.summary.phase] : []));
}

const draft = (id: string, text: string) => ({ draft: { id, action: 'store' as const, text, base: null } });

/** What the log holds now for each draft, as somebody who looks at the review sees it. */
async function seen(call: ReturnType<typeof start>['call']): Promise<Record<string, string | null>> {
  const list = await call('drafts.review', {});
  return Object.fromEntries(list.map(({ draft, current }) => [draft.id, current?.offset ?? null]));
}

async function write(call: ReturnType<typeof start>['call'], id: string, text: string) {
  await call('drafts.put', draft(id, text));
  return call('drafts.write', { ids: [id], overwrite: await seen(call) });
}

describe('a log in other hands', () => {
  it('that grew is picked up, also when its last record was torn before', async () => {
    const whole = new LogBuilder().store(1).store(2).store(3).bytes();
    writeFileSync(log, whole.subarray(0, whole.length - 5));
    const { session } = start();
    await session.settled();
    expect(session.summary().damage.tail).toMatchObject({ verdict: 'torn' });
    writeFileSync(log, whole);
    await session.catchUp();
    expect(session.summary()).toMatchObject({ phase: 'ready', counts: { all: 3, live: 3, damaged: 0 } });
    expect(session.summary().damage.tail).toBeNull();
  });

  it('that is followed shows new records without being asked', async () => {
    writeFileSync(log, new LogBuilder().store(1).bytes());
    const { session, call } = start();
    await session.settled();
    await call('session.setFollow', { on: true });
    appendFileSync(log, new LogBuilder().store(2).delete(1).bytes());
    await expect.poll(() => session.summary().log.records, { timeout: 10_000 }).toBe(3);
    expect(session.summary().counts.live).toBe(1);
  });

  it('that shrank is said, refuses writing, and can be read again', async () => {
    writeFileSync(log, new LogBuilder().store(1).store(2).bytes());
    const { session, call } = start();
    await session.settled();
    truncateSync(log, 25);
    await session.catchUp();
    expect(session.summary()).toMatchObject({ phase: 'failed', failure: { code: 'LOG_SHRANK' } });
    await expect(call('writing.set', { on: true })).rejects.toMatchObject({ code: 'LOG_CHANGED' });
    await call('session.rescan', {});
    await session.settled();
    expect(session.summary().phase).toBe('ready');
  });

  it('that shrank while it was scanned is said at once, and nothing of what is gone is called damage', async () => {
    writeFileSync(log, longLog());
    const { session, events } = start();
    truncateSync(log, 1_000_007);
    await session.settled();
    expect(session.summary()).toMatchObject({ phase: 'failed', failure: { code: 'LOG_SHRANK' } });
    expect(phasesOf(events)).not.toContain('ready');
  });

  it('is read again in the middle of a scan as if there had been none before', async () => {
    writeFileSync(log, longLog());
    const { session, call, events } = start();
    for (let turn = 0; turn < 4; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      await call('session.rescan', {});
    }
    await session.settled();
    expect(session.summary()).toMatchObject({ phase: 'ready', failure: null, counts: { all: 300_000, live: 1000 } });
    const phases = phasesOf(events);
    expect(phases).not.toContain('failed');
    expect(phases.filter((phase, at) => phase !== phases[at - 1])).toEqual(['scanning', 'checking', 'ready']);
  });

  it('that was replaced is not written to by a session that shows the one before', async () => {
    writeFileSync(log, new LogBuilder().store(1).bytes());
    const other = new LogBuilder().store(1).store(9).bytes();
    const { session, call } = start();
    await session.settled();
    writeFileSync(join(directory, 'other'), other);
    renameSync(join(directory, 'other'), log);
    await expect(call('writing.set', { on: true })).rejects.toMatchObject({ code: 'LOG_CHANGED' });
    expect(session.summary()).toMatchObject({ phase: 'failed', writing: { on: false } });
    // Also where it is replaced while writing is on.
    await call('session.rescan', {});
    await session.settled();
    await call('writing.set', { on: true });
    writeFileSync(join(directory, 'other'), other);
    renameSync(join(directory, 'other'), log);
    await expect(write(call, '1', '{"a":2}')).rejects.toMatchObject({ code: 'LOG_CHANGED' });
    expect(readFileSync(log).equals(Buffer.from(other))).toBe(true);
    expect((await call('drafts.list', {})).length).toBe(1);
  });

  it('that was replaced is said', async () => {
    writeFileSync(log, new LogBuilder().store(1).bytes());
    const { session } = start();
    await session.settled();
    writeFileSync(join(directory, 'other'), new LogBuilder().store(1).store(9).bytes());
    renameSync(join(directory, 'other'), log);
    await session.catchUp();
    expect(session.summary()).toMatchObject({ phase: 'failed', failure: { code: 'LOG_REPLACED' } });
  });

  it('that was written to in place is said, also at the same size', async () => {
    writeFileSync(log, new LogBuilder().store(1).store(2).bytes());
    const { session, call } = start();
    await session.settled();
    await call('session.setFollow', { on: true });
    // An append is none, however often it comes.
    appendFileSync(log, new LogBuilder().store(3).bytes());
    await expect.poll(() => session.summary().log.records, { timeout: 10_000 }).toBe(3);
    const file = openSync(log, 'r+');
    writeSync(file, Buffer.of(0xff), 0, 1, 15);
    closeSync(file);
    await expect.poll(() => session.summary().failure?.code, { timeout: 10_000 }).toBe('LOG_CHANGED');
    await expect(call('writing.set', { on: true })).rejects.toMatchObject({ code: 'LOG_CHANGED' });
    await call('session.rescan', {});
    await session.settled();
    expect(session.summary()).toMatchObject({ phase: 'ready', failure: null, counts: { damaged: 1 } });
  });

  it('whose time alone is newer is not called changed: touched, or an append that another program took back', async () => {
    writeFileSync(log, new LogBuilder().store(1).legacyStore(2).store(3).bytes());
    const { session, call } = start();
    await session.settled();
    await call('session.setFollow', { on: true });
    const { size } = statSync(log);
    for (const change of [
      () => utimesSync(log, new Date(), new Date()),
      () => utimesSync(log, 1, 1),
      () => {
        appendFileSync(log, 'x');
        truncateSync(log, size);
      },
    ]) {
      change();
      const { revision } = session;
      await session.catchUp();
      await new Promise((resolve) => setTimeout(resolve, 600));
      await session.catchUp();
      expect(session.summary()).toMatchObject({ phase: 'ready', failure: null, following: true, log: { bytes: size } });
      expect(session.revision).toBeGreaterThan(revision);
    }
    appendFileSync(log, new LogBuilder().store(4).bytes());
    await expect.poll(() => session.summary().log.records, { timeout: 10_000 }).toBe(4);
    await call('writing.set', { on: true });
  });

  it('that only this session writes to is never called changed in place', async () => {
    writeFileSync(log, new LogBuilder().store(1).bytes());
    const { session, call } = start();
    await session.settled();
    await call('session.setFollow', { on: true });
    await call('writing.set', { on: true });
    // As a write does that fails and is taken back.
    const { size } = statSync(log);
    appendFileSync(log, 'x');
    truncateSync(log, size);
    await session.catchUp();
    await new Promise((resolve) => setTimeout(resolve, 600));
    await session.catchUp();
    expect(session.summary()).toMatchObject({ phase: 'ready', failure: null });
    await call('writing.set', { on: false });
    await new Promise((resolve) => setTimeout(resolve, 600));
    await session.catchUp();
    expect(session.summary()).toMatchObject({ phase: 'ready', failure: null });
  });

  it('that vanished is said', async () => {
    writeFileSync(log, new LogBuilder().store(1).bytes());
    const { session } = start();
    await session.settled();
    unlinkSync(log);
    await session.catchUp();
    expect(session.summary()).toMatchObject({ phase: 'failed', failure: { code: 'NOT_FOUND' } });
  });

  it('that another process appended to while writing is on refuses the next write, and loses nothing', async () => {
    writeFileSync(log, new LogBuilder().store(1).bytes());
    const { session, call } = start();
    await session.settled();
    await call('writing.set', { on: true });
    const foreign = new LogBuilder().store(50).bytes();
    appendFileSync(log, foreign);
    const before = readFileSync(log);
    await expect(write(call, '2', '{}')).rejects.toMatchObject({ code: expect.stringMatching(/^LOG_/) });
    expect(readFileSync(log).equals(before)).toBe(true);
    expect((await call('drafts.list', {})).map((kept) => kept.id)).toEqual(['2']);
  });

  it('of another Velescope with writing on keeps the second one out', async () => {
    writeFileSync(log, new LogBuilder().store(1).bytes());
    const first = start();
    const second = start();
    await first.session.settled();
    await second.session.settled();
    await first.call('writing.set', { on: true });
    await expect(second.call('writing.set', { on: true })).rejects.toMatchObject({ code: 'LOCK_HELD' });
    await first.call('writing.set', { on: false });
    await second.call('writing.set', { on: true });
    expect(second.session.summary().writing.on).toBe(true);
  });

  it.skipIf(process.platform !== 'linux')(
    'of a process that holds the lock is read, not written, and the holder named',
    async () => {
      writeFileSync(log, new LogBuilder().store(1).bytes());
      const holder = spawn('flock', ['-x', join(root, 'velesdb.lock'), 'sleep', '60'], { stdio: 'ignore' });
      try {
        const { session, call } = start();
        await session.settled();
        await expect.poll(() => session.lock().held, { timeout: 10_000 }).toBe(true);
        expect(session.summary()).toMatchObject({
          phase: 'ready',
          lock: { held: true, holder: expect.stringContaining('process') },
        });
        await expect(call('writing.set', { on: true })).rejects.toMatchObject({ code: 'LOCK_HELD' });
      } finally {
        holder.kill();
      }
    },
  );
});

describe.skipIf(process.platform !== 'linux')('a record that another process is writing', () => {
  it('is no damage, and a plan that it stops says who is writing', async () => {
    const whole = new LogBuilder().store(1).store(2).bytes();
    writeFileSync(log, whole.subarray(0, whole.length - 5));
    const holder = spawn('flock', ['-x', join(root, 'velesdb.lock'), 'sh', '-c', 'echo held; cat']);
    await once(holder.stdout, 'data');
    try {
      const { session, call } = start();
      await expect.poll(() => session.summary().damage.inFlight, { timeout: 10_000 }).toBe(true);
      expect(session.summary().counts).toMatchObject({ all: 2, damaged: 0 });
      const plan = await call('recovery.plan', { policy: 'absolute', compact: false, applyCandidates: false });
      expect(plan.met).toBe(false);
      expect(plan.refusal).toMatch(
        / is incomplete because a running VelesDB is writing it: .* \(process \d+\) holds the lock/,
      );
      expect(plan.refusal).not.toContain('damage');
    } finally {
      holder.stdin.end();
    }
  });

  it('is one only while it is written: what is damaged afterwards is counted in full, and the next one is none again', async () => {
    const whole = new LogBuilder().store(1, '"damaged"').store(2).bytes();
    whole[15]! ^= 1;
    writeFileSync(log, whole.subarray(0, whole.length - 5));
    const holder = spawn('flock', ['-x', join(root, 'velesdb.lock'), 'sh', '-c', 'echo held; cat']);
    await once(holder.stdout, 'data');
    try {
      const { session } = start();
      await expect.poll(() => session.summary().damage.inFlight, { timeout: 10_000 }).toBe(true);
      appendFileSync(log, whole.subarray(whole.length - 5));
      await session.catchUp();
      expect(session.summary()).toMatchObject({ counts: { all: 2, damaged: 1 }, damage: { inFlight: false } });
      appendFileSync(log, new LogBuilder().store(3).bytes().subarray(0, 9));
      await session.catchUp();
      expect(session.summary()).toMatchObject({ counts: { all: 3, damaged: 1 }, damage: { inFlight: true } });
    } finally {
      holder.stdin.end();
    }
  });
});

describe('a directory that is not as it should be', () => {
  it('whose log is a directory says so', () => {
    mkdirSync(log);
    expect(() => start()).toThrow(expect.objectContaining({ code: 'NOT_A_FILE' }));
  });

  it('whose log is a named pipe says so and does not wait for a writer', () => {
    execFileSync('mkfifo', [log]);
    expect(() => start()).toThrow(expect.objectContaining({ code: 'NOT_A_FILE' }));
  });

  it('whose log is a device says so', () => {
    symlinkSync('/dev/zero', log);
    expect(() => start()).toThrow(expect.objectContaining({ code: 'NOT_A_FILE' }));
  });

  it('whose log is a link to a log is read and written through the link', async () => {
    const elsewhere = join(root, 'elsewhere.log');
    writeFileSync(elsewhere, new LogBuilder().store(1).bytes());
    symlinkSync(elsewhere, log);
    const { session, call } = start();
    await session.settled();
    await call('writing.set', { on: true });
    const before = statSync(elsewhere).size;
    await write(call, '2', '{}');
    expect(statSync(elsewhere).size).toBe(before + 19);
  });

  it('that does not exist says so', () => {
    rmSync(directory, { recursive: true });
    expect(() => start()).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
  });

  it.skipIf(process.getuid?.() === 0)('whose log may not be read says so (not as root: root reads everything)', () => {
    writeFileSync(log, '');
    chmodSync(log, 0);
    expect(() => start()).toThrow(expect.objectContaining({ code: 'EACCES' }));
  });

  it('without a log is an empty collection, and nothing is made by looking', async () => {
    const { session } = start();
    await session.settled();
    expect(session.summary()).toMatchObject({ phase: 'ready', log: { exists: false, records: 0 } });
    expect(() => statSync(log)).toThrow();
  });
});

describe('a search that is stopped', () => {
  const filter = { path: '$.n >= 0' };
  const order = { by: 'offset', direction: 'ascending' } as const;
  const RECORDS = 60_000;
  const long = () => {
    const builder = new LogBuilder();
    for (let id = 0; id < RECORDS; id++) builder.store(id, `{"n":${id},"text":"${'x'.repeat(200)}"}`);
    return builder.bytes();
  };

  it('keeps what it found as a list that is complete and can be read', async () => {
    writeFileSync(log, long());
    const stopped: string[] = [];
    const { session, call, events } = start({
      onEvent: (event) => {
        // At its first word of progress: it has searched for one slice, and has far more to search.
        if (event.event !== 'query' || stopped.length > 0) return;
        stopped.push(event.query);
        void call('records.stopQuery', { query: event.query });
      },
    });
    await session.settled();
    const { query, complete } = await call('records.query', { filter, order });
    expect(stopped).toEqual([query]);
    if (!complete) await expect.poll(() => events.findLast((event) => event.event === 'query')?.complete).toBe(true);

    const page = await call('records.page', { query, from: 0, count: 1_000 });
    expect(page.complete).toBe(true);
    expect(page.total).toBeGreaterThan(0);
    expect(page.total).toBeLessThan(RECORDS);
    expect(page.rows.map((row) => row.row)).toEqual(page.rows.map((_row, position) => position));
    expect(await call('records.locate', { query, target: { by: 'row', row: page.total - 1 } })).toEqual({
      position: page.total - 1,
      row: page.total - 1,
    });
    // Nothing goes on behind its back.
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect((await call('records.page', { query, from: 0, count: 1 })).total).toBe(page.total);
  });

  it('after it has ended is the whole list still', async () => {
    writeFileSync(log, new LogBuilder().store(1, '{"n":1}').store(2, '{"n":2}').bytes());
    const { session, call } = start();
    await session.settled();
    const { query, total, complete } = await call('records.query', { filter, order });
    expect({ total, complete }).toEqual({ total: 2, complete: true });
    expect(await call('records.stopQuery', { query })).toEqual({});
    expect(await call('records.page', { query, from: 0, count: 10 })).toMatchObject({
      total: 2,
      complete: true,
      rows: [{ id: '1' }, { id: '2' }],
    });
  });

  it('and is not known, or closed, is said', async () => {
    writeFileSync(log, new LogBuilder().store(1, '{"n":1}').bytes());
    const { session, call } = start();
    await session.settled();
    const { query } = await call('records.query', { filter, order });
    await call('records.closeQuery', { query });
    for (const name of [query, 'no-such-list']) {
      await expect(call('records.stopQuery', { query: name })).rejects.toMatchObject({ code: 'NO_SUCH_QUERY' });
    }
  });
});

describe('writing', () => {
  it('drafts that the window has are not sent again, those of a new text are', async () => {
    writeFileSync(log, new LogBuilder().store(1).bytes());
    const { session, call } = start();
    await session.settled();
    const { changedAt: first } = await call('drafts.put', draft('7', '{"a":1}'));
    const { changedAt: second } = await call('drafts.put', draft('7', '{"a":2}'));
    const { changedAt: other } = await call('drafts.put', draft('8', '[]'));
    expect(new Set([first, second, other]).size).toBe(3);
    expect(await call('drafts.list', { known: { 7: first, 8: other } })).toEqual([
      { id: '7', action: 'store', text: '{"a":2}', base: null, changedAt: second, conflict: false },
      { id: '8', known: true, changedAt: other, conflict: false },
    ]);
  });

  it('a draft is made of the changes in the journal, where they make the text that the window has', async () => {
    writeFileSync(log, new LogBuilder().store(1, '{"a":1}').bytes());
    const { session, call } = start();
    await session.settled();
    const change = { id: '1', base: '0' };
    const edit = (step: number, edits: [number, number, string][], opened?: { draft: null; compact: boolean }) =>
      call('drafts.journal', { ...change, edited: { document: 'd', step }, edits, ...(opened ? { opened } : {}) });
    const put = (step: number, text: string) =>
      call('drafts.putEdited', { ...change, edited: { document: 'd', step }, fingerprint: fingerprintOf(text) });
    expect(await put(1, '{"a":12}')).toBeNull();
    expect(await edit(1, [], { draft: null, compact: true })).toEqual({ kept: true });
    await edit(2, [[10, 10, '2']]);
    expect(await put(2, '{"a":13}')).toBeNull();
    expect(await put(3, '{"a":12}')).toBeNull();
    expect(await call('drafts.list', {})).toEqual([]);
    const kept = await put(2, '{"a":12}');
    expect(kept).toMatchObject({ conflict: false, replaced: null });
    const base = { offset: '0', text: '{"a":1}' };
    expect(await call('drafts.list', {})).toEqual([
      { id: '1', action: 'store', text: '{"a":12}', base, changedAt: kept!.changedAt, conflict: false },
    ]);
  });

  it('is refused below the window when Velescope runs read only', async () => {
    writeFileSync(log, new LogBuilder().store(1).bytes());
    const { session, call } = start({ readOnly: true });
    await session.settled();
    await expect(call('writing.set', { on: true })).rejects.toMatchObject({ code: 'READ_ONLY' });
    await expect(call('snapshot.remove', {})).rejects.toMatchObject({ code: 'READ_ONLY' });
    await expect(call('writing.trimTail', {})).rejects.toMatchObject({ code: 'READ_ONLY' });
    await expect(call('fullText.moveAside', {})).rejects.toMatchObject({ code: 'READ_ONLY' });
  });

  it('is refused behind a tear, and the refusal offers the repair', async () => {
    writeFileSync(log, new LogBuilder().store(1).raw([0xc3, 1, 2]).bytes());
    const { session, call } = start();
    await session.settled();
    const { writing } = session.summary();
    expect(writing.refusal).toMatchObject({ code: 'LOG_DAMAGED', next: expect.stringContaining('Repair') });
    await expect(call('writing.set', { on: true })).rejects.toMatchObject({ code: 'LOG_DAMAGED' });
  });

  it('is not refused for a CRC mismatch with sound framing', async () => {
    const bytes = new LogBuilder().store(1).store(2).bytes();
    bytes[15]! ^= 1;
    writeFileSync(log, bytes);
    const { session, call } = start();
    await session.settled();
    expect((await call('writing.set', { on: true })).writing.on).toBe(true);
  });

  it('of a draft whose record changed since is refused until it is meant', async () => {
    writeFileSync(log, new LogBuilder().store(1, '"a"').bytes());
    const { session, call } = start();
    await session.settled();
    await call('drafts.put', {
      draft: { id: '1', action: 'store', text: '"mine"', base: { offset: '0', text: '"a"' } },
    });
    appendFileSync(log, new LogBuilder().store(1, '"theirs"').bytes());
    await session.catchUp();
    await call('writing.set', { on: true });
    expect(await call('drafts.review', {})).toMatchObject([
      { draft: { conflict: true, text: '"mine"', base: { text: '"a"' } }, current: { text: '"theirs"' } },
    ]);
    await expect(call('drafts.write', { ids: ['1'] })).rejects.toMatchObject({
      code: 'DRAFT_CONFLICT',
    });
    await call('drafts.write', { ids: ['1'], overwrite: await seen(call) });
    expect((await call('record.history', { id: '1' })).rows.map((row) => row.preview)).toEqual([
      '"a"',
      '"theirs"',
      '"mine"',
    ]);
  });

  it('of a draft that began from a delete or from a damaged record is no conflict until the id is written again', async () => {
    const builder = new LogBuilder().store(1, '"a"').delete(1).store(2, '"b"');
    const bytes = builder.bytes();
    const [, deleted, damaged] = builder.offsets;
    bytes[damaged! + 13]! ^= 1;
    writeFileSync(log, bytes);
    const { session, call } = start();
    await session.settled();
    const put = (id: string, offset: number) =>
      call('drafts.put', { draft: { id, action: 'store', text: '"c"', base: { offset: String(offset), text: null } } });
    expect(await put('1', deleted!)).toMatchObject({ conflict: false });
    expect(await put('2', damaged!)).toMatchObject({ conflict: false });
    appendFileSync(log, new LogBuilder().store(1, '"theirs"').delete(2).bytes());
    await session.catchUp();
    expect((await call('drafts.list', {})).map((kept) => kept.conflict)).toEqual([true, true]);
  });

  it('whose automatic snapshot fails is saved all the same, and the failure is said', async () => {
    writeFileSync(log, new LogBuilder().store(1, `"${'x'.repeat(11 << 20)}"`).bytes());
    mkdirSync(join(directory, 'payloads.snapshot.tmp'));
    const { session, call, events } = start();
    await session.settled();
    await call('writing.set', { on: true });
    expect(await write(call, '2', '{}')).toMatchObject({ written: 1, state: 'saved' });
    expect(events.filter((event) => event.event === 'warning')).toHaveLength(1);
    expect(session.summary().writing.on).toBe(true);
  });

  it('an import stops at the first refused line and keeps what came before it', async () => {
    writeFileSync(log, new LogBuilder().store(1).bytes());
    const { session, call } = start();
    await session.settled();
    await call('writing.set', { on: true });
    const text =
      '{"id":"5","payload":{"n":1.10}}\n{"id":"1","payload":2}\n{"id":"6","payload":1e999}\n{"id":"7","payload":1}\n';
    const result = await call('import.lines', { text, mode: 'batches', conflicts: 'skip', firstLine: 1, group: 'a' });
    expect(result).toMatchObject({ applied: 1, skipped: 1, refused: { line: 3, code: 'PAYLOAD_REFUSED' } });
    expect((await call('record.history', { id: '5' })).rows[0]!.preview).toBe('{"n":1.10}');
  });
});

describe('recovery', () => {
  const damaged = () => {
    const builder = new LogBuilder().store(1, '{"a":"first"}').store(2, '{"b":"second"}').store(3).raw([0xc3, 9, 0, 0]);
    const bytes = builder.bytes();
    bytes[builder.offsets[1]! + 16]! ^= 4;
    return bytes;
  };

  it('plans without touching anything, writes a new directory, proves it, and puts it in place under the lock', async () => {
    writeFileSync(log, damaged());
    const { session, call } = start();
    await session.settled();
    const [, tail] = (await call('damage.list', { from: 0, count: 10 })).damage;
    expect(tail).toMatchObject({ verdict: 'torn' });
    const { candidates } = await call('damage.candidates', { row: 1 });
    expect(candidates[0]).toMatchObject({ kind: 'bit-flip', provenByCrc: true, mayBecomeDraft: true, id: '2' });
    await call('damage.accept', { row: 1, index: 0 });

    const before = readFileSync(log);
    const plan = await call('recovery.plan', { policy: 'salvage', compact: false, applyCandidates: false });
    expect(plan).toMatchObject({ met: true, candidatesApplied: 1, kept: { records: 2 }, leftOut: { pieces: 2 } });
    expect(plan.kept.bytes + plan.leftOut.bytes + plan.compactedAway.bytes).toBe(before.length);
    expect(readFileSync(log).equals(before)).toBe(true);

    const target = join(root, 'things-recovered');
    const applied = await call('recovery.apply', { plan: plan.plan, target: 'chosen' }, target);
    expect(applied).toMatchObject({ verified: true });
    expect(readFileSync(log).equals(before)).toBe(true);

    const placed = await call('recovery.putInPlace', { plan: plan.plan });
    await session.settled();
    expect(readFileSync(placed.keptAs).equals(before)).toBe(true);
    expect(session.summary()).toMatchObject({
      phase: 'ready',
      counts: { all: 3, damaged: 0 },
      snapshot: { state: 'valid' },
    });
  });

  it('keeps what was accepted when the collection is opened again, and until it is taken back', async () => {
    writeFileSync(log, damaged());
    const first = start();
    await first.session.settled();
    const { candidates } = await first.call('damage.candidates', { row: 1 });
    const chosen = { row: 1, index: candidates.length - 1 };
    expect(await first.call('damage.accept', chosen)).toEqual({ accepted: [chosen] });
    first.session.close();

    const second = start();
    expect(await second.call('damage.accepted', {})).toEqual({ accepted: [] });
    await second.session.settled();
    expect(await second.call('damage.accepted', {})).toEqual({ accepted: [chosen] });
    const choices = { policy: 'salvage', compact: false, applyCandidates: false } as const;
    expect(await second.call('recovery.plan', choices)).toMatchObject({ candidatesApplied: 1 });
    await second.call('session.rescan', {});
    await second.session.settled();
    expect(await second.call('damage.accepted', {})).toEqual({ accepted: [chosen] });
    expect(await second.call('damage.accept', { row: 1, index: null })).toEqual({ accepted: [] });
    second.session.close();

    const third = start();
    await third.session.settled();
    expect(await third.call('damage.accepted', {})).toEqual({ accepted: [] });
    expect(await third.call('recovery.plan', choices)).toMatchObject({ candidatesApplied: 0 });
  });

  it('does not apply what was accepted to a log that is another one now', async () => {
    const bytes = damaged();
    writeFileSync(log, bytes);
    const first = start();
    await first.session.settled();
    await first.call('damage.accept', { row: 1, index: 0 });
    first.session.close();
    // The same place is damaged in another way: the repaired record would be another one.
    bytes[Buffer.from(bytes).indexOf('second')]! ^= 32;
    writeFileSync(log, bytes);
    const second = start();
    await second.session.settled();
    expect((await second.call('damage.list', { from: 0, count: 10 })).damage[0]).toMatchObject({ row: 1 });
    expect(await second.call('damage.accepted', {})).toEqual({ accepted: [] });
  });

  it('forgets what was accepted once it is carried out in place', async () => {
    writeFileSync(log, damaged());
    const { session, call } = start();
    await session.settled();
    await call('damage.accept', { row: 1, index: 0 });
    const plan = await call('recovery.plan', { policy: 'salvage', compact: false, applyCandidates: false });
    await call('recovery.applyInPlace', { plan: plan.plan });
    await session.settled();
    expect(await call('damage.accepted', {})).toEqual({ accepted: [] });
    expect(session.summary().counts).toMatchObject({ all: 3, damaged: 0 });
    expect(existsSync(join(root, '.settings', 'accepted'))).toBe(true);
    expect(readdirSync(join(root, '.settings', 'accepted'))).toEqual(['lock']);
  });

  it('accepts where nothing can be kept, and says that it holds for this window only', async () => {
    writeFileSync(log, damaged());
    writeFileSync(join(root, '.settings'), '');
    const { session, call, events } = start();
    await session.settled();
    expect(await call('damage.accept', { row: 1, index: 0 })).toEqual({ accepted: [{ row: 1, index: 0 }] });
    expect(events.filter((event) => event.event === 'warning')).toMatchObject([
      { error: { code: 'IO_ERROR', message: expect.stringContaining('until this window is closed') } },
    ]);
  });

  it('refuses a policy that is not met, with the reason', async () => {
    writeFileSync(log, damaged());
    const { session, call } = start();
    await session.settled();
    const plan = await call('recovery.plan', { policy: 'absolute', compact: false, applyCandidates: false });
    expect(plan).toMatchObject({ met: false, refusal: expect.stringContaining('damage') });
    await expect(call('recovery.apply', { plan: plan.plan, target: 't' }, join(root, 'x'))).rejects.toMatchObject({
      code: 'POLICY_NOT_MET',
    });
  });

  it('trims a torn tail, keeps the bytes, and writing is possible again', async () => {
    const whole = new LogBuilder().store(1).bytes();
    const torn = [0xc3, 5, 0, 0, 0];
    writeFileSync(log, new LogBuilder().store(1).raw(torn).bytes());
    const { session, call } = start();
    await session.settled();
    await expect(call('writing.set', { on: true })).rejects.toMatchObject({ code: 'LOG_DAMAGED' });
    const trimmed = await call('writing.trimTail', {});
    await session.settled();
    expect([...readFileSync(trimmed.keptAs)]).toEqual(torn);
    expect(readFileSync(log).equals(whole)).toBe(true);
    expect((await call('writing.set', { on: true })).writing.on).toBe(true);
  });

  it('moves a snapshot that disagrees aside, after which writing is possible and a new one can be made', async () => {
    writeFileSync(log, new LogBuilder().store(1).store(2).bytes());
    const first = start();
    await first.session.settled();
    await first.call('writing.set', { on: true });
    await first.call('snapshot.create', {});
    first.session.close();
    const whole = readFileSync(log);
    writeFileSync(log, whole.subarray(0, whole.length / 2));
    const { session, call } = start();
    await session.settled();
    expect(session.summary().snapshot).toMatchObject({ state: 'disagrees' });
    await expect(call('writing.set', { on: true })).rejects.toMatchObject({ code: 'SNAPSHOT_DISAGREES' });
    await call('snapshot.remove', {});
    expect(session.summary().snapshot.state).toBe('absent');
    await call('writing.set', { on: true });
    await call('snapshot.create', {});
    expect(session.summary().snapshot).toMatchObject({ state: 'valid', bytesSince: 0 });
  });

  it('moves a stale full-text index aside, both files together', async () => {
    writeFileSync(log, new LogBuilder().store(1).bytes());
    writeFileSync(join(directory, 'bm25.snapshot'), 's');
    writeFileSync(join(directory, 'bm25.wal'), 'w');
    const { session, call } = start();
    await session.settled();
    await call('writing.set', { on: true });
    await write(call, '1', '{"content":"new"}');
    expect(session.summary().fullText).toEqual({ present: true, stale: true });
    const { moved } = await call('fullText.moveAside', {});
    expect(moved).toHaveLength(2);
    expect(session.summary()).toMatchObject({ fullText: { present: false, stale: false }, writing: { on: true } });
  });
});

it('a pass over the log is not disturbed by pages that are read between its slices', async () => {
  const builder = new LogBuilder();
  for (let id = 0; id < 30_000; id++) builder.store(id, `{"id":${id},"text":"${'x'.repeat(id % 300)}"}`);
  writeFileSync(log, builder.bytes());
  const state = new CollectionState(nodeFiles, directory);
  state.open();
  try {
    for (const steps of [state.scanOn(), state.examine(0)]) {
      while (!steps.next().done) for (const offset of [0, 1e6, 3e6]) state.source.read(offset, 100_000);
    }
    expect(state.totals).toMatchObject({ records: 30_000, damaged: 0, damagedBytes: 0 });
  } finally {
    state.close();
  }
});

it('looking changes nothing: opening, searching and reading leave hash and time of every file as they were', async () => {
  writeFileSync(log, new LogBuilder().store(1).store(2).raw([1, 2, 3]).bytes());
  copyFileSync(log, join(directory, 'payloads.snapshot'));
  const files = ['payloads.log', 'payloads.snapshot', 'config.json'].map((name) => join(directory, name));
  const look = () => [
    statSync(directory).mtimeMs,
    ...files.flatMap((file) => [statSync(file).mtimeMs, readFileSync(file, 'hex')]),
  ];
  const before = look();
  const { session, call } = start();
  await session.settled();
  const { query } = await session.query(
    { text: 'id' },
    { by: 'id', direction: 'ascending' },
    {
      signal: new AbortController().signal,
      onPeerClosed: () => {},
      progress: () => {},
    },
  );
  await call('records.page', { query, from: 0, count: 10 });
  await call('record.read', { row: 0 });
  await call('damage.list', { from: 0, count: 10 });
  await call('report.render', { format: 'markdown' });
  session.close();
  expect(look()).toEqual(before);
});

it('answers the history of an id in pieces: from a place on, or the last ones', async () => {
  const builder = new LogBuilder();
  for (let version = 0; version < 1_500; version++) builder.store(1, `"${version}"`);
  writeFileSync(log, builder.bytes());
  const { session, call } = start();
  await session.settled();
  const ask = async (params: { from?: number; count?: number }) => {
    const { total, rows } = await call('record.history', { id: '1', ...params });
    return [total, rows.length, rows[0]?.preview, rows.at(-1)?.preview];
  };
  expect(await ask({})).toEqual([1_500, 1_000, '"500"', '"1499"']);
  expect(await ask({ count: 2 })).toEqual([1_500, 2, '"1498"', '"1499"']);
  expect(await ask({ from: 0, count: 2 })).toEqual([1_500, 2, '"0"', '"1"']);
  expect(await ask({ from: 1_499, count: 200 })).toEqual([1_500, 1, '"1499"', '"1499"']);
  expect(await ask({ from: 1_500 })).toEqual([1_500, 0, undefined, undefined]);
});
