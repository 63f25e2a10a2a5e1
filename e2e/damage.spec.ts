import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from './app.ts';
import { DAMAGED, presentSamples, SHIPPED, WRITTEN_BY_VELESDB } from './samples.ts';
import { collection, grid, pick, status } from './steps.ts';

test('a damaged collection says so in its badge and shows its bad records', async ({ open }) => {
  const { page } = await open(DAMAGED);
  await expect(collection(page, 'crc_mismatch')).toContainText('3 damaged');
  await pick(page, 'crc_mismatch');
  const bad = grid(page).getByRole('row').filter({ hasText: 'CRC mismatch' });
  await expect(bad).toHaveCount(3);
  await page
    .getByRole('group', { name: 'Filter' })
    .getByRole('button', { name: /^Damaged/ })
    .click();
  await expect(grid(page).getByRole('rowheader')).toHaveCount(3);
  // The number that was stored and the one that the bytes make stand beside each other.
  await bad.first().click();
  await page.getByRole('tab', { name: 'Bytes' }).click();
  const bytes = page.getByRole('tabpanel', { name: 'Bytes' });
  await expect(bytes).toContainText(/stored/i);
  await expect(bytes).toContainText(/computed/i);
});

test('what should be looked at first is named before any collection is chosen, and leads to its triage', async ({
  open,
}) => {
  const { page } = await open(DAMAGED);
  const overview = page.getByRole('main').getByRole('region', { name: 'damaged' });
  await expect(overview).toHaveAttribute('aria-busy', 'false');
  const named = overview.getByRole('listitem');
  await expect(named.filter({ hasText: 'crc_mismatch' })).toContainText('3 damaged');
  await expect(named.filter({ hasText: 'missing_config' })).toContainText('There is no config.json');
  await named.filter({ hasText: 'crc_mismatch' }).getByRole('button').click();
  await expect(page.getByRole('heading', { name: 'Triage' })).toBeVisible();
  await expect(page.getByRole('main')).toContainText('CRC mismatch');
});

test('what is gone by the time it is chosen in the overview says why it does not open', async ({ open }) => {
  const { page, directory } = await open(DAMAGED);
  const overview = page.getByRole('main').getByRole('region', { name: 'damaged' });
  await expect(overview).toHaveAttribute('aria-busy', 'false');
  rmSync(join(directory, 'crc_mismatch'), { recursive: true });
  await overview.getByRole('listitem').filter({ hasText: 'crc_mismatch' }).getByRole('button').click();
  await expect(page.getByRole('heading', { name: 'This collection cannot be opened' })).toBeVisible();
});

test('of a sound database is said that no log is damaged', async ({ open }) => {
  const { page } = await open(SHIPPED.directory);
  await expect(page.getByRole('main')).toContainText('No damage in any log');
  await expect(page.getByRole('main').getByRole('listitem')).toHaveCount(0);
});

const offsetText = (offset: number): string => `0x${offset.toString(16).toUpperCase().padStart(8, '0')}`;

test('every collection of the database of damage opens', async ({ open }) => {
  const { page } = await open(DAMAGED);
  const buttons = page.getByRole('navigation', { name: 'Collections' }).getByRole('button');
  await expect(buttons).not.toHaveCount(0);
  for (const button of await buttons.all()) {
    await button.click();
    await expect(status(page)).toContainText('Scan complete');
    await expect(grid(page).getByRole('rowheader')).not.toHaveCount(0);
  }
});

test('F8 walks from one damaged record to the next', async ({ open }) => {
  const { page } = await open(DAMAGED);
  await pick(page, 'crc_mismatch');
  const selected = grid(page).getByRole('row', { selected: true });
  // In file order, and around the end; pressed fast, none is left out.
  for (const offset of [1525, 1603, 1616, 1525]) {
    await page.keyboard.press('F8');
    await expect(selected.getByRole('gridcell').first()).toHaveText(offsetText(offset));
    await expect(selected).toContainText('CRC mismatch');
  }
  await page.keyboard.press('F8');
  await page.keyboard.press('F8');
  await expect(selected.getByRole('gridcell').first()).toHaveText(offsetText(1616));
  await page.keyboard.press('Shift+F8');
  await expect(selected.getByRole('gridcell').first()).toHaveText(offsetText(1603));
});

test('a log that the reference engine refuses opens, and says which versions refuse it and how', async ({ open }) => {
  const { page } = await open(DAMAGED);
  await pick(page, 'unknown_marker');
  await expect(grid(page).getByRole('row').filter({ hasText: 'Unknown bytes' })).toHaveCount(1);
  await expect(grid(page).getByRole('row').filter({ hasText: 'Intact' })).not.toHaveCount(0);
  await page.getByRole('banner').getByRole('button', { name: 'Triage' }).click();
  const table = page.getByRole('table').filter({ has: page.getByRole('row', { name: /^Opens/ }) });
  const answers = page.getByRole('row', { name: /^Opens/ }).getByRole('cell');
  const releases = await table.getByRole('columnheader').allInnerTexts();
  for (const [index, name] of releases.slice(1).entries()) {
    // Unknown markers were skipped from 3.12 on; salvage always reads on.
    const refuses = /^1\./.test(name.trim());
    await expect(answers.nth(index)).toContainText(refuses ? /refuses.*InvalidData: Unknown WAL marker/ : 'opens');
  }
  expect(releases.filter((name) => /^1\./.test(name.trim()))).toHaveLength(3);
});

test('a collection that VelesDB passes over is listed with the reason', async ({ open }) => {
  const { page } = await open(DAMAGED);
  await expect(collection(page, 'broken_config')).toContainText('config.json is not JSON');
  await expect(collection(page, 'missing_config')).toContainText('There is no config.json');
  await expect(collection(page, 'schema_too_new')).toContainText(/schema_version .* 3/);
});

test('writing behind damage that would lose it is refused, and the reason is shown', async ({ open }) => {
  const { page } = await open(DAMAGED);
  await pick(page, 'torn_tail');
  await page
    .getByRole('contentinfo', { name: 'Status' })
    .getByRole('switch', { name: /^Writing/ })
    .click();
  await expect(page.getByRole('dialog', { name: 'Writing is refused' })).toBeVisible();
  await expect(page.getByRole('dialog', { name: 'Writing is refused' })).toContainText(/torn|tail|cut/i);
});

test.describe('the database that VelesDB wrote', () => {
  test.skip(!presentSamples().includes(WRITTEN_BY_VELESDB), 'the database written by VelesDB is not here');

  test('its damaged collection shows three bad records', async ({ open }) => {
    const { page } = await open(WRITTEN_BY_VELESDB.directory);
    await expect(collection(page, 'damaged')).toContainText('3 damaged');
    await pick(page, 'damaged');
    await page
      .getByRole('group', { name: 'Filter' })
      .getByRole('button', { name: /^Damaged/ })
      .click();
    await expect(grid(page).getByRole('rowheader')).toHaveCount(3);
  });
});
