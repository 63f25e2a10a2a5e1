import { writeFileSync } from 'node:fs';
import type { Page } from '@playwright/test';
import { expect, test } from './app.ts';
import { MADE, makeDatabase, stores } from './logs.ts';
import { find, pick } from './steps.ts';

const TEXT = `{"first":[${Array.from({ length: 200 }, (_, number) => `{"n":${number}}`).join(',')}],"odd key":{"t\\u0069tle":"here"},"twice":1,"twice":{"deep":[null,true]}}`;

const dialog = (page: Page) => page.getByRole('dialog', { name: 'Go to path' });
const code = (page: Page) => page.getByRole('textbox', { name: 'Payload of id 1' });
const tree = (page: Page) => page.getByRole('tree', { name: 'Payload of id 1' });
const selection = (page: Page): Promise<string> => page.evaluate<string>('getSelection().toString()');

async function goTo(page: Page, path: string): Promise<void> {
  await page.keyboard.press('ControlOrMeta+Shift+O');
  await dialog(page).getByRole('textbox').fill(path);
  await page.keyboard.press('Enter');
}

test('a path leads to its value in the code and in the tree, and the cursor says its own', async ({ open }) => {
  const made = makeDatabase((log) => writeFileSync(log, stores({ id: 1n, text: TEXT })));
  const { page } = await open(made.directory);
  made.remove();
  await pick(page, MADE);
  await find(page, '1');
  await code(page).click();

  await goTo(page, '$["odd key"].title');
  await expect(dialog(page)).toHaveCount(0);
  await expect(code(page)).toBeFocused();
  await expect.poll(() => selection(page)).toBe('"here"');
  await expect(page.getByTitle('The path of the cursor')).toHaveText('$["odd key"].title');

  await goTo(page, '$.first[2].m');
  await expect(dialog(page).getByRole('alert')).toHaveText(
    'There is no $.first[2].m. It matched as far as $.first[2], which is an object of 1 member, none of this name.',
  );
  await dialog(page).getByRole('textbox').fill('$.first[');
  await page.keyboard.press('Enter');
  await expect(dialog(page).getByRole('alert')).toHaveText(/^At character 9: expected a number/);
  await page.keyboard.press('Escape');
  await expect(dialog(page)).toHaveCount(0);
  await expect(code(page)).toBeFocused();

  await goTo(page, '$.twice.deep[1]');
  await expect.poll(() => selection(page)).toBe('true');
  await expect(
    page
      .getByRole('region', { name: 'Messages' })
      .getByText('2 members on the way have equal keys: this is the last one'),
  ).toBeVisible();

  await page.getByRole('radiogroup', { name: 'Editor' }).getByRole('radio', { name: 'Tree' }).click();
  await goTo(page, '$.first[150].n');
  const item = tree(page).getByRole('treeitem', { selected: true });
  await expect(item).toHaveText('n:150');
  await expect(item).toBeFocused();
  await expect(item).toBeInViewport();
  await expect(page.getByTitle('The path of the cursor')).toHaveText('$.first[150].n');
  await expect(page.getByRole('button', { name: 'No drafts' })).toBeVisible();
});
