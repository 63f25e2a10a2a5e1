import {
  closeSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from '@playwright/test';
import { LogBuilder } from '../src/core/log-builder.fixture.ts';
import { type App, expect, startServer, test } from './app.ts';
import { MADE, makeDatabase, type Store, stores } from './logs.ts';
import { find, grid, pick, replacePayload, runCommand, status, stored, turnWritingOn, velescope } from './steps.ts';

/** Drafts, import and undo in their corners: what a person has typed or imported is never lost without a word. */

test.skip(({ door }) => door !== 'browser', 'servers are started, killed and written beside here');

let home = '';
test.beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'velescope-trust-'));
});
test.afterEach(() => {
  // A test that is skipped made none.
  if (home !== '') rmSync(home, { recursive: true, force: true });
});

async function openRecords(open: (directory: string) => Promise<App>, ...records: Store[]): Promise<App> {
  const made = makeDatabase((log) => writeFileSync(log, stores(...records)));
  const app = await open(made.directory);
  made.remove();
  await pick(app.page, MADE);
  return app;
}

const drafts = (page: Page, count: number) =>
  page.getByRole('button', { name: count === 0 ? 'No drafts' : `Review ${count} draft${count === 1 ? '' : 's'}` });

/** Selects the row of an id, whether it has a draft or not. */
async function select(page: Page, id: string): Promise<void> {
  const search = page.getByRole('textbox', { name: /^Find an id/ });
  await search.fill(id);
  await search.press('Enter');
  await grid(page).getByRole('rowheader', { name: id, exact: true }).last().click();
}

async function stageDelete(page: Page, id: string): Promise<void> {
  await find(page, id);
  await runCommand(page, 'Delete this record…');
  await page.getByRole('button', { name: 'Stage the delete' }).click();
}

async function openImport(page: Page, file: string | { name: string; mimeType: string; buffer: Buffer }) {
  await runCommand(page, 'Import records…');
  const dialog = page.getByRole('dialog', { name: 'Import records' });
  await dialog.getByLabel('File').setInputFiles(file);
  return dialog;
}

const text = (content: string | Uint8Array) => ({
  name: 'records.ndjson',
  mimeType: 'application/x-ndjson',
  buffer: Buffer.from(content),
});

test('dropped drafts come back: by the notice, by the key, one and all', async ({ open }) => {
  const { page } = await openRecords(open, { id: 1n, text: '"one"' }, { id: 2n, text: '"two"' });
  await stageDelete(page, '1');
  await expect(drafts(page, 1)).toBeVisible();
  await runCommand(page, 'Drop the draft of this record');
  await expect(drafts(page, 0)).toBeVisible();
  await page.getByRole('button', { name: 'Bring the draft back' }).click();
  await expect(drafts(page, 1)).toBeVisible();

  await runCommand(page, 'Drop the draft of this record');
  await expect(drafts(page, 0)).toBeVisible();
  await grid(page).getByRole('rowheader').first().click();
  await page.keyboard.press('ControlOrMeta+Z');
  await expect(drafts(page, 1)).toBeVisible();

  await find(page, '2');
  await replacePayload(page, '2', '"typed right before"');
  await drafts(page, 1).click();
  const review = page.getByRole('dialog', { name: /Review/ });
  await expect(review.getByRole('listitem', { name: /^Draft of id/ })).toHaveCount(2);
  await review.getByRole('button', { name: 'Drop the draft of id 1' }).click();
  await expect(review.getByRole('listitem', { name: /^Draft of id/ })).toHaveCount(1);
  await review.getByRole('button', { name: 'Bring back' }).click();
  await expect(review.getByRole('listitem', { name: /^Draft of id/ })).toHaveCount(2);
  await review.getByRole('button', { name: 'Drop all' }).click();
  await expect(review.getByText('There are no drafts.')).toBeVisible();
  await page.keyboard.press('ControlOrMeta+Z');
  await expect(review.getByRole('listitem', { name: 'Draft of id 2' })).toContainText('typed right before');
  await page.keyboard.press('Escape');
  await expect(drafts(page, 2)).toBeVisible();
});

test('an import as drafts says what it would replace, and what it replaced comes back', async ({ open }) => {
  const { page } = await openRecords(open, { id: 1n, text: '"one"' });
  await find(page, '1');
  await replacePayload(page, '1', '"my work"');
  await expect(drafts(page, 1)).toBeVisible();
  const lines = '{"id":"5","payload":5}\n{"id":"1","payload":"imported"}\n';
  const dialog = await openImport(page, text(lines));
  await dialog.getByRole('button', { name: 'Import', exact: true }).click();
  await expect(dialog.getByRole('status')).toContainText('Stopped at line 2: There is a draft of id 1 already.');
  await dialog.getByRole('radio', { name: /^Take them/ }).check();
  await dialog.getByRole('button', { name: 'Import', exact: true }).click();
  await expect(dialog.getByRole('status')).toContainText('2 drafts that were there replaced.');
  await dialog.getByRole('button', { name: 'Undo the import' }).click();
  await expect(drafts(page, 2)).toBeVisible();
  await select(page, '1');
  await expect(page.getByRole('textbox', { name: 'Payload of id 1' })).toContainText('my work');
});

