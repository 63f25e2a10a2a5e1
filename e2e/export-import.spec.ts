import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator, Page } from '@playwright/test';
import { encodeDelete } from '../src/core/record.ts';
import { crc32 } from '../src/main/engine/crc32.ts';
import { type App, expect, test } from './app.ts';
import { MADE, makeDatabase, type Store, stores } from './logs.ts';
import { find, grid, pick, runCommand, status } from './steps.ts';

test.skip(({ door }) => door !== 'browser', 'the desktop application asks with the dialogs of the system');

/** Text that comes out otherwise wherever it is read as numbers and printed again. */
const ODD = '{ "b" : 12345678901234567890,\n\t"a":1.10, "a":1e2, "\\u0063":"\\u00e4 \\ud83d\\ude00 ä😀" }';
const SECOND = '{"harbour":"second"}';
/** Ids in no order, one written twice, one deleted. */
const LOG = Buffer.concat([
  stores(
    { id: 9n, text: '{"harbour":"nine"}' },
    { id: 2n, text: '{"harbour":"first"}' },
    { id: 5n, text: '{"gone":true}' },
    { id: 18446744073709551615n, text: ODD },
    { id: 2n, text: SECOND },
  ),
  encodeDelete(5n, crc32),
  stores({ id: 1n, text: 'null' }),
]);
const line = (id: string, text: string): string => `{"id":"${id}","payload":${text.replaceAll('\n', ' ')}}\n`;

/** Opens a made database that holds `bytes` as its log. */
async function openLog(open: (directory: string) => Promise<App>, bytes: Uint8Array): Promise<App & { log: string }> {
  const made = makeDatabase((log) => writeFileSync(log, bytes));
  try {
    const app = await open(made.directory);
    await pick(app.page, MADE);
    return Object.assign(app, { log: join(app.directory, MADE, 'payloads.log') });
  } finally {
    made.remove();
  }
}

/** Exports one of the choices of the dialog, and gives the bytes that the browser downloads. */
async function exported(page: Page, choice: string | null): Promise<{ name: string; bytes: string }> {
  await runCommand(page, 'Export records…');
  const dialog = page.getByRole('dialog', { name: 'Export records' });
  if (choice !== null) await dialog.getByRole('radio', { name: choice }).check();
  const download = page.waitForEvent('download');
  await dialog.getByRole('button', { name: 'Export…' }).click();
  const file = await download;
  return { name: file.suggestedFilename(), bytes: readFileSync(await file.path(), 'utf8') };
}

test.describe('export', () => {
  test('of everything is every live record by id, payload text as stored', async ({ open }) => {
    const { page, log } = await openLog(open, LOG);
    const { name, bytes } = await exported(page, null);
    expect(name).toBe(`${MADE}.ndjson`);
    expect(bytes).toBe(
      line('1', 'null') + line('2', SECOND) + line('9', '{"harbour":"nine"}') + line('18446744073709551615', ODD),
    );
    await expect(page.getByText(/^Exported 4 records/)).toBeVisible();
    expect(readFileSync(log).equals(LOG)).toBe(true);
  });

  test('of a filter is what the grid shows, older versions too, in its order', async ({ open }) => {
    const { page } = await openLog(open, LOG);
    await page.getByRole('textbox', { name: /^Find an id/ }).fill('harbour');
    await page.keyboard.press('Enter');
    await expect(grid(page).getByRole('rowheader')).toHaveCount(3);
    const { bytes } = await exported(page, null);
    expect(bytes).toBe(line('9', '{"harbour":"nine"}') + line('2', '{"harbour":"first"}') + line('2', SECOND));
  });

  test('of a selection is the selected rows; a delete among them has no line', async ({ open }) => {
    const { page } = await openLog(open, LOG);
    const rows = grid(page).getByRole('rowheader');
    await rows.nth(3).click();
    await rows.nth(6).click({ modifiers: ['Shift'] });
    const { bytes } = await exported(page, null);
    expect(bytes).toBe(line('18446744073709551615', ODD) + line('2', SECOND) + line('1', 'null'));
  });
});

/** Imports a text as a file, and gives the dialog with what it says at the end. */
async function imported(
  page: Page,
  text: string,
  choices: { mode: 'As drafts' | 'Straight as batches'; conflicts?: string },
): Promise<Locator> {
  await runCommand(page, 'Import records…');
  const dialog = page.getByRole('dialog', { name: 'Import records' });
  await dialog.getByLabel('File').setInputFiles({
    name: 'records.ndjson',
    mimeType: 'application/x-ndjson',
    buffer: Buffer.from(text),
  });
  await dialog.getByRole('radio', { name: choices.mode }).check();
  if (choices.conflicts) await dialog.getByRole('radio', { name: choices.conflicts }).check();
  await dialog.getByRole('button', { name: 'Import', exact: true }).click();
  return dialog;
}

