import { appendFileSync, copyFileSync, renameSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { LogBuilder } from '../../core/log-builder.fixture.ts';
import type { Result } from '../../shared/protocol.ts';
import { databaseForEach, type StartedSession } from './session.fixture.ts';

const database = databaseForEach();

/** A session with writing on, over a log. */
async function startOn(log: LogBuilder): Promise<StartedSession> {
  writeFileSync(database.log, log.bytes());
  const started = await database.start();
  await started.call('writing.set', { on: true });
  return started;
}

const text = (bytes: Uint8Array | null) => (bytes === null ? null : new TextDecoder().decode(bytes));

function payloads({ session }: StartedSession, ...ids: bigint[]) {
  return ids.map((id) => text(session.writer!.payloadOf(id)));
}

const line = (id: number, payload: string) => `{"id":"${id}","payload":${payload}}\n`;

async function importPiece({ call }: StartedSession, lines: string, group = 'one'): Promise<Result<'import.lines'>> {
  return call('import.lines', { text: lines, mode: 'batches', conflicts: 'overwrite', firstLine: 1, group });
}

async function write({ call }: StartedSession, id: string, payload: string | null): Promise<void> {
  const action = payload === null ? 'delete' : 'store';
  await call('drafts.put', { draft: { id, action, text: payload, base: null } });
  const [review] = await call('drafts.review', {});
  await call('drafts.write', { ids: [id], overwrite: { [id]: review!.current?.offset ?? null } });
}

const undo = ({ call }: StartedSession, leaveOut = false) => call('writing.undoLast', { leaveOut });
const NONE = { count: 0, ids: [] };

describe('taking the last write back', () => {
  it('takes back a whole import, however many batches it was, and appends', async () => {
    const started = await startOn(new LogBuilder().store(1, '"first"').store(2, '"second"').store(3).delete(3));
    const { size } = statSync(database.log);
    await importPiece(started, line(1, '"over"') + line(4, '"new"'));
    await importPiece(started, line(3, '"back"') + line(1, '"over again"'));
    await importPiece(started, line(5, '"newer"'));
    expect(started.session.summary().writing.undoable).toEqual({ kind: 'import', records: 4 });
    const preview = await started.call('writing.previewUndo', {});
    expect(preview).toEqual({ records: 4, stores: 1, deletes: 3, changed: NONE, lost: NONE });
    const grown = statSync(database.log).size;
    expect(await undo(started)).toMatchObject({ ...preview, cancelled: false });
    expect(payloads(started, 1n, 2n, 3n, 4n, 5n)).toEqual(['"first"', '"second"', null, null, null]);
    expect(grown).toBeGreaterThan(size);
    expect(statSync(database.log).size).toBeGreaterThan(grown);
    expect(started.session.summary()).toMatchObject({ counts: { live: 2, damaged: 0 } });
  });

  it('twice is a redo', async () => {
    const started = await startOn(new LogBuilder().store(1, '"first"'));
    await importPiece(started, line(1, '"over"'));
    await importPiece(started, line(2, '"new"'));
    await undo(started);
    expect(started.session.summary().writing.undoable).toEqual({ kind: 'undo', records: 2 });
    await undo(started);
    expect(payloads(started, 1n, 2n)).toEqual(['"over"', '"new"']);
    await undo(started);
    expect(payloads(started, 1n, 2n)).toEqual(['"first"', null]);
  });

  it('of two imports takes back the last one', async () => {
    const started = await startOn(new LogBuilder().store(1, '"first"'));
    await importPiece(started, line(1, '"a"') + line(2, '"a"'), 'a');
    await importPiece(started, line(1, '"b"'), 'b');
    await undo(started);
    expect(payloads(started, 1n, 2n)).toEqual(['"a"', '"a"']);
  });

  it('is there still after writing was turned off and on', async () => {
    const started = await startOn(new LogBuilder().store(1, '"first"'));
    await write(started, '1', '"over"');
    await started.call('writing.set', { on: false });
    expect(started.session.summary().writing.undoable).toEqual({ kind: 'write', records: 1 });
    await started.call('writing.set', { on: true });
    await undo(started);
    expect(payloads(started, 1n)).toEqual(['"first"']);
  });

  it('takes back what was only accepted', async () => {
    const started = await startOn(new LogBuilder().store(1, '"first"'));
    await started.call('writing.setDurability', { durability: 'none' });
    await write(started, '1', '"over"');
    await importPiece(started, line(1, '"a"'));
    await importPiece(started, line(1, '"b"') + line(7, '"b"'));
    await undo(started);
    expect(payloads(started, 1n, 7n)).toEqual(['"over"', null]);
  });

  it('is refused where somebody wrote to an id since, and leaves that one as it is when told to', async () => {
    const started = await startOn(new LogBuilder().store(1, '"first"').store(2, '"second"').store(3, '"third"'));
    await importPiece(started, line(1, '"over"') + line(2, '"over"') + line(3, '"over"'));
    await started.call('writing.set', { on: false });
    appendFileSync(database.log, new LogBuilder().store(2, '"by another"').delete(3).bytes());
    await started.call('writing.set', { on: true });
    const { size } = statSync(database.log);
    await expect(undo(started)).rejects.toMatchObject({
      code: 'DRAFT_CONFLICT',
      message: expect.stringContaining('2 of its records were written to since'),
    });
    expect(statSync(database.log).size).toBe(size);
    expect(await undo(started, true)).toMatchObject({
      records: 3,
      stores: 1,
      changed: { count: 2, ids: ['2', '3'] },
      cancelled: false,
    });
    expect(payloads(started, 1n, 2n, 3n)).toEqual(['"first"', '"by another"', null]);
  });

  it('says which previous states are damaged, and does not store what VelesDB would not read', async () => {
    const broken = new LogBuilder().store(1, '"first"').store(2, '{not json}').bytes();
    writeFileSync(database.log, Buffer.concat([broken, new LogBuilder().store(3).bytes()]));
    const started = await database.start();
    await started.call('writing.set', { on: true });
    await importPiece(started, line(1, '"over"') + line(2, '"repaired"'));
    expect(await started.call('writing.previewUndo', {})).toMatchObject({ stores: 1, lost: { count: 1, ids: ['2'] } });
    await expect(undo(started)).rejects.toMatchObject({ code: 'DRAFT_CONFLICT' });
    await undo(started, true);
    expect(payloads(started, 1n, 2n)).toEqual(['"first"', '"repaired"']);
  });

  it('cancelled in the middle has taken back whole batches, says how many, and goes on when it is asked again', async () => {
    const count = 20_000;
    const log = new LogBuilder();
    for (let id = 0; id < count; id++) log.store(id, `"first ${id}"`);
    const started = await startOn(log);
    let lines = '';
    for (let id = 0; id < count; id++) lines += line(id, '"over"');
    await importPiece(started, lines);
    const stop = () => void started.call('writing.stopUndo', {});
    const first = await started.call(
      'writing.undoLast',
      { leaveOut: true },
      { onProgress: ({ done }) => done > 5_000 && stop() },
    );
    expect(first.cancelled).toBe(true);
    expect(first.stores).toBeGreaterThan(0);
    expect(first.stores).toBeLessThan(count);
    const restored = () =>
      Array.from({ length: count }, (_, id) => payloads(started, BigInt(id))[0]).filter((each) => each !== '"over"');
    expect(restored()).toHaveLength(first.stores);
    expect(started.session.summary()).toMatchObject({ counts: { live: count, damaged: 0 } });
    expect(started.session.summary().writing.undoable).toEqual({ kind: 'import', records: count - first.stores });
    const second = await undo(started);
    expect(first.stores + second.stores).toBe(count);
    expect(restored()).toHaveLength(count);
    expect(payloads(started, 12_345n)).toEqual(['"first 12345"']);
  });

  it('keeps other writes out while it runs, and turning writing off ends it', async () => {
    const log = new LogBuilder();
    for (let id = 0; id < 20_000; id++) log.store(id, '"first"');
    const started = await startOn(log);
    let lines = '';
    for (let id = 0; id < 20_000; id++) lines += line(id, '"over"');
    await importPiece(started, lines);
    let other: Promise<unknown> = Promise.resolve();
    let off: Promise<unknown> = Promise.resolve();
    const undone = await started.call(
      'writing.undoLast',
      { leaveOut: true },
      {
        onProgress: ({ done }) => {
          if (done < 5_000 || done > 9_000) return;
          other = importPiece(started, line(1, '"between"'), 'between').catch((thrown: unknown) => thrown);
          off = started.call('writing.set', { on: false });
        },
      },
    );
    expect(undone.cancelled).toBe(true);
    expect(await other).toMatchObject({ code: 'NOT_ALLOWED' });
    await off;
    expect(started.session.summary()).toMatchObject({ writing: { on: false }, counts: { damaged: 0 } });
  });

  it('is not offered for a log that was replaced', async () => {
    const started = await startOn(new LogBuilder().store(1, '"first"'));
    await write(started, '1', '"over"');
    await started.call('writing.set', { on: false });
    copyFileSync(database.log, `${database.log}.new`);
    renameSync(`${database.log}.new`, database.log);
    await started.call('session.rescan', {});
    await started.session.settled();
    await started.call('writing.set', { on: true });
    await expect(undo(started)).rejects.toMatchObject({ code: 'NOT_ALLOWED' });
    expect(payloads(started, 1n)).toEqual(['"over"']);
    expect(started.session.summary().writing.undoable).toBeNull();
  });

  it('of a log that was cut and written anew stores nothing that is not the record it was', async () => {
    const started = await startOn(new LogBuilder().store(1, '"first"').store(2, '"second"'));
    await importPiece(started, line(1, '"over"'));
    const { size } = statSync(database.log);
    await started.call('writing.set', { on: false });
    truncateSync(database.log, 0);
    appendFileSync(database.log, new LogBuilder().store(9, '"xyyyyyy"').bytes());
    const over = new LogBuilder().store(1, '"over"').bytes();
    const filler = size - over.length - statSync(database.log).size - 17;
    appendFileSync(database.log, new LogBuilder().store(8, `"${'z'.repeat(filler - 2)}"`).bytes());
    appendFileSync(database.log, over);
    expect(statSync(database.log).size).toBe(size);
    await started.call('session.rescan', {});
    await started.session.settled();
    await started.call('writing.set', { on: true });
    expect(await undo(started, true)).toMatchObject({ stores: 0, lost: { count: 1, ids: ['1'] } });
    expect(payloads(started, 1n)).toEqual(['"over"']);
  });
});