test('a draft is there after the server was killed right behind it', async ({ chromium }) => {
  const made = makeDatabase((log) => writeFileSync(log, stores({ id: 1n, text: '"one"' })));
  const visit = async (browser: Browser, address: string) => {
    const page = await (await browser.newContext()).newPage();
    await page.goto(address);
    await pick(page, MADE);
    return page;
  };
  const first = await startServer(made.directory, home);
  const page = await visit(await chromium(), first.address);
  await find(page, '1');
  await replacePayload(page, '1', '"before the end"');
  await expect(drafts(page, 1)).toBeVisible();
  first.process.kill('SIGKILL');
  await expect(page.getByText(/connection to Velescope was lost/).first()).toBeVisible();
  const second = await startServer(made.directory, home);
  const again = await visit(await chromium(), second.address);
  await expect(drafts(again, 1)).toBeVisible();
  await select(again, '1');
  await expect(again.getByRole('textbox', { name: 'Payload of id 1' })).toContainText('before the end');
  await again.context().close();
  await page.context().close();
  await second.stop();
  made.remove();
});

test('two servers on one directory show and keep the drafts of each other', async ({ chromium }) => {
  const made = makeDatabase((log) => writeFileSync(log, stores({ id: 1n, text: '"one"' }, { id: 2n, text: '"two"' })));
  const servers = [await startServer(made.directory, home), await startServer(made.directory, home)];
  const pages: Page[] = [];
  for (const { address } of servers) {
    const page = await (await (await chromium()).newContext()).newPage();
    await page.goto(address);
    await pick(page, MADE);
    pages.push(page);
  }
  await Promise.all(pages.map((page, index) => find(page, String(index + 1))));
  await Promise.all(pages.map((page, index) => replacePayload(page, String(index + 1), `"by server ${index + 1}"`)));
  for (const page of pages) {
    await expect(drafts(page, 2)).toBeVisible();
    await page.context().close();
  }
  for (const server of servers) await server.stop();
  made.remove();
});

const COUNT = 200_000;
const payload = (id: number) => `{"n":${id},"text":"${'abcdefgh '.repeat(8)}"}`;

test('a long import is cancelled at once, says how far it came, is completed by skipping, and taken back whole', async ({
  open,
}) => {
  test.setTimeout(180_000);
  const { page, directory } = await openRecords(open, { id: 7n, text: '"seven"' });
  const collection = join(directory, MADE);
  const file = join(home, 'many.ndjson');
  const lines = Array.from({ length: COUNT }, (_, id) => `{"id":"${id}","payload":${payload(id)}}\n`);
  writeFileSync(file, lines.join(''));
  const again = await openImport(page, file);
  await again.getByRole('radio', { name: 'Straight as batches' }).check();
  await again.getByRole('radio', { name: 'Overwrite what the log holds' }).check();
  await again.getByRole('button', { name: 'Import', exact: true }).click();
  await expect(again.getByRole('button', { name: /^Importing ([2-9]|\d\d) %/ })).toBeVisible();
  await again.getByRole('button', { name: 'Cancel the import' }).click();
  const said = again.getByRole('status');
  await expect(said).toContainText('Cancelled after line');
  const words = (await said.textContent())!;
  const taken = Number(/^([\d,]+) records? taken/.exec(words)![1]!.replaceAll(',', ''));
  const last = Number(/after line ([\d,]+)/.exec(words)![1]!.replaceAll(',', ''));
  expect(taken).toBe(last);
  expect(taken).toBeGreaterThan(0);
  expect(taken).toBeLessThan(COUNT);
  expect(velescope('verify', collection)).toMatchObject([{ log: { stores: taken + 1, gaps: 0, damagedBytes: 0 } }]);

  await again.getByRole('radio', { name: 'Skip ids the log holds' }).check();
  await again.getByRole('button', { name: 'Import', exact: true }).click();
  await expect(said).toContainText('taken', { timeout: 60_000 });
  await expect(said).not.toContainText('Cancelled');
  await expect(said).toContainText(`${taken.toLocaleString('en-US')} skipped.`, { timeout: 60_000 });
  expect(velescope('verify', collection)).toMatchObject([{ log: { stores: COUNT + 1, gaps: 0, damagedBytes: 0 } }]);

  await again.getByRole('button', { name: 'Undo the import' }).click();
  const undo = page.getByRole('dialog', { name: 'Undo the last write?' });
  await expect(undo).toContainText(`not there before: ${(COUNT - taken).toLocaleString('en-US')} records`);
  const { size } = statSync(join(collection, 'payloads.log'));
  await undo.getByRole('button', { name: /^Undo/ }).click();
  await expect(page.getByText(/^Undone: the previous state of/).first()).toBeVisible({ timeout: 60_000 });
  expect(statSync(join(collection, 'payloads.log')).size).toBeGreaterThan(size);
  const verified = velescope('verify', collection);
  expect(verified).toMatchObject([{ log: { damagedBytes: 0 }, generations: { 'v3.12': { live: taken } } }]);
});

