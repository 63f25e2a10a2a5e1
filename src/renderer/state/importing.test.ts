import { beforeEach, expect, test } from 'vitest';
import { VelescopeError } from '../../shared/errors.ts';
import type { Method, Params, Result } from '../../shared/protocol.ts';
import { setConnection } from '../connection/current.ts';
import { createFixture } from '../testing/client.fixture.ts';
import { importFile, outcomeWords, undoOfImport, useImport } from './importing.ts';
import { useJobs } from './jobs.ts';

const LINE = `${'x'.repeat(99)}\n`;
/** Sixteen pieces. */
const FILE = new Blob([LINE.repeat(40_000)]);

type Answer = (params: Params<'import.lines'>, piece: number) => Result<'import.lines'>;
const taken = (text: string): Result<'import.lines'> => ({
  applied: text.split('\n').length - 1,
  skipped: 0,
  draftsReplaced: 0,
  draftsKept: 0,
  refused: null,
  change: null,
});

let asked: Params<'import.lines'>[];
beforeEach(() => {
  asked = [];
  useImport.setState({ running: null, outcome: null });
});

/** An engine that answers pieces as told. */
function answerWith(answer: Answer): void {
  const { client } = createFixture(1);
  const call = async (method: Method, params: never): Promise<unknown> => {
    if (method !== 'import.lines') return client.call(method, params);
    asked.push(params);
    await new Promise((resolve) => setTimeout(resolve));
    return answer(params, asked.length);
  };
  setConnection({ client: { ...client, call: call as never }, openDropped: null, platform: 'other', onLost: () => {} });
}

const start = () => importFile('s1', FILE, 'batches', 'skip');

test('all pieces of a file are one group', async () => {
  answerWith(({ text }) => taken(text));
  const outcome = await start();
  expect(outcome).toMatchObject({ applied: 40_000, lastLine: 40_000, end: { is: 'done' } });
  expect(asked.length).toBeGreaterThan(2);
  expect(new Set(asked.map(({ group }) => group)).size).toBe(1);
  expect(useJobs.getState().jobs).toEqual([]);
  expect(undoOfImport(outcome)).not.toBeNull();
});

test('a cancelled import counts the piece that was on its way, and asks for no other', async () => {
  answerWith(({ text }, piece) => {
    if (piece === 2) useImport.getState().running!.cancel();
    return taken(text);
  });
  const outcome = await start();
  expect(asked).toHaveLength(2);
  const lines = asked.reduce((sum, { text }) => sum + text.split('\n').length - 1, 0);
  expect(outcome).toMatchObject({ applied: lines, lastLine: lines, end: { is: 'cancelled' } });
  expect(outcomeWords(outcome).join(' ')).toContain(`Cancelled after line ${lines.toLocaleString('en-US')}:`);
});

test('a refused line ends it, and everything before that line is said to be taken', async () => {
  answerWith(({ text, firstLine }, piece) =>
    piece === 1
      ? taken(text)
      : { ...taken('a\nb\n'), refused: { line: firstLine + 2, code: 'PAYLOAD_REFUSED', message: 'No.' } },
  );
  const outcome = await start();
  const { firstLine } = asked[1]!;
  expect(outcome.end).toEqual({ is: 'refused', line: firstLine + 2, code: 'PAYLOAD_REFUSED', message: 'No.' });
  expect(outcome.lastLine).toBe(firstLine + 1);
});

test('a piece that could not be written is not counted, and the lines before it are', async () => {
  answerWith(({ text }, piece) => {
    if (piece === 2) throw new VelescopeError('DISK_FULL', 'The disk is full.');
    return taken(text);
  });
  const outcome = await start();
  expect(outcome).toMatchObject({ lastLine: asked[1]!.firstLine - 1, end: { is: 'failed', unknown: null } });
  expect(outcomeWords(outcome).join(' ')).toMatch(/Stopped after line 2,\d\d\d: The disk is full\./);
});

test('where the answer is lost it is said of which lines nothing is known', async () => {
  answerWith(({ text }, piece) => {
    if (piece === 2) throw new VelescopeError('DISCONNECTED', 'The server ended.');
    return taken(text);
  });
  const outcome = await start();
  const { firstLine } = asked[1]!;
  expect(outcome.end).toMatchObject({ is: 'failed', unknown: { from: firstLine } });
  expect(outcomeWords(outcome).join(' ')).toContain('it is not known whether they were taken');
});

test('an import that took nothing has nothing to take back', async () => {
  answerWith(() => ({ ...taken(''), applied: 0, refused: { line: 1, code: 'DRAFT_CONFLICT', message: 'There.' } }));
  expect(undoOfImport(await start())).toBeNull();
});
