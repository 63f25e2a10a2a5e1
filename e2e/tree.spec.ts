import { writeFileSync } from 'node:fs';
import type { Locator, Page } from '@playwright/test';
import { expect, test } from './app.ts';
import { MADE, makeDatabase, stores } from './logs.ts';
import { find, pick } from './steps.ts';

const MEMBERS = 5_000;
const ODD =
  '{"title":"first","big":9007199254740993,"a":"\\u00e9\\/","a":"again","empty":{},"none":[],"tags":["x","y"],"_expires_at":1700000000}';
const MANY = `{${Array.from({ length: MEMBERS }, (_, at) => `"m${at}":${at}`).join(',')}}`;
const LONG = `{"long":"${'wide '.repeat(4_000)}","after":1}`;

const tree = (page: Page, id: string): Locator => page.getByRole('tree', { name: `Payload of id ${id}` });
const selected = (page: Page, id: string): Locator => tree(page, id).getByRole('treeitem', { selected: true });

async function openTree(page: Page, id: string): Promise<void> {
  await find(page, id);
  await page.getByRole('radiogroup', { name: 'Editor' }).getByRole('radio', { name: 'Tree' }).click();
  await expect(tree(page, id)).toBeVisible();
}

async function text(page: Page, id: string): Promise<string> {
  const faces = page.getByRole('radiogroup', { name: 'Editor' });
  await faces.getByRole('radio', { name: 'Code' }).click();
  const words = await page
    .getByRole('textbox', { name: `Payload of id ${id}` })
    .locator('.cm-line')
    .allTextContents();
  await faces.getByRole('radio', { name: 'Tree' }).click();
  return words.map((line) => line.trim()).join('');
}

async function openMade(open: (directory: string) => Promise<{ page: Page }>): Promise<Page> {
  const made = makeDatabase((log) =>
    writeFileSync(log, stores({ id: 1n, text: ODD }, { id: 2n, text: MANY }, { id: 3n, text: LONG })),
  );
  const { page } = await open(made.directory);
  made.remove();
  await pick(page, MADE);
  return page;
}

test('by keyboard alone a payload is taken apart and put together, and the focus stays on what was changed', async ({
  open,
}) => {
  const page = await openMade(open);
  await openTree(page, '1');
  const key = (keys: string) => page.keyboard.press(keys);
  const isOn = async (name: RegExp) => {
    await expect(selected(page, '1')).toHaveAccessibleName(name);
    await expect(selected(page, '1')).toBeFocused();
  };
  await tree(page, '1').getByRole('treeitem').first().focus();

  // By what a key begins with, and again for the next one.
  await page.keyboard.type('ti');
  await isOn(/^title:/);
  await key('F2');
  await page.keyboard.type('second');
  await key('Enter');
  await isOn(/^title: "second"/);
  await key('Shift+F2');
  await page.keyboard.type('name');
  await key('Enter');
  await isOn(/^name: "second"/);

  await key('Alt+ArrowDown');
  await isOn(/^name:/);
  await expect(selected(page, '1')).toHaveAttribute('aria-posinset', '2');
  await key('ControlOrMeta+D');
  await expect(selected(page, '1')).toHaveAttribute('aria-posinset', '3');
  await expect(selected(page, '1')).toHaveAttribute('aria-setsize', '9');
  await key('Delete');
  await expect(selected(page, '1')).toHaveAttribute('aria-setsize', '8');
  await expect(selected(page, '1')).toBeFocused();

  // The arrow keys choose among the types, and only Enter takes one.
  await key('Home');
  await key('ArrowDown');
  await isOn(/^big:/);
  await key('Shift+Enter');
  const kinds = tree(page, '1').getByRole('combobox', { name: 'Type' });
  await key('ArrowUp');
  await expect(kinds).toHaveValue('string');
  await key('Enter');
  await isOn(/^big: "9007199254740993"/);

  await key('End');
  await key('Insert');
  await page.keyboard.type('added');
  await key('Enter');
  await isOn(/^added: null/);
  expect(await text(page, '1')).toBe(
    '{"big": "9007199254740993","name": "second","a": "\\u00e9\\/","a": "again","empty": {},"none": [],"tags": ["x","y"],"_expires_at": 1700000000,"added": null}',
  );

  // Every step back, one by one, and the focus is still on a line.
  await tree(page, '1').getByRole('treeitem').first().focus();
  await key('End');
  for (let step = 0; step < 8; step++) await key('ControlOrMeta+Z');
  await expect(tree(page, '1').getByRole('treeitem', { name: /^title: "first"/ })).toBeVisible();
  await expect(page.getByRole('button', { name: 'No drafts' })).toBeVisible();
  await expect(selected(page, '1')).toBeFocused();
});

test('the menu of a value says every key, does what it says, and gives the focus back', async ({ open }) => {
  const page = await openMade(open);
  await openTree(page, '1');
  const item = (name: RegExp) => tree(page, '1').getByRole('treeitem', { name });
  await item(/^title:/).click({ button: 'right' });
  const menu = page.getByRole('menu');
  await expect(menu.getByRole('menuitem', { name: /^Rename the key/ })).toContainText('Shift+F2');
  await expect(menu.getByRole('menuitem', { name: /^Move up/ })).toHaveAttribute('aria-disabled', 'true');
  await page.keyboard.press('Escape');
  await expect(selected(page, '1')).toBeFocused();

  await page.keyboard.press('Shift+F10');
  await menu.getByRole('menuitem', { name: /^Rename the key/ }).click();
  await page.keyboard.type('named');
  await page.keyboard.press('Enter');
  await expect(selected(page, '1')).toHaveAccessibleName(/^named: "first"/);
  await expect(selected(page, '1')).toBeFocused();
});

test('a refused value stays open, and corrected later it goes where it was begun', async ({ open }) => {
  const page = await openMade(open);
  await openTree(page, '1');
  const item = (name: RegExp) => tree(page, '1').getByRole('treeitem', { name });
  await item(/^big:/).dblclick();
  const field = tree(page, '1').getByRole('textbox');
  await field.fill('90071992547409,');
  await item(/^empty:/).click();
  await expect(page.getByRole('alert').filter({ hasText: 'not one JSON value' })).toBeVisible();
  await field.fill('12345678901234567890');
  await field.press('Enter');
  await expect(item(/^big: 12345678901234567890/)).toBeVisible();
  await expect(item(/^empty: object, 0 values/)).toBeVisible();
});

test('five thousand members: the ends, a page, letters and the selected line are in sight', async ({ open }) => {
  const page = await openMade(open);
  await openTree(page, '2');
  await tree(page, '2').getByRole('treeitem').first().focus();
  await page.keyboard.press('End');
  await expect(selected(page, '2')).toHaveAccessibleName(/^m4999:/);
  await expect(selected(page, '2')).toBeInViewport();
  await page.keyboard.press('ControlOrMeta+D');
  await expect(selected(page, '2')).toHaveAttribute('aria-posinset', String(MEMBERS + 1));
  await expect(selected(page, '2')).toBeInViewport();
  await page.keyboard.press('Home');
  await page.keyboard.type('m2500');
  await expect(selected(page, '2')).toHaveAccessibleName(/^m2500:/);
  await expect(selected(page, '2')).toBeInViewport();
  await expect(selected(page, '2')).toBeFocused();
});