test('an undo leaves alone what somebody else wrote since, and says so first', async ({ open }) => {
  const { page, directory } = await openRecords(open, { id: 1n, text: '"one"' }, { id: 2n, text: '"two"' });
  const collection = join(directory, MADE);
  for (const id of ['1', '2']) {
    await find(page, id);
    await replacePayload(page, id, '"over"');
    await expect(drafts(page, Number(id))).toBeVisible();
  }
  await drafts(page, 2).click();
  await page.getByRole('button', { name: 'Write 2 changes' }).click();
  await turnWritingOn(page);
  await expect(drafts(page, 0)).toBeVisible();
  const writing = status(page).getByRole('switch', { name: /^Writing/ });
  await writing.click();
  await expect(writing).not.toBeChecked();
  const log = join(collection, 'payloads.log');
  writeFileSync(log, Buffer.concat([readFileSync(log), new LogBuilder().store(2, '"by VelesDB"').bytes()]));
  await runCommand(page, 'Undo the last write');
  await turnWritingOn(page);
  const undo = page.getByRole('dialog', { name: 'Undo the last write?' });
  await expect(undo.getByRole('alert')).toContainText('1 id was written to since');
  await expect(undo.getByRole('alert')).toContainText('2');
  expect(stored(collection, '1')).toBe('over');
  await undo.getByRole('button', { name: 'Undo 1 record' }).click();
  await expect(page.getByText(/1 record written to since left as/).first()).toBeVisible();
  expect(stored(collection, '1')).toBe('one');
  expect(stored(collection, '2')).toBe('by VelesDB');
});

test('a file that is no import is refused by line and code, and what came before it is taken', async ({ open }) => {
  const { page, directory } = await openRecords(open, { id: 1n, text: '"one"' });
  const good = '{"id":"70","payload":70}';
  const huge = join(home, 'huge.ndjson');
  const descriptor = openSync(huge, 'w');
  writeSync(descriptor, `${good}\n{"id":"71","payload":"`);
  // A line of one gigabyte, for which no disk is needed.
  ftruncateSync(descriptor, 1e9);
  closeSync(descriptor);
  const files: { content: Parameters<typeof openImport>[1]; says: RegExp; code: string }[] = [
    { content: huge, says: /Stopped at line 2: The line is longer than/, code: 'TOO_LARGE' },
    { content: text(`${good}\n\0\0\0\n`), says: /Stopped at line 2/, code: 'BAD_REQUEST' },
    {
      content: text(Buffer.from(`${good}\r\n{"id":"71","payload":"\xff"}`, 'latin1')),
      says: /line 2: .*UTF-8/,
      code: 'BAD_REQUEST',
    },
    { content: text(`\ufeff${good}\r\n{"id":"-1","payload":1}`), says: /Stopped at line 2/, code: 'INVALID_ID' },
    { content: text(`${good}\n{"id":"71","payload":"\\ud83d"}`), says: /Stopped at line 2/, code: 'PAYLOAD_REFUSED' },
  ];
  for (const { content, says, code } of files) {
    const dialog = await openImport(page, content);
    await dialog.getByRole('radio', { name: /^Take them/ }).check();
    await dialog.getByRole('button', { name: 'Import', exact: true }).click();
    await expect(dialog.getByRole('status')).toContainText(says, { timeout: 30_000 });
    await expect(dialog.getByRole('status')).toContainText(code);
    await expect(dialog.getByRole('status')).toContainText('1 record taken');
    await page.keyboard.press('Escape');
  }
  await expect(drafts(page, 1)).toBeVisible();
  expect(stored(join(directory, MADE), '70')).toBeNull();
});

test('two windows that edit one id: the later text is the draft, and the other one is offered back', async ({
  open,
}) => {
  const app = await openRecords(open, { id: 1n, text: '"one"' });
  const second = await app.page.context().newPage();
  await second.goto(app.address!);
  await pick(second, MADE);
  await find(app.page, '1');
  await find(second, '1');
  await replacePayload(app.page, '1', '"of the first"');
  await replacePayload(second, '1', '"of the second"');
  const [winner, loser] = await Promise.race(
    [[second, 'of the first'] as const, [app.page, 'of the second'] as const].map(async ([page, text]) => {
      await page.getByRole('button', { name: 'Bring the other back' }).waitFor();
      return [page, text] as const;
    }),
  );
  await winner.getByRole('button', { name: 'Bring the other back' }).click();
  for (const page of [app.page, second]) {
    await expect(page.getByRole('textbox', { name: 'Payload of id 1' })).toContainText(loser);
  }
  await second.close();
});
