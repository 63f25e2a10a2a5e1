import {
  appendFileSync,
  closeSync,
  openSync,
  readFileSync,
  renameSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { randomNumbers } from '../../core/hostile.fixture.ts';
import { LogBuilder } from '../../core/log-builder.fixture.ts';
import { databaseForEach, type StartedSession } from './session.fixture.ts';

const database = databaseForEach();
const seed = Number(process.env.VELESCOPE_SEED ?? (Math.random() * 0x7fff_ffff) | 0);
const milliseconds = Number(process.env.VELESCOPE_MILLISECONDS ?? 2000);
console.log(`following at random: VELESCOPE_SEED=${seed} VELESCOPE_MILLISECONDS=${milliseconds}`);

/** What ends a call when the log changes under it; anything else is a fault. */
const EXPECTED = new Set([
  'LOG_CHANGED',
  'LOG_REPLACED',
  'LOG_SHRANK',
  'NOT_FOUND',
  'NO_SUCH_QUERY',
  'NO_SUCH_ROW',
  'CANCELLED',
]);

let rejections: unknown[] = [];
const note = (reason: unknown) => rejections.push(reason);
beforeEach(() => {
  rejections = [];
  process.on('unhandledRejection', note);
});
afterEach(() => void process.off('unhandledRejection', note));

/** What can be seen of a log, but for what depends on when it was looked at. */
async function seen({ session, call }: StartedSession) {
  const filter = {};
  const order = { by: 'offset', direction: 'ascending' } as const;
  const { query, total } = await call('records.query', { filter, order });
  const { rows } = await call('records.page', { query, from: 0, count: total });
  const { log, counts, damage, outcomes, snapshot } = session.summary();
  return { rows, log, counts, damage, outcomes, snapshot, map: (await call('log.map', { buckets: 7 })).values };
}

test('whatever another program does to a followed log, no call fails otherwise than is said, and a new scan shows what is there', async () => {
  const next = randomNumbers(seed);
  const { log } = database;
  const record = () => {
    const builder = new LogBuilder();
    for (let count = next() % 5; count >= 0; count--) {
      if (next() % 4 === 0) builder.delete(next() % 30);
      else builder.store(next() % 30, JSON.stringify({ n: next(), text: 'x'.repeat(next() % 300) }));
    }
    return builder.bytes();
  };
  writeFileSync(log, record());
  const size = () => readFileSync(log).length;
  const hands: (() => void)[] = [
    ...Array.from({ length: 8 }, () => () => appendFileSync(log, record())),
    () => appendFileSync(log, record().subarray(0, 9)),
    () => truncateSync(log, next() % (size() + 1)),
    () => utimesSync(log, new Date(), new Date()),
    () => {
      writeFileSync(`${log}.new`, Buffer.concat([record(), record()]));
      renameSync(`${log}.new`, log);
    },
    () => {
      const file = openSync(log, 'r+');
      writeSync(file, Buffer.from([next()]), 0, 1, next() % (size() + 1));
      closeSync(file);
    },
  ];
  const started = await database.start();
  const { session, call } = started;
  const faults: unknown[] = [];
  const attempt = async (work: () => Promise<unknown>) => {
    try {
      await work();
    } catch (thrown) {
      if (!EXPECTED.has((thrown as { code?: string }).code ?? '')) faults.push(thrown);
    }
  };
  const directions = ['ascending', 'descending'] as const;
  const looks: (() => Promise<unknown>)[] = [
    async () => {
      const order = {
        by: (['offset', 'id', 'size', 'versions'] as const)[next() % 4]!,
        direction: directions[next() % 2]!,
      };
      const { query, total } = await call('records.query', { filter: {}, order });
      const { rows } = await call('records.page', { query, from: next() % (total + 1), count: 50 });
      // Rows tell of themselves: an id that was never written is a wrong one.
      for (const row of rows) if ('id' in row && row.verdict === 'ok') expect(Number(row.id)).toBeLessThan(30);
      await call('records.locate', { query, target: { by: 'id', id: String(next() % 30) } });
    },
    () =>
      call('records.query', {
        filter: { text: `"n":${next() % 10}` },
        order: { by: 'offset', direction: 'ascending' },
      }),
    () => call('record.read', { row: next() % (session.state.table.linkedRows + 1) }),
    () => call('record.history', { id: String(next() % 30) }),
    () => call('damage.list', { from: 0, count: 20 }),
    () => call('report.render', { format: 'json' }),
    () => call('log.map', { buckets: 50 }),
    () => call('session.rescan', {}),
    () => call('session.setFollow', { on: true }),
  ];
  await call('session.setFollow', { on: true });
  const outstanding: Promise<void>[] = [];
  const until = performance.now() + milliseconds;
  while (performance.now() < until) {
    hands[next() % hands.length]!();
    const looking = Array.from({ length: 1 + (next() % 4) }, () => attempt(looks[next() % looks.length]!));
    if (next() % 3 === 0) await new Promise((resolve) => setTimeout(resolve, next() % 30));
    if (next() % 2 === 0) await Promise.all(looking);
    else outstanding.push(...looking);
  }
  await call('session.rescan', {});
  await session.settled();
  await Promise.all(outstanding);
  expect(faults).toEqual([]);
  expect(rejections).toEqual([]);
  // Of what may have changed since it was appended the size alone tells nothing: read anew, it is what a fresh look sees.
  expect(await seen(started)).toEqual(await seen(await database.start()));
}, 60_000);

test('a followed log that only grows shows what a fresh scan shows, without being read anew', async () => {
  const next = randomNumbers(seed + 1);
  const { log } = database;
  writeFileSync(log, new LogBuilder().store(1).bytes());
  const started = await database.start();
  await started.call('session.setFollow', { on: true });
  const until = performance.now() + milliseconds / 2;
  let rest: Uint8Array = new Uint8Array(0);
  while (performance.now() < until) {
    if (rest.length === 0) {
      const builder = new LogBuilder();
      for (let count = next() % 40; count >= 0; count--) builder.store(next() % 50, `{"n":${next()}}`);
      rest = builder.bytes();
    }
    // Writes end anywhere, as those of a program that is looked at from outside do.
    const length = 1 + (next() % rest.length);
    appendFileSync(log, rest.subarray(0, length));
    rest = rest.subarray(length);
    await new Promise((resolve) => setTimeout(resolve, next() % 8));
  }
  appendFileSync(log, rest);
  await started.session.catchUp();
  expect(started.session.phase).toBe('ready');
  expect(await seen(started)).toEqual(await seen(await database.start()));
}, 60_000);
