import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Locator, Page, WebSocket } from '@playwright/test';
import { IdIndex } from '../src/core/id-index.ts';
import { CRC_DELETE_SIZE, CRC_SIZE, LENGTH_FIELD_OFFSET, Marker, STORE_HEADER_SIZE } from '../src/core/record.ts';
import { encodeSnapshot } from '../src/core/snapshot.ts';
import { crc32, crc32OfRange } from '../src/main/engine/crc32.ts';
import { expect, test } from './app.ts';
import { MADE, makeDatabase } from './logs.ts';
import { collection, goTo, grid, skipWithoutRoom, status } from './steps.ts';

/** Enough for a scan of seconds: how many records there are decides that, more than how many bytes. */
const DELETES = 12_000_000;
const STORES = 1_000_000;
/** So few ids that the snapshot is read in no time: what is asked for is found while most of the log is still to be scanned. */
const IDS = 80_000;
const NEEDED_BYTES = 2e9;

/** The payload of a store: its number stands in it, in seven digits always, so that every record is as long as the others. */
const textOf = (store: number): string => `{"n":${1_000_000 + store}}`;
const STORE_BYTES = STORE_HEADER_SIZE + textOf(0).length + CRC_SIZE;
const idOf = (record: number): number => record % IDS;
/** An id whose entry in the snapshot points to the record of another. */
const WRONG = idOf(STORES - 7);

/** The deletes, then the stores, in blocks, nothing allocated for a record; and the snapshot of it all, one entry of which is wrong. */
function writeLog(path: string): void {
  const perBlock = 20_000;
  const block = Buffer.alloc(perBlock * STORE_BYTES);
  const file = openSync(path, 'wx');
  const write = (count: number, bytes: number, marker: number, fill: (record: number, at: number) => void) => {
    for (let record = 0; record < count; ) {
      let at = 0;
      for (const to = Math.min(count, record + perBlock); record < to; record++, at += bytes) {
        block[at] = marker;
        block.writeUInt32LE(idOf(record), at + 1);
        block.writeUInt32LE(0, at + 5);
        fill(record, at);
        block.writeUInt32LE(crc32OfRange(block, at, at + bytes - CRC_SIZE), at + bytes - CRC_SIZE);
      }
      writeSync(file, block, 0, at);
    }
  };
  try {
    write(DELETES, CRC_DELETE_SIZE, Marker.crcDelete, () => {});
    write(STORES, STORE_BYTES, Marker.crcStore, (store, at) => {
      block.writeUInt32LE(textOf(store).length, at + LENGTH_FIELD_OFFSET);
      block.write(textOf(store), at + STORE_HEADER_SIZE, 'latin1');
    });
  } finally {
    closeSync(file);
  }
  const offsetOf = (store: number): number => DELETES * CRC_DELETE_SIZE + store * STORE_BYTES;
  const index = new IdIndex(IDS);
  for (let store = STORES - IDS; store < STORES; store++) {
    index.set(idOf(store), 0, offsetOf(idOf(store) === WRONG ? store - 1 : store) + LENGTH_FIELD_OFFSET);
  }
  writeFileSync(join(dirname(path), 'payloads.snapshot'), encodeSnapshot(offsetOf(STORES), index, crc32));
}

const rowsOf = (page: Page, id: number, word: string): Locator =>
  grid(page)
    .getByRole('row')
    .filter({ has: page.getByRole('rowheader', { name: String(id), exact: true }) })
    .filter({ hasText: word });

const heightOf = async (locator: Locator): Promise<number> => (await locator.boundingBox())!.height;

/** How far below the grid's upper edge a row stands, in pixels; not a number while a list that was made anew is being drawn. */
async function heightInGrid(page: Page, row: Locator): Promise<number> {
  const [inner, outer] = await Promise.all([row.boundingBox(), grid(page).boundingBox()]);
  return (inner?.y ?? Number.NaN) - (outer?.y ?? Number.NaN);
}

