import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator, Page } from '@playwright/test';
import { type App, expect, test } from './app.ts';
import { MADE, makeDatabase, type Store, stores } from './logs.ts';
import { collection, find, grid, pick, replacePayload, turnWritingOn, velescope } from './steps.ts';

/** The same database twice over: a second collection with the same ids, and texts of its own. */
const OTHER = 'other';

async function openRecords(open: (directory: string) => Promise<App>, ...records: Store[]): Promise<App> {
  const made = makeDatabase((log) => writeFileSync(log, stores(...records)));
  cpSync(join(made.directory, MADE), join(made.directory, OTHER), { recursive: true });
  writeFileSync(
    join(made.directory, OTHER, 'payloads.log'),
    stores(...records.map(({ id }) => ({ id, text: '{"other":1}' }))),
  );
  const app = await open(made.directory);
  made.remove();
  await pick(app.page, MADE);
  return app;
}

const code = (page: Page, id: string): Locator => page.getByRole('textbox', { name: `Payload of id ${id}` });

test('what was typed right before going to another collection is a draft of the one it was typed in', async ({
  open,
}) => {
  const { page } = await openRecords(open, { id: 1n, text: '{"title":"first"}' });
  await find(page, '1');
  await replacePayload(page, '1', '{"typed": "here"}');
  await collection(page, OTHER).click();
  await expect(grid(page)).toContainText('{"other":1}');
  await expect(page.getByRole('button', { name: 'No drafts' })).toBeVisible();
  await collection(page, MADE).click();
  await expect(grid(page)).toContainText('{"typed":');
  await expect(page.getByRole('button', { name: 'Review 1 draft' })).toBeVisible();
});

test('what was typed right before the page is reloaded is a draft afterwards', async ({ open }) => {
  const { page } = await openRecords(open, { id: 1n, text: '{"title":"first"}' });
  await find(page, '1');
  await replacePayload(page, '1', '{"typed": "here"}');
  await page.reload();
  await pick(page, MADE);
  await expect(page.getByRole('button', { name: 'Review 1 draft' })).toBeVisible();
  await expect(grid(page)).toContainText('{"typed":');
});

test('a version restored right after typing is the draft, and what it replaced can be brought back', async ({
  open,
}) => {
  const { page } = await openRecords(
    open,
    { id: 1n, text: '{"title":"older"}' },
    { id: 1n, text: '{"title":"newer"}' },
  );
  await find(page, '1');
  await page.getByRole('tab', { name: /^History/ }).click();
  const restore = page.getByRole('tabpanel', { name: /^History/ }).getByRole('button', { name: 'Restore as a draft' });
  await expect(restore).toBeVisible();
  await page.getByRole('tab', { name: 'Payload' }).click();
  await replacePayload(page, '1', '{"title": "typed"}');
  await page.getByRole('tab', { name: /^History/ }).click();
  await restore.click();
  await page.getByRole('tab', { name: 'Payload' }).click();
  await expect(code(page, '1')).toContainText('"older"');
  await page.getByRole('button', { name: 'Bring the draft back' }).click();
  await expect(code(page, '1')).toContainText('"typed"');
  await expect(page.getByRole('button', { name: 'Review 1 draft' })).toBeVisible();
});

test('typing goes on while a draft is written, and what was typed is a draft of the written record', async ({
  open,
}) => {
  const app = await openRecords(open, { id: 1n, text: '"stored"' });
  const { page } = app;
  await find(page, '1');
  await replacePayload(page, '1', '"first"');
  await page.keyboard.press('ControlOrMeta+S');
  await turnWritingOn(page);
  await expect(page.getByRole('button', { name: 'No drafts' })).toBeVisible();
  await replacePayload(page, '1', '1');
  await page.keyboard.press('ControlOrMeta+S');
  await page.keyboard.type('234', { delay: 20 });
  await page.keyboard.type('567', { delay: 60 });
  await expect(page.getByText(/^Saved 1 record/).last()).toBeVisible();
  await expect(code(page, '1')).toBeFocused();
  await expect(page.getByRole('button', { name: 'Review 1 draft' })).toBeVisible();
  await expect(page.getByText('This record changed in the log since the draft began.')).toHaveCount(0);
  await page.keyboard.press('ControlOrMeta+S');
  await expect(page.getByRole('button', { name: 'No drafts' })).toBeVisible();
  // However many of the digits were there when the first of the two was written.
  const versions = velescope('history', join(app.directory, MADE), '1').map(({ payload }) => String(payload));
  expect(versions.at(-1)).toBe('1234567');
  expect('1234567'.startsWith(versions.at(-2)!)).toBe(true);
});

test('two windows on one directory show and keep the drafts of each other', async ({ open, door }) => {
  test.skip(door === 'electron', 'the desktop application has one window');
  const app = await openRecords(open, { id: 1n, text: '"one"' }, { id: 2n, text: '"two"' });
  const { page } = app;
  const second = await page.context().newPage();
  await second.goto(app.address!);
  await pick(second, MADE);
  await find(page, '1');
  await replacePayload(page, '1', '"from the first"');
  await find(second, '2');
  await replacePayload(second, '2', '"from the second"');
  for (const shown of [page, second])
    await expect(shown.getByRole('button', { name: 'Review 2 drafts' })).toBeVisible();
  // What one has on the screen is what will be written, whoever typed it.
  await page.getByRole('textbox', { name: /^Find an id/ }).fill('2');
  await page.keyboard.press('Enter');
  await grid(page).getByRole('rowheader', { name: '2', exact: true }).click();
  await expect(code(page, '2')).toContainText('from the second');
  await replacePayload(second, '2', '"again"');
  await expect(code(page, '2')).toContainText('again');
  await second.close();
  await app.restart();
  await pick(app.page, MADE);
  await expect(app.page.getByRole('button', { name: 'Review 2 drafts' })).toBeVisible();
});
