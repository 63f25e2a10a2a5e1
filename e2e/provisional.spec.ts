import { closeSync, openSync, statfsSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Locator, Page, WebSocket } from '@playwright/test';
import { IdIndex } from '../src/core/id-index.ts';
import { LENGTH_FIELD_OFFSET, Marker, STORE_HEADER_SIZE } from '../src/core/record.ts';
import { encodeSnapshot } from '../src/core/snapshot.ts';
import { crc32, crc32OfRange } from '../src/main/engine/crc32.ts';
import { expect, test } from './app.ts';
import { MADE, makeDatabase } from './logs.ts';
import { collection, grid, status } from './steps.ts';

/** Enough for a scan of seconds: how many records there are decides that, more than how many bytes. */
const RECORDS = 8_000_000;
/** So few ids that the snapshot is read in no time: what is asked for is found while most of the log is still to be scanned. */
const IDS = 80_000;
const NEEDED_BYTES = 2e9;

/** The payload of a row: its number stands in it, in seven digits always, so that every record is as long as the others. */
const textOf = (row: number): string => `{"n":${1_000_000 + row}}`;
const RECORD_BYTES = STORE_HEADER_SIZE + textOf(0).length + 4;
const idOf = (row: number): number => row % IDS;
/** An id whose entry in the snapshot points to the record of another. */
const WRONG = idOf(RECORDS - 7);

/** The log in blocks, nothing allocated for a record; and the snapshot of all of it, one entry of which is wrong. */
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
  const index = new IdIndex(IDS);
  for (let row = RECORDS - IDS; row < RECORDS; row++) {
    index.set(idOf(row), 0, (idOf(row) === WRONG ? row - 1 : row) * RECORD_BYTES + LENGTH_FIELD_OFFSET);
  }
  writeFileSync(join(dirname(path), 'payloads.snapshot'), encodeSnapshot(RECORDS * RECORD_BYTES, index, crc32));
}

const rowsOf = (page: Page, id: number, word: string): Locator =>
  grid(page)
    .getByRole('row')
    .filter({ has: page.getByRole('rowheader', { name: String(id), exact: true }) })
    .filter({ hasText: word });

async function goTo(page: Page, place: string): Promise<void> {
  await page.keyboard.press('ControlOrMeta+G');
  await page.getByRole('dialog', { name: 'Go to' }).getByRole('textbox').fill(place);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog')).toHaveCount(0);
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
  const { bavail, bsize } = statfsSync(tmpdir());
  const skipped =
    process.env.VELESCOPE_SKIP_SCALE !== undefined
      ? 'VELESCOPE_SKIP_SCALE is set'
      : bavail * bsize < NEEDED_BYTES
        ? `${tmpdir()} has less than ${NEEDED_BYTES / 1e9} GB free`
        : null;
  if (skipped !== null) console.warn(`e2e: rows from a snapshot not run: ${skipped}`);
  test.skip(skipped !== null, skipped ?? '');

  const made = makeDatabase(writeLog);
  const { page } = await open(made.directory);
  made.remove();
  const seen = listen(page);
  if (door === 'browser') await page.reload();
  await collection(page, MADE).click();

  // Said in the status bar, and before the scan is through.
  await expect(status(page)).toContainText(/List from the snapshot; \d+ % verified/);
  const row = RECORDS - 40;
  const id = idOf(row);
  await goTo(page, String(id));
  await expect(page.getByRole('textbox', { name: `Payload of id ${id}` })).toContainText(`"n": ${1_000_000 + row}`);
  await expect(rowsOf(page, id, 'Not yet verified')).toHaveCount(1);
  await expect(page.getByRole('complementary', { name: 'Record' })).toContainText('Not yet verified');
  await expect(status(page)).toContainText('List from the snapshot');
  // A wrong entry is no data.
  await goTo(page, String(WRONG));
  await expect(page.getByRole('heading', { name: 'The snapshot points elsewhere' })).toBeVisible();
  await expect(page.getByRole('textbox', { name: `Payload of id ${WRONG}` })).toHaveCount(0);
  await goTo(page, String(id));
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
  await expect(rowsOf(page, id, 'Intact')).toHaveAttribute('aria-rowindex', String(row + 2));
  await expect(page.getByRole('textbox', { name: `Payload of id ${id}` })).toContainText(`"n": ${1_000_000 + row}`);
  await expect(page.getByRole('complementary', { name: 'Record' })).toContainText('Intact');
  await goTo(page, String(WRONG));
  await expect(page.getByRole('textbox', { name: `Payload of id ${WRONG}` })).toContainText(
    `"n": ${1_000_000 + RECORDS - 7}`,
  );
});
