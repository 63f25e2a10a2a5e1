import { join, resolve } from 'node:path';
import type { Page } from '@playwright/test';
import { expect, type OpenOptions, test } from '../../e2e/app.ts';
import { DAMAGED, SHIPPED } from '../../e2e/samples.ts';
import { find, grid, pick, replacePayload } from '../../e2e/steps.ts';

const PICTURES = resolve(import.meta.dirname, '../../docs/pictures');
const DRAFT = ['{', '  "title": "A draft",', '  "revision": 2,', '  "tags": ["new"]', '}'].join('\n');
const SIZE = { width: 1456, height: 815 };

/** A picture without a pointer, a blinking cursor or a message that passes. */
async function draw(page: Page, name: string): Promise<void> {
  await page.mouse.move(0, 0);
  await expect(page.locator('[aria-busy="true"]')).toHaveCount(0);
  await expect(page.getByRole('navigation', { name: 'Collections', includeHidden: true })).not.toContainText(
    'scanning',
  );
  await page.screenshot({ path: join(PICTURES, `${name}.png`), animations: 'disabled', caret: 'hide' });
}

/** One picture, on a fresh copy of a sample; `show` brings the window to where it is drawn. */
function picture(name: string, sample: string, options: OpenOptions, show: (page: Page) => Promise<void>): void {
  test(name, async ({ open }) => {
    const { page } = await open(sample, { size: SIZE, ...options });
    await show(page);
    await draw(page, name);
  });
}

async function showRecord(page: Page): Promise<void> {
  await pick(page, SHIPPED.collection);
  await find(page, SHIPPED.id);
  await page.getByRole('button', { name: 'Clear the search' }).click();
  await expect(page.getByRole('textbox', { name: `Payload of id ${SHIPPED.id}` })).toContainText(SHIPPED.text);
}

async function showDamage(page: Page, collection: string): Promise<void> {
  await pick(page, collection);
  // By mouse: a key would leave its ring on the tab that is chosen next.
  await grid(page)
    .getByRole('row')
    .filter({ hasText: /CRC mismatch|Unknown bytes/ })
    .first()
    .click();
}

for (const colorScheme of ['light', 'dark'] as const) {
  picture(`main-${colorScheme}`, SHIPPED.directory, { colorScheme }, async (page) => {
    await showRecord(page);
    await replacePayload(page, SHIPPED.id, DRAFT);
  });
}

picture('overview', DAMAGED, {}, async () => {});

picture('small', SHIPPED.directory, { size: { width: 800, height: 600 } }, showRecord);

picture('tree', SHIPPED.directory, {}, async (page) => {
  await showRecord(page);
  await page.getByRole('radiogroup', { name: 'Editor' }).getByRole('radio', { name: 'Tree' }).click();
  await page.getByRole('treeitem').nth(1).click({ button: 'right' });
  await expect(page.getByRole('menu')).toBeVisible();
});

picture('palette', SHIPPED.directory, { colorScheme: 'dark' }, async (page) => {
  await showRecord(page);
  await page.keyboard.press('ControlOrMeta+K');
  await expect(page.getByRole('dialog')).toBeVisible();
});

picture('bytes', DAMAGED, {}, async (page) => {
  await showDamage(page, 'crc_mismatch');
  await page.getByRole('tab', { name: 'Bytes' }).click();
});

picture('repair', DAMAGED, { colorScheme: 'dark' }, async (page) => {
  await showDamage(page, 'length_damaged');
  await page.getByRole('tab', { name: 'Repair' }).click();
});

picture('triage', DAMAGED, {}, async (page) => {
  await pick(page, 'unknown_marker');
  await page.getByRole('banner').getByRole('button', { name: 'Triage' }).click();
  await expect(page.getByRole('heading', { name: 'Triage', level: 1 })).toBeVisible();
});

picture('recovery', DAMAGED, {}, async (page) => {
  await pick(page, 'zero_hole');
  await page.getByRole('banner').getByRole('button', { name: 'Triage' }).click();
  await page
    .getByRole('button', { name: /^Recover/ })
    .first()
    .click();
});
