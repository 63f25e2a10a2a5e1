import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { LogBuilder } from '../../core/log-builder.fixture.ts';
import type { Params } from '../../shared/protocol.ts';
import { databaseForEach, type StartedSession } from './session.fixture.ts';

const database = databaseForEach();
type Conflicts = Params<'import.lines'>['conflicts'];

async function start(): Promise<StartedSession> {
  writeFileSync(database.log, new LogBuilder().store(1, '"first"').store(2, '"second"').bytes());
  return database.start();
}

const line = (id: string, payload: string) => `{"id":"${id}","payload":${payload}}\n`;

function importer({ call }: StartedSession, mode: 'drafts' | 'batches', conflicts: Conflicts, group = 'one') {
  return (text: string, firstLine = 1) => call('import.lines', { text, mode, conflicts, firstLine, group });
}

async function drafts({ call }: StartedSession): Promise<(string | null)[][]> {
  const list = await call('drafts.list', {});
  return list.map((draft) => ('known' in draft ? [draft.id] : [draft.id, draft.text]));
}

const mine = { draft: { id: '7', action: 'store' as const, text: '"my work"', base: null } };

describe('an import as drafts', () => {
  it('stops at an id that has a draft, and says so', async () => {
    const started = await start();
    await started.call('drafts.put', mine);
    const result = await importer(started, 'drafts', 'stop')(line('6', '1') + line('7', '2') + line('8', '3'));
    expect(result).toMatchObject({
      applied: 1,
      refused: { line: 2, code: 'DRAFT_CONFLICT', message: 'There is a draft of id 7 already.' },
    });
    expect(await drafts(started)).toEqual([
      ['7', '"my work"'],
      ['6', '1'],
    ]);
  });

  it('that skips keeps the draft, and counts it', async () => {
    const started = await start();
    await started.call('drafts.put', mine);
    const result = await importer(started, 'drafts', 'skip')(line('1', '1') + line('7', '2') + line('8', '3'));
    expect(result).toMatchObject({ applied: 1, skipped: 2, draftsKept: 1, draftsReplaced: 0, refused: null });
    expect(await drafts(started)).toEqual([
      ['7', '"my work"'],
      ['8', '3'],
    ]);
  });

  it('that overwrites counts the drafts it replaced, and all pieces can be taken back together', async () => {
    const started = await start();
    await started.call('drafts.put', mine);
    const bring = importer(started, 'drafts', 'overwrite');
    const first = await bring(line('7', '"a"') + line('8', '"a"'));
    const second = await bring(line('7', '"b"') + line('1', '"b"'), 3);
    expect([first.draftsReplaced, second.draftsReplaced]).toEqual([1, 0]);
    expect(second.change).toBe(first.change);
    expect(await drafts(started)).toHaveLength(3);
    const taken = await started.call('drafts.takeBack', { change: second.change! });
    expect(taken).toEqual({ restored: 1, dropped: 2, left: 0 });
    expect(await drafts(started)).toEqual([['7', '"my work"']]);
    await expect(started.call('drafts.takeBack', { change: second.change! })).rejects.toMatchObject({
      code: 'NOT_ALLOWED',
    });
  });

  it('that is taken back leaves what was typed into its drafts since', async () => {
    const started = await start();
    const { change } = await importer(started, 'drafts', 'overwrite')(line('7', '"a"') + line('8', '"a"'));
    await started.call('drafts.put', mine);
    expect(await started.call('drafts.takeBack', { change: change! })).toEqual({ restored: 0, dropped: 1, left: 1 });
    expect(await drafts(started)).toEqual([['7', '"my work"']]);
  });
});

describe('dropping drafts', () => {
  it('can be taken back, the text as it was', async () => {
    const started = await start();
    await started.call('drafts.put', mine);
    await started.call('drafts.put', { draft: { id: '1', action: 'delete', text: null, base: null } });
    const { dropped, change } = await started.call('drafts.drop', { ids: ['7', '1', '99'] });
    expect(dropped).toBe(2);
    expect(await drafts(started)).toEqual([]);
    expect(await started.call('drafts.takeBack', { change })).toEqual({ restored: 2, dropped: 0, left: 0 });
    expect(await drafts(started)).toEqual([
      ['7', '"my work"'],
      ['1', null],
    ]);
  });
});

