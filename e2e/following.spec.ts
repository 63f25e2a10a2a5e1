import { appendFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { expect, test } from './app.ts';
import { stores } from './logs.ts';
import { SHIPPED } from './samples.ts';
import { grid, pick, runCommand, status } from './steps.ts';

const follow = (page: Page) => status(page).getByRole('switch', { name: /^Follow/ });
const rowOf = (page: Page, id: bigint) =>
  grid(page)
    .getByRole('row')
    .filter({ has: page.getByRole('rowheader', { name: String(id), exact: true }) });

test('what another process appends shows as it comes, until one goes up to read', async ({ open }) => {
  const { page, directory } = await open(SHIPPED.directory);
  const log = join(directory, SHIPPED.collection, 'payloads.log');
  const append = (id: bigint) => appendFileSync(log, stores({ id, text: '{"appended":true}' }));
  await pick(page, SHIPPED.collection);
  await follow(page).click();
  await expect(follow(page)).toBeChecked();
  append(900_001n);
  await expect(rowOf(page, 900_001n)).toBeInViewport();
  append(900_002n);
  await expect(rowOf(page, 900_002n)).toBeInViewport();

  await rowOf(page, 900_002n).getByRole('rowheader').click();
  await expect(follow(page)).toBeChecked();
  await expect(rowOf(page, 900_002n).getByRole('rowheader')).toBeFocused();
  await page.keyboard.press('ArrowUp');
  await expect(follow(page)).not.toBeChecked();
});

test('a log that is cut while it is followed says so, and shows what is left once it is read again', async ({
  open,
}) => {
  const { page, directory } = await open(SHIPPED.directory);
  const log = join(directory, SHIPPED.collection, 'payloads.log');
  await pick(page, SHIPPED.collection);
  await follow(page).click();
  await expect(follow(page)).toBeChecked();
  truncateSync(log, 500);
  await expect(page.getByRole('main')).toContainText('payloads.log became shorter while it was open.');
  await expect(follow(page)).not.toBeChecked();
  await runCommand(page, 'Scan again from the start');
  await expect(grid(page).getByRole('rowheader')).not.toHaveCount(0);
  await expect(page.getByRole('main')).not.toContainText('became shorter');
});
