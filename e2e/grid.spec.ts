import type { Locator, Page } from '@playwright/test';
import { expect, test } from './app.ts';
import { DAMAGED, SHIPPED } from './samples.ts';
import { grid, pick } from './steps.ts';

/** Points of docs/accessibility.md that only a browser can show. */

const tabStops = (page: Page): Locator => grid(page).locator('[tabindex="0"]');

async function openGrid(open: (directory: string) => Promise<{ page: Page }>): Promise<Page> {
  const { page } = await open(SHIPPED.directory);
  await pick(page, SHIPPED.collection);
  await expect(grid(page).getByRole('rowheader').first()).toBeVisible();
  return page;
}

test('the grid names its size, every row its place, and every cell lies in a row', async ({ open }) => {
  const page = await openGrid(open);
  const rows = await grid(page)
    .getByRole('row')
    .evaluateAll((all) => all.map((row) => Number(row.getAttribute('aria-rowindex'))));
  expect(rows.length).toBeGreaterThan(10);
  expect(rows.toSorted((a, b) => a - b)).toEqual(rows.map((_, at) => at + 1));
  await expect(grid(page)).toHaveAttribute('aria-rowcount', '434');
  await expect(grid(page)).toHaveAttribute('aria-colcount', '6');
  await expect(grid(page)).toHaveAttribute('aria-readonly', 'true');
  const strays = await grid(page)
    .locator('[role="gridcell"], [role="rowheader"], [role="columnheader"]')
    .evaluateAll((cells) => cells.filter((cell) => cell.parentElement?.getAttribute('role') !== 'row').length);
  expect(strays).toBe(0);
});

test('one tab stop, which Tab leaves and Shift+Tab comes back to, wherever one was', async ({ open }) => {
  const page = await openGrid(open);
  await grid(page).getByRole('rowheader').first().click();
  await page.keyboard.press('Control+End');
  await page.keyboard.press('PageUp');
  await page.keyboard.press('ArrowLeft');
  await expect(tabStops(page)).toHaveCount(1);
  await expect(tabStops(page)).toBeFocused();
  await expect(tabStops(page)).toBeInViewport();
  const cell = await tabStops(page).textContent();
  await page.keyboard.press('Tab');
  await expect(grid(page).locator(':focus')).toHaveCount(0);
  await page.keyboard.press('Shift+Tab');
  await expect(tabStops(page)).toBeFocused();
  await expect(tabStops(page)).toHaveText(cell ?? '');
});

test('Enter and F2 go into the record, and Escape comes back to the same cell', async ({ open }) => {
  const page = await openGrid(open);
  await grid(page).getByRole('rowheader').nth(3).click();
  await page.keyboard.press('ArrowRight');
  for (const key of ['Enter', 'F2']) {
    const cell = await tabStops(page).textContent();
    await page.keyboard.press(key);
    await expect(page.getByRole('complementary', { name: 'Record' }).locator(':focus')).toHaveCount(1);
    await page.keyboard.press('Escape');
    await expect(tabStops(page)).toBeFocused();
    await expect(tabStops(page)).toHaveText(cell ?? '');
  }
});

test('Shift with the arrows and Ctrl+A select rows, and selected rows say so', async ({ open }) => {
  const page = await openGrid(open);
  await grid(page).getByRole('rowheader').first().click();
  await page.keyboard.press('Shift+ArrowDown');
  await page.keyboard.press('Shift+ArrowDown');
  await expect(grid(page).getByRole('row', { selected: true })).toHaveCount(3);
  await page.keyboard.press('Control+A');
  const records = grid(page)
    .getByRole('row')
    .filter({ has: page.getByRole('rowheader') });
  await expect(records.and(grid(page).getByRole('row', { selected: false }))).toHaveCount(0);
  await expect(records.first()).toHaveAttribute('aria-selected', 'true');
});

test('damage is said in words with its place and size, and a byte by offset, value and character', async ({ open }) => {
  const { page } = await open(DAMAGED);
  await pick(page, 'crc_mismatch');
  await grid(page).getByRole('rowheader').first().click();
  await page.keyboard.press('F8');
  const row = grid(page).getByRole('row', { selected: true });
  await expect(row).toContainText('CRC mismatch');
  await page.getByRole('tab', { name: 'Bytes' }).click();
  const bytes = page.getByRole('tabpanel', { name: 'Bytes' }).getByRole('grid');
  await expect(bytes.getByRole('gridcell', { name: /^offset 0x5F5, value C3/ })).toBeVisible();
  await expect(bytes.getByRole('rowheader').first()).toBeVisible();
});

test('at 200 % the triage page is not wider than the window', async ({ open }) => {
  const { page } = await open(SHIPPED.directory);
  await page.setViewportSize({ width: 640, height: 400 });
  await pick(page, SHIPPED.collection);
  await page.getByRole('banner').getByRole('button', { name: 'Triage' }).click();
  const triage = page.getByRole('main', { name: 'Triage' });
  await expect(triage).toBeVisible();
  expect(await triage.evaluate((main) => main.scrollWidth - main.clientWidth)).toBe(0);
});