describe('an id that an earlier line of the file brought', () => {
  const twice = [line('5', '"one"'), line('5', '"two"')];
  const cases: { mode: 'drafts' | 'batches'; pieces: string[] }[] = [
    { mode: 'batches', pieces: [twice.join('')] },
    { mode: 'batches', pieces: twice },
    { mode: 'drafts', pieces: [twice.join('')] },
    { mode: 'drafts', pieces: twice },
  ];
  const outcomes = { overwrite: '"two"', skip: '"one"', stop: '"one"' } as const;
  for (const { mode, pieces } of cases) {
    for (const conflicts of ['overwrite', 'skip', 'stop'] as const) {
      it(`is there already: ${mode}, ${conflicts}, in ${pieces.length} pieces`, async () => {
        const started = await start();
        // Accepted only, so that nothing but the writer knows of it.
        await started.call('writing.setDurability', { durability: 'none' });
        if (mode === 'batches') await started.call('writing.set', { on: true });
        const bring = importer(started, mode, conflicts);
        const results = [];
        for (const [index, piece] of pieces.entries()) results.push(await bring(piece, index + 1));
        expect(results.at(-1)!.refused).toEqual(
          conflicts === 'stop' ? { line: 2, code: 'DRAFT_CONFLICT', message: expect.any(String) } : null,
        );
        expect(results.reduce((sum, { skipped }) => sum + skipped, 0)).toBe(conflicts === 'skip' ? 1 : 0);
        expect(results.every(({ draftsReplaced, draftsKept }) => draftsReplaced + draftsKept === 0)).toBe(true);
        const stored =
          mode === 'batches'
            ? new TextDecoder().decode(started.session.writer!.payloadOf(5n)!)
            : (await drafts(started))[0]![1];
        expect(stored).toBe(outcomes[conflicts]);
      });
    }
  }
});

describe('a line that is not taken', () => {
  const NESTED = `${'['.repeat(200)}${']'.repeat(200)}`;
  it.each([
    ['a NUL byte', '{"id":"9","payload":"\0"}', 'BAD_REQUEST'],
    ['a negative id', line('-1', '1'), 'INVALID_ID'],
    ['an id with a zero before it', line('01', '1'), 'INVALID_ID'],
    ['an id of 2^64', line('18446744073709551616', '1'), 'INVALID_ID'],
    ['an id that is a number', '{"id":9,"payload":1}', 'INVALID_ID'],
    ['a payload nested 200 deep', line('9', NESTED), 'PAYLOAD_REFUSED'],
    ['half of a surrogate pair', line('9', '"\\ud83d"'), 'PAYLOAD_REFUSED'],
    ['a snapshot', '{"op":"snapshot"}', 'BAD_REQUEST'],
    ['a batch with one bad id', '{"op":"batch","entries":[["8",1],["-1",1]]}', 'INVALID_ID'],
  ])('is named by its number and a code, and nothing behind it is taken: %s', async (_name, bad, code) => {
    const started = await start();
    const before = readFileSync(database.log);
    await started.call('writing.set', { on: true });
    const text = `${line('5', '1').replace('\n', '\r\n')}\n${bad.replace('\n', '')}\n${line('6', '1')}`;
    const result = await importer(started, 'batches', 'overwrite')(text, 41);
    expect(result).toMatchObject({ applied: 1, refused: { line: 43, code } });
    const added = readFileSync(database.log).subarray(before.length);
    expect(added.equals(new LogBuilder().store(5, '1').bytes())).toBe(true);
  });
});

describe('a draft that two windows change', () => {
  it('is the later text, and the window that put it is given the other one', async () => {
    const started = await start();
    const put = (text: string, over: string | null) =>
      started.call('drafts.put', { draft: { ...mine.draft, text }, over });
    const first = await put('"a"', null);
    expect(first.replaced).toBeNull();
    expect((await put('"ab"', first.changedAt)).replaced).toBeNull();
    expect((await put('"of another"', null)).replaced).toEqual({ ...mine.draft, text: '"ab"' });
    expect((await put('"of another"', null)).replaced).toBeNull();
  });

  it('is not said to be another one that was made of the same document, whose answer was lost', async () => {
    const started = await start();
    const put = (text: string, document: string) =>
      started.call('drafts.put', { draft: { ...mine.draft, text }, over: null, document });
    await put('"a"', 'd1');
    expect((await put('"ab"', 'd1')).replaced).toBeNull();
    expect((await put('"of another"', 'd2')).replaced).toEqual({ ...mine.draft, text: '"ab"' });
    expect((await started.call('drafts.list', {}))[0]).not.toHaveProperty('document');
  });
});