test.describe('import', () => {
  const NEW: Store[] = [
    { id: 30n, text: ODD.replaceAll('\n', ' ') },
    { id: 18446744073709551614n, text: '[1.0,-0,1e-7]' },
    { id: 31n, text: '"ä"' },
  ];
  const NEW_LINES = NEW.map(({ id, text }) => line(String(id), text)).join('');

  test('as drafts writes nothing until they are reviewed, then the texts as they stood', async ({ open }) => {
    const { page, log } = await openLog(open, LOG);
    const dialog = await imported(page, NEW_LINES, { mode: 'As drafts' });
    await expect(dialog.getByRole('status')).toContainText('3 records taken, 0 skipped.');
    await page.keyboard.press('Escape');
    expect(readFileSync(log).equals(LOG)).toBe(true);

    await page.getByRole('button', { name: 'Review 3 drafts' }).click();
    await page
      .getByRole('dialog', { name: /Review and write/ })
      .getByRole('button', { name: 'Write 3 changes' })
      .click();
    await page
      .getByRole('dialog', { name: 'Turn writing on?' })
      .getByRole('button', { name: /^Turn on/ })
      .click();
    await expect(page.getByRole('button', { name: 'No drafts' })).toBeVisible();
    expect(readFileSync(log).equals(Buffer.concat([LOG, stores(...NEW)]))).toBe(true);
  });

  test('straight as batches shows how far it is, and every line is in the log as it stood', async ({ open }) => {
    const { page, log } = await openLog(open, LOG);
    const many = Array.from(
      { length: 24_000 },
      (_, index): Store => ({
        id: BigInt(1_000 + index),
        text: `{"n": ${index}.50, "text":"${'ä'.repeat(90)}"}`,
      }),
    );
    // What the button says, each time it says something else. Runs in the page, as text.
    await page.evaluate(`{
      window.shown = [];
      new MutationObserver(() => {
        const words = [...document.querySelectorAll('button')].map((one) => one.textContent).find((one) => /^Importing/.test(one));
        if (words && window.shown.at(-1) !== words) window.shown.push(words);
      }).observe(document.body, { childList: true, subtree: true, characterData: true });
    }`);
    const lines = many.map(({ id, text }) => line(String(id), text)).join('');
    const dialog = await imported(page, lines, { mode: 'Straight as batches' });
    await expect(dialog.getByRole('status')).toContainText('24,000 records taken, 0 skipped.');
    const shown = await page.evaluate<string[]>('window.shown');
    const figures = shown.map((words) => Number(/^Importing (\d+) %$/.exec(words)?.[1] ?? Number.NaN));
    expect(figures.length).toBeGreaterThan(2);
    expect(figures).toEqual(figures.toSorted((a, b) => a - b));
    expect(readFileSync(log).equals(Buffer.concat([LOG, stores(...many)]))).toBe(true);
    await page.keyboard.press('Escape');
    await expect(status(page).getByRole('switch', { name: /^Writing/ })).toBeChecked();
    await find(page, '24999');
  });

  const CONFLICTING = line('40', '1') + line('2', '"over"') + line('41', '[]');
  for (const { conflicts, says, appended } of [
    {
      conflicts: 'Overwrite what the log holds',
      says: ['3 records taken, 0 skipped.'],
      appended: [
        { id: 40n, text: '1' },
        { id: 2n, text: '"over"' },
        { id: 41n, text: '[]' },
      ],
    },
    {
      conflicts: 'Skip ids the log holds',
      says: ['2 records taken, 1 skipped.'],
      appended: [
        { id: 40n, text: '1' },
        { id: 41n, text: '[]' },
      ],
    },
    {
      conflicts: 'Stop at the first such id',
      says: ['1 record taken, 0 skipped.', 'Stopped at line 2: Id 2 is there already.', 'DRAFT_CONFLICT'],
      appended: [{ id: 40n, text: '1' }],
    },
  ]) {
    test(`where an id is there already: ${conflicts}`, async ({ open }) => {
      const { page, log } = await openLog(open, LOG);
      const dialog = await imported(page, CONFLICTING, { mode: 'Straight as batches', conflicts });
      for (const words of says) await expect(dialog.getByRole('status')).toContainText(words);
      expect(readFileSync(log).equals(Buffer.concat([LOG, stores(...appended)]))).toBe(true);
    });
  }

  test('of a line that VelesDB would refuse stops there and names it; what came before stays', async ({ open }) => {
    const { page, log } = await openLog(open, LOG);
    const text = `${line('40', '1')}\n${line('41', '1e999')}${line('42', '2')}`;
    const dialog = await imported(page, text, { mode: 'Straight as batches' });
    await expect(dialog.getByRole('status')).toContainText('1 record taken');
    await expect(dialog.getByRole('status')).toContainText(/Stopped at line 3: .*PAYLOAD_REFUSED/);
    expect(readFileSync(log).equals(Buffer.concat([LOG, stores({ id: 40n, text: '1' })]))).toBe(true);
  });

  test('of what was exported gives the same records back', async ({ open }) => {
    const source = await openLog(open, LOG);
    const { bytes } = await exported(source.page, 'Everything live');
    const target = await openLog(open, new Uint8Array(0));
    const dialog = await imported(target.page, bytes, { mode: 'Straight as batches' });
    await expect(dialog.getByRole('status')).toContainText('4 records taken');
    await target.page.keyboard.press('Escape');
    expect((await exported(target.page, 'Everything live')).bytes).toBe(bytes);
  });
});
