import { closeSync, openSync, writeSync } from 'node:fs';
import type { Page, WebSocket } from '@playwright/test';
import { LENGTH_FIELD_OFFSET, Marker, STORE_HEADER_SIZE } from '../src/core/record.ts';
import { crc32OfRange } from '../src/main/engine/crc32.ts';
import { expect, test } from './app.ts';
import { MADE, makeDatabase } from './logs.ts';
import { goTo, grid, pick, skipWithoutRoom, status } from './steps.ts';

const RECORDS = 5_000_000;
const NEEDED_BYTES = 2e9;

/** The payload of a row: its number stands in it, in seven digits always, so that every record is as long as the others. */
const textOf = (row: number): string => `{"n":${1_000_000 + row},"kind":"a"}`;
const RECORD_BYTES = STORE_HEADER_SIZE + textOf(0).length + 4;
/** Ids in no order of the log, no two the same: the multiplier is odd. */
const idOf = (row: number): number => Math.imul(row, 2_654_435_761) >>> 0;
const offsetOf = (row: number): string => `0x${(row * RECORD_BYTES).toString(16).toUpperCase().padStart(8, '0')}`;

/** Writes the log in blocks: nothing is allocated for a record. */
function writeLog(path: string): void {
  const perBlock = 25_000;
  const block = Buffer.alloc(perBlock * RECORD_BYTES);
  const file = openSync(path, 'wx');
  try {
    for (let row = 0; row < RECORDS; ) {
      let at = 0;
      for (; at < block.length && row < RECORDS; row++, at += RECORD_BYTES) {
        block[at] = Marker.crcStore;
        block.writeUInt32LE(idOf(row), at + 1);
        block.writeUInt32LE(0, at + 5);
        block.writeUInt32LE(RECORD_BYTES - STORE_HEADER_SIZE - 4, at + LENGTH_FIELD_OFFSET);
        block.write(textOf(row), at + STORE_HEADER_SIZE, 'latin1');
        block.writeUInt32LE(crc32OfRange(block, at, at + RECORD_BYTES - 4), at + RECORD_BYTES - 4);
      }
      writeSync(file, block, 0, at);
    }
  } finally {
    closeSync(file);
  }
}

/** The row that holds the focus: its number in the list, from 0, and what its cells say. Runs in the page, as text. */
const FOCUSED = `(() => {
  const row = document.activeElement?.closest('[role="row"]');
  if (!row || row.getAttribute('aria-busy') === 'true') return null;
  const cells = [...row.querySelectorAll('[role="rowheader"], [role="gridcell"]')].map((cell) => cell.textContent);
  return { row: Number(row.getAttribute('aria-rowindex')) - 2, id: cells[0], offset: cells[1], preview: cells.at(-1) };
})()`;
const expected = (row: number) => ({ row, id: String(idOf(row)), offset: offsetOf(row), preview: textOf(row) });

/** Every row on the screen, wherever it is: each must be the record that belongs there. */
const SHOWN = `[...document.querySelectorAll('[role="grid"] [role="row"][aria-rowindex][aria-busy="false"]')].map((row) =>
  [Number(row.getAttribute('aria-rowindex')) - 2, row.querySelector('[role="rowheader"]')?.textContent])`;
async function expectShownRowsToBelong(page: Page, near: number): Promise<void> {
  await expect
    .poll(async () => {
      const shown = (await page.evaluate<[number, string][]>(SHOWN)).filter(([row]) => Math.abs(row - near) < 200);
      for (const [row, id] of shown) expect([row, id]).toEqual([row, String(idOf(row))]);
      return shown.length;
    })
    .toBeGreaterThan(10);
}

/** Steps by arrow key; after each the focus must be exactly one row on, on that row's record. */
async function step(page: Page, key: 'ArrowDown' | 'ArrowUp', from: number, count: number): Promise<number> {
  const direction = key === 'ArrowDown' ? 1 : -1;
  for (let done = 1; done <= count; done++) {
    await page.keyboard.press(key);
    await expect.poll(() => page.evaluate(FOCUSED)).toEqual(expected(from + direction * done));
  }
  return from + direction * count;
}

/** Calls and answers of the browser door, each with the time it was seen here. */
function listen(page: Page): { message: Record<string, unknown>; sent: boolean; at: number }[] {
  const seen: { message: Record<string, unknown>; sent: boolean; at: number }[] = [];
  page.on('websocket', (socket: WebSocket) => {
    const note = (sent: boolean) => (frame: { payload: string | Buffer }) => {
      seen.push({ message: JSON.parse(String(frame.payload)) as Record<string, unknown>, sent, at: performance.now() });
    };
    socket.on('framesent', note(true));
    socket.on('framereceived', note(false));
  });
  return seen;
}

