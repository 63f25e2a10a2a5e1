import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator, Page } from '@playwright/test';
import { type App, expect, test } from './app.ts';
import { MADE, makeDatabase, type Store, stores } from './logs.ts';
import { find, grid, pick, turnWritingOn } from './steps.ts';

async function openTree(open: (directory: string) => Promise<App>, ...records: Store[]): Promise<App> {
  const made = makeDatabase((log) => writeFileSync(log, stores(...records)));
  const app = await open(made.directory);
  made.remove();
  await pick(app.page, MADE);
  await find(app.page, '1');
  await app.page.getByRole('radio', { name: 'Tree' }).click();
  return app;
}

const item = (page: Page, name: string): Locator => page.getByRole('treeitem', { name });
const field = (page: Page): Locator => page.getByRole('tree').getByRole('textbox');
const code = (page: Page, id: string): Locator => page.getByRole('textbox', { name: `Payload of id ${id}` });
const drafts = (page: Page, words: string): Locator => page.getByRole('button', { name: words });

/** Opens the field of a value and replaces what stands in it. */
async function type(page: Page, name: string, text: string): Promise<void> {
  await item(page, name).dblclick();
  await field(page).fill(text);
}

test('what stands in a field is saved by the key that saves', async ({ open }) => {
  const app = await openTree(open, { id: 1n, text: '{"a":1,"b":2.50}' });
  const { page } = app;
  await type(page, 'a:', '1E400');
  await page.keyboard.press('Escape');
  await type(page, 'a:', '5.0');
  await page.keyboard.press('ControlOrMeta+S');
  await turnWritingOn(page);
  await expect(page.getByText(/^Saved 1 record/).last()).toBeVisible();
  expect(readFileSync(join(app.directory, MADE, 'payloads.log'), 'latin1')).toContain('{"a":5.0,"b":2.50}');
});

test('what stands in a field is a draft after a reload, and after going to another record by a key', async ({
  open,
}) => {
  const { page } = await openTree(open, { id: 1n, text: '{"a":1,"b":2}' }, { id: 2n, text: '{"a":01}' });
  await type(page, 'a:', '5');
  await page.reload();
  await pick(page, MADE);
  await expect(drafts(page, 'Review 1 draft')).toBeVisible();
  await grid(page).getByRole('rowheader', { name: '1', exact: true }).click();
  await page.getByRole('radio', { name: 'Tree' }).click();
  await type(page, 'b:', '6');
  await page.keyboard.press('F8');
  await expect(page.getByRole('tab', { name: /^Repair/, selected: true })).toBeVisible();
  await expect(grid(page)).toContainText('{"a":5,"b":6}');
});

test('a field whose text is no JSON keeps its place until it is corrected or left by Escape', async ({ open }) => {
  const { page } = await openTree(open, { id: 1n, text: '{"a":1,"b":2,"c":3}' });
  await type(page, 'a:', 'nope');
  await item(page, 'c:').click();
  await item(page, 'c:').click();
  await expect(field(page)).toBeFocused();
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await page.getByRole('button', { name: 'Move down' }).click();
  await page.keyboard.press('ControlOrMeta+S');
  await expect(page.getByRole('alert').filter({ hasText: 'press Escape' })).toBeVisible();
  await expect(field(page)).toHaveValue('nope');
  await field(page).fill('7');
  await page.keyboard.press('Enter');
  await expect(item(page, 'a:')).toBeFocused();
  await page.getByRole('radio', { name: 'Code' }).click();
  await expect(code(page, '1')).toHaveText(/"a": 7,\s*"b": 2,\s*"c": 3/);
});

test('a type is chosen by keys: arrows pass kinds by, Enter takes one', async ({ open }) => {
  const { page } = await openTree(open, { id: 1n, text: '{"a":{"deep":1}}' });
  await item(page, 'a:').click();
  await page.keyboard.press('Shift+Enter');
  const kinds = page.getByRole('combobox', { name: 'Type' });
  await expect(kinds).toBeFocused();
  for (const kind of ['array', 'string']) {
    await page.keyboard.press('ArrowDown');
    await expect(kinds).toHaveValue(kind);
  }
  await page.keyboard.press('Enter');
  await expect(kinds).toHaveCount(0);
  await page.getByRole('radio', { name: 'Code' }).click();
  await expect(code(page, '1')).toContainText(String.raw`"a": "{\"deep\":1}"`);
});
