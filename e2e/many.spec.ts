import { writeFileSync } from 'node:fs';
import { expect, test } from './app.ts';
import { MADE, makeDatabase, type Store, stores } from './logs.ts';
import { goTo, grid, pick, runCommand } from './steps.ts';

/** Lists that are as long as the data: what is on the screen exists, and every place of them can be reached. */

const DRAFTS = 5_000;
const VERSIONS = 20_000;

async function openRecords(
  open: (directory: string) => Promise<{ page: import('@playwright/test').Page }>,
  ...records: Store[]
) {
  const made = makeDatabase((log) => writeFileSync(log, stores(...records)));
  const app = await open(made.directory);
  made.remove();
  await pick(app.page, MADE);
  return app;
}

test(`${DRAFTS} drafts are reviewed: those on the screen exist, the last is reached`, async ({ open }) => {
  const { page } = await openRecords(open, { id: 1_000_000n, text: '{"n":0}' });
  const lines = Array.from({ length: DRAFTS }, (_, index) => `{"id":"${index + 1}","payload":{"n":${index}.0}}`);
  await runCommand(page, 'Import records…');
  const dialog = page.getByRole('dialog', { name: 'Import records' });
  const buffer = Buffer.from(lines.join('\n'));
  await dialog.getByLabel('File').setInputFiles({ name: 'drafts.ndjson', mimeType: 'application/x-ndjson', buffer });
  await dialog.getByRole('radio', { name: 'As drafts' }).check();
  await dialog.getByRole('button', { name: 'Import', exact: true }).click();
  await expect(dialog.getByRole('status')).toContainText('5,000');
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: /^Review 5,?000 drafts$/ }).click();
  const review = page.getByRole('dialog', { name: /^Review and write/ });
  const items = review.getByRole('listitem');
  await expect(items.first()).toHaveAttribute('aria-setsize', String(DRAFTS));
  await expect(review.getByRole('listitem', { name: 'Draft of id 1', exact: true })).toBeInViewport();
  expect(await items.count()).toBeLessThan(30);
  await items.first().hover();
  await expect(async () => {
    await page.mouse.wheel(0, 10_000_000);
    await expect(review.getByRole('listitem', { name: `Draft of id ${DRAFTS}`, exact: true })).toBeInViewport({
      timeout: 500,
    });
  }).toPass();
  await expect(review.getByRole('button', { name: 'Write 5,000 changes' })).toBeEnabled();
});

test(`${VERSIONS} versions of one id are listed: it begins at the newest, the oldest is reached and restored`, async ({
  open,
}) => {
  const versions = Array.from({ length: VERSIONS }, (_, index) => ({ id: 1n, text: `{"n":${index}}` }));
  const { page } = await openRecords(open, ...versions, { id: 2n, text: '2' });
  await goTo(page, '1');
  await page.getByRole('tab', { name: /^History/ }).click();
  const history = page.getByRole('tabpanel', { name: /^History/ });
  await expect(history).toContainText('20,000 versions of id 1');
  const items = history.getByRole('listitem');
  await expect(items.filter({ hasText: `{"n":${VERSIONS - 1}}` })).toBeInViewport();
  expect(await items.count()).toBeLessThan(60);
  await items.last().hover();
  await page.mouse.wheel(0, -10_000_000);
  const oldest = items.filter({ hasText: '{"n":0}' });
  await expect(oldest).toBeInViewport();
  await expect(oldest).toHaveAttribute('aria-posinset', '1');
  await oldest.getByRole('button', { name: 'Restore as a draft' }).click();
  await expect(page.getByRole('button', { name: 'Review 1 draft' })).toBeVisible();
  await expect(grid(page)).toBeVisible();
});
