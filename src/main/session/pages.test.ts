import { writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { LogBuilder } from '../../core/log-builder.fixture.ts';
import { databaseForEach } from './session.fixture.ts';
import { nextTurn } from './slices.ts';

const database = databaseForEach();
const seed = Date.now() & 0x7fff_ffff;
console.info(`pages.test.ts: seed ${seed}`);

const PAGE = 40;
const PAGES = 5;
/** A slow disk: one read takes as long as a slice may, so that each row of a page has a turn of its own. */
const READ_MILLISECONDS = 25;

test('on a slow disk a page that was cancelled reads nothing more, and those that are wanted come, in whatever order', async () => {
  const log = new LogBuilder();
  for (let id = 0; id < PAGE * PAGES; id++) log.store(id, `"${String(id).padStart(8, '0')}"`);
  const bytes = log.bytes();
  const width = bytes.length / PAGES;
  writeFileSync(database.log, bytes);
  const { session, call } = await database.start();
  const { query } = await call('records.query', { filter: {}, order: { by: 'offset', direction: 'ascending' } });
  const { source } = session.state;
  const read = source.read.bind(source);
  let pagesRead: number[] = [];
  let now = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  vi.spyOn(source, 'read').mockImplementation((offset, length) => {
    pagesRead.push(Math.floor(offset / width));
    now += READ_MILLISECONDS;
    return read(offset, length);
  });
  try {
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 2 }),
        fc.nat(3),
        fc.nat(20),
        async (asked, kept, turns) => {
          const pages = asked.map((page) => {
            const stop = new AbortController();
            const rows = call('records.page', { query, from: page * PAGE, count: PAGE }, { signal: stop.signal });
            return { page, stop, rows: rows.then(({ rows }) => rows.length).catch(({ code }) => code as string) };
          });
          for (let turn = 0; turn < turns; turn++) await nextTurn();
          const wanted = pages[kept % pages.length]!;
          for (const other of pages) if (other !== wanted) other.stop.abort();
          pagesRead = [];
          expect(await wanted.rows).toBe(PAGE);
          expect(new Set(pagesRead)).toEqual(new Set([wanted.page]));
          for (const other of pages) if (other !== wanted) expect(await other.rows).toBe('CANCELLED');
        },
      ),
      { seed, numRuns: 20 },
    );
  } finally {
    vi.restoreAllMocks();
  }
});