/** The phases of the scan and the answers to calls, in the order in which they arrived. */
function listen(page: Page): { phase?: string; call?: number; method?: string }[] {
  const seen: { phase?: string; call?: number; method?: string }[] = [];
  const methods = new Map<number, string>();
  page.on('websocket', (socket: WebSocket) => {
    socket.on('framesent', ({ payload }) => {
      const message = JSON.parse(String(payload)) as { type: string; call: number; method: string };
      if (message.type === 'call') methods.set(message.call, message.method);
    });
    socket.on('framereceived', ({ payload }) => {
      const message = JSON.parse(String(payload)) as {
        type: string;
        call: number;
        event?: { event: string; summary: { phase: string } };
      };
      if (message.type === 'event' && message.event?.event === 'session')
        seen.push({ phase: message.event.summary.phase });
      if (message.type === 'result') seen.push({ call: message.call, method: methods.get(message.call)! });
    });
  });
  return seen;
}

test('with a snapshot, an id near the end is found and read while the log is scanned, and marked until the scan comes to it', async ({
  open,
  door,
}) => {
  skipWithoutRoom('rows from a snapshot', NEEDED_BYTES);

  const made = makeDatabase(writeLog);
  const { page } = await open(made.directory);
  made.remove();
  const seen = listen(page);
  if (door === 'browser') await page.reload();
  await collection(page, MADE).click();

  // Said in the status bar, and before the scan is through.
  await expect(status(page)).toContainText(/List from the snapshot; \d+ % verified/);
  const store = STORES - 40;
  const id = idOf(store);
  await goTo(page, String(id));
  await expect(page.getByRole('textbox', { name: `Payload of id ${id}` })).toContainText(`"n": ${1_000_000 + store}`);
  await expect(rowsOf(page, id, 'Not yet verified')).toHaveCount(1);
  await expect(page.getByRole('complementary', { name: 'Record' })).toContainText('Not yet verified');
  await expect(status(page)).toContainText('List from the snapshot');
  // A wrong entry is no data.
  await goTo(page, String(WRONG));
  await expect(page.getByRole('heading', { name: 'The snapshot points elsewhere' })).toBeVisible();
  await expect(page.getByRole('textbox', { name: `Payload of id ${WRONG}` })).toHaveCount(0);
  await goTo(page, String(id));
  await grid(page).hover();
  await page.mouse.wheel(0, 130);
  const shown = rowsOf(page, id, '');
  let before = Number.NaN;
  const upperHalf = (await heightOf(grid(page))) / 2 - 100;
  await expect
    .poll(async () => {
      before = await heightInGrid(page, shown);
      return before;
    })
    .toBeLessThan(upperHalf);
  await expect(status(page)).toContainText('List from the snapshot');
  const verified = /(\d+) % verified/.exec((await status(page).textContent()) ?? '')?.[1];
  console.log(`e2e: ${verified} % of the log scanned when everything had been looked up`);
  const scanned = seen.findIndex(({ phase }) => phase !== undefined && phase !== 'scanning');
  if (door === 'browser') {
    expect(seen.filter(({ method }) => method === 'record.readAt').length).toBeGreaterThan(1);
    expect(scanned).toBe(-1);
  }

  // The same record is still selected and on the screen, at its row, and nothing is marked any more.
  await expect(status(page)).toContainText(/Checking payloads|Scan complete/, { timeout: 60_000 });
  await expect(grid(page).getByText('Not yet verified')).toHaveCount(0);
  await expect(rowsOf(page, id, 'Intact')).toHaveCount(1);
  await expect(shown).toHaveAttribute('aria-rowindex', String(DELETES + store + 2));
  // Where it was on the screen, although the list before it grew by millions of rows.
  await expect.poll(async () => Math.abs((await heightInGrid(page, shown)) - before)).toBeLessThan(2);
  await expect(page.getByRole('textbox', { name: `Payload of id ${id}` })).toContainText(`"n": ${1_000_000 + store}`);
  await expect(page.getByRole('complementary', { name: 'Record' })).toContainText('Intact');
  await goTo(page, String(WRONG));
  await expect(page.getByRole('textbox', { name: `Payload of id ${WRONG}` })).toContainText(
    `"n": ${1_000_000 + STORES - 7}`,
  );
});