test('five million records: every jump shows the right record, arrow keys are exact, a search stops', async ({
  open,
  door,
}) => {
  skipWithoutRoom('five million records', NEEDED_BYTES);

  const made = makeDatabase(writeLog);
  const { page } = await open(made.directory);
  made.remove();
  const seen = listen(page);
  if (door === 'browser') await page.reload();
  await pick(page, MADE);
  await expect(status(page)).toContainText('5,000,000 records');
  await expect(grid(page)).toHaveAttribute('aria-rowcount', String(RECORDS + 1));

  // The last row, and up from there.
  await grid(page).getByRole('rowheader').first().click();
  await page.keyboard.press('ControlOrMeta+End');
  await expect.poll(() => page.evaluate(FOCUSED)).toEqual(expected(RECORDS - 1));
  await page.keyboard.press('ArrowDown');
  await expect.poll(() => page.evaluate(FOCUSED)).toEqual(expected(RECORDS - 1));
  await step(page, 'ArrowUp', RECORDS - 1, 40);
  await expectShownRowsToBelong(page, RECORDS - 41);

  // The middle, by its offset.
  const middle = RECORDS / 2;
  await goTo(page, offsetOf(middle));
  const current = grid(page)
    .getByRole('row')
    .filter({ hasText: textOf(middle) });
  await expect(current).toHaveAttribute('aria-rowindex', String(middle + 2));
  await current.getByRole('rowheader').click();
  await step(page, 'ArrowUp', await step(page, 'ArrowDown', middle, 40), 60);
  await expectShownRowsToBelong(page, middle - 20);

  // By id, far from the middle.
  const wanted = 4_111_222;
  await goTo(page, String(idOf(wanted)));
  const found = grid(page)
    .getByRole('row')
    .filter({ hasText: textOf(wanted) });
  await expect(found).toHaveAttribute('aria-rowindex', String(wanted + 2));
  await expect(page.getByRole('textbox', { name: `Payload of id ${idOf(wanted)}` })).toContainText(
    `"n": ${1_000_000 + wanted}`,
  );
  await found.getByRole('rowheader').click();
  await step(page, 'ArrowDown', wanted, 5);
  await expectShownRowsToBelong(page, wanted);

  // A search that reads every payload, stopped while it runs.
  const search = page.getByRole('textbox', { name: /^Find an id/ });
  await search.fill('$.n >= 1000000');
  const started = performance.now();
  await search.press('Enter');
  const stop = page.getByRole('search').getByRole('button', { name: 'Stop' });
  // It runs: the first rows are here, how many there will be is not known.
  await expect(grid(page)).toHaveAttribute('aria-rowcount', '-1');
  await stop.click();
  const clicked = performance.now();
  await expect(stop).toHaveCount(0);
  await goTo(page, String(idOf(42)));
  await expect(page.getByRole('textbox', { name: `Payload of id ${idOf(42)}` })).toContainText('"n": 1000042');
  console.log(`e2e: ${(performance.now() - clicked).toFixed(0)} ms from Stop to the record that was asked for next`);
  if (door !== 'browser') return;

  const answerTo = (call: (typeof seen)[number] | undefined) =>
    seen.find(({ sent, message }) => !sent && message.type === 'result' && message.call === call?.message.call);
  // What the engine said: it answered the stop, and the search did not go on to the end.
  const request = seen.find(({ sent, at, message }) => sent && message.method === 'records.query' && at > started);
  const { query } = answerTo(request)!.message.value as { query: string };
  const closing = seen.find(
    ({ sent, message }) =>
      sent && message.method === 'records.stopQuery' && (message.params as { query: string }).query === query,
  );
  const answer = answerTo(closing);
  expect(answer).toBeDefined();
  console.log(`e2e: ${(answer!.at - closing!.at).toFixed(0)} ms until the engine answered that the search has stopped`);
  const events = seen
    .filter(({ message }) => message.type === 'event')
    .map(({ message, at }) => ({ at, event: message.event as { event: string; query?: string; total?: number } }))
    .filter(({ event }) => event.event === 'query' && event.query === query);
  // The last word may still be on its way; it tells of no row that was not found by then.
  const last = events.findLast(({ at }) => at > started)?.event;
  expect(last?.total).toBeLessThan(RECORDS);
});
