import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator, Page } from '@playwright/test';
import { type App, expect, test } from './app.ts';
import { MADE, makeDatabase, type Store, stores } from './logs.ts';
import { collection, find, grid, pick, replacePayload } from './steps.ts';

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
