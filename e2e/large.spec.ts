import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator, Page } from '@playwright/test';
import { type App, expect, test } from './app.ts';
import { MADE, makeDatabase, stores } from './logs.ts';
import { grid, pick, turnWritingOn } from './steps.ts';

const SIZE = 16 << 20;

/** A compact object of many members, one giant string, and one that holds more than ASCII. */
const MANY = (() => {
  const members: string[] = [];
  for (let length = 0, number = 0; length < SIZE; number++) {
    const member = `"key ${number}":{"title":"number ${number}","score":${number}.50,"tags":["a",${number}]}`;
    members.push(member);
    length += member.length + 1;
  }
  return `{${members.join(',')}}`;
})();
const GIANT = `"${'lorem ipsum '.repeat(SIZE / 12)}"`;
const WIDE = `{"text":"${'Köln 😀 '.repeat(SIZE / 24)}"}`;

/** Notes in the page what its workers are asked for. */
const NOTE_JOBS = `
  window.jobs = [];
  const { postMessage } = Worker.prototype;
  Worker.prototype.postMessage = function (message, ...rest) {
    if (message.type === 'job') window.jobs.push(message.name);
    return postMessage.call(this, message, ...rest);
  };`;
const jobs = (page: Page): Promise<string[]> => page.evaluate<string[]>('window.jobs.splice(0)');

async function openLarge(open: (directory: string) => Promise<App>, ...texts: string[]) {
  const before = stores(...texts.map((text, index) => ({ id: BigInt(index + 1), text })));
  const made = makeDatabase((log) => writeFileSync(log, before));
  const app = await open(made.directory);
  made.remove();
  await app.page.addInitScript(NOTE_JOBS);
  await app.page.reload();
  await pick(app.page, MADE);
  const path = join(app.directory, MADE, 'payloads.log');
  /** What was appended; compared as bytes, and not by a matcher, which would print them. */
  const appended = (): Buffer => {
    const log = readFileSync(path);
    expect(log.subarray(0, before.length).equals(before)).toBe(true);
    return log.subarray(before.length);
  };
  return { app, page: app.page, appended };
}

const editor = (page: Page, id: string): Locator => page.getByRole('textbox', { name: `Payload of id ${id}` });
const show = (page: Page, id: string): Promise<void> =>
  grid(page).getByRole('rowheader', { name: id, exact: true }).click();
const reads = (page: Page): Locator => page.getByText('VelesDB reads this', { exact: true });

async function typeAt(page: Page, id: string, ...keys: string[]): Promise<void> {
  await editor(page, id).click();
  await page.keyboard.press('ControlOrMeta+Home');
  for (const key of keys) await page.keyboard.press(key);
}

async function save(page: Page): Promise<void> {
  await page.keyboard.press('ControlOrMeta+S');
  await turnWritingOn(page);
  await expect(page.getByRole('button', { name: 'No drafts' })).toBeVisible();
}

test('a payload of sixteen megabytes is laid out and checked by a worker, edited, and saved with every other byte as it was', async ({
  open,
}) => {
  const { page, appended } = await openLarge(open, MANY);
  await show(page, '1');
  await expect(editor(page, '1')).toContainText('"title": "number 0"');
  await expect(page.getByText('plain: too large for colours and tree')).toBeVisible();
  await expect(reads(page)).toBeVisible();
  expect(await jobs(page)).toEqual(expect.arrayContaining(['parse', 'layOut', 'check']));
  const origin = new URL(page.url()).origin;
  expect(page.workers().length).toBeGreaterThan(0);
  for (const worker of page.workers()) expect(worker.url().startsWith(`${origin}/assets/`)).toBe(true);

  await typeAt(page, '1', 'ArrowDown', 'Home', 'ArrowRight', 'x', 'y', 'Backspace', 'z');
  await expect(page.getByText('Checking…')).toBeVisible();
  await expect(reads(page)).toBeVisible();
  await expect(page.getByRole('button', { name: 'Review 1 draft' })).toBeVisible();
  expect(await jobs(page)).toEqual(expect.arrayContaining(['check', 'draft']));
  await save(page);
  expect(appended().equals(stores({ id: 1n, text: MANY.replace('"key 0"', '"xzkey 0"') }))).toBe(true);
});

test('one string of sixteen megabytes takes typed text, also in other scripts, and is saved byte for byte', async ({
  open,
}) => {
  const { page, appended } = await openLarge(open, GIANT, WIDE);
  await show(page, '1');
  await typeAt(page, '1', 'ArrowRight', 'a', 'b', 'Space', 'Backspace');
  await page.keyboard.insertText('é');
  await expect(editor(page, '1')).toContainText('"abélorem');
  await expect(page.getByRole('button', { name: 'Review 1 draft' })).toBeVisible();
  await save(page);
  const first = stores({ id: 1n, text: GIANT.replace('"lorem', '"abélorem') });
  expect(appended().equals(first)).toBe(true);

  await show(page, '2');
  await typeAt(page, '2', 'ArrowDown', 'Home', 'ArrowRight', 'n');
  await expect(page.getByRole('button', { name: 'Review 1 draft' })).toBeVisible();
  await page.keyboard.press('ControlOrMeta+S');
  await expect(page.getByRole('button', { name: 'No drafts' })).toBeVisible();
  const second = stores({ id: 2n, text: WIDE.replace('"text"', '"ntext"') });
  expect(appended().equals(Buffer.concat([first, second]))).toBe(true);
});

test('what VelesDB could not read is not saved, however soon after the key one asks for it', async ({ open }) => {
  const { page, appended } = await openLarge(open, MANY);
  await show(page, '1');
  await expect(reads(page)).toBeVisible();
  await typeAt(page, '1', 'ArrowDown', 'Home', 'ArrowRight', '"');
  await page.keyboard.press('ControlOrMeta+S');
  await expect(page.getByRole('alert')).toHaveText(/^Not saved: VelesDB could not read this payload/);
  expect(appended().length).toBe(0);
  await expect(page.getByText(/VelesDB refuses this: expected `:`/)).toBeVisible();

  await page.getByRole('button', { name: 'Review 1 draft' }).click();
  const review = page.getByRole('dialog', { name: /^Review/ });
  await expect(review.getByText('VelesDB refuses this')).toBeVisible();
  await expect(review.getByRole('button', { name: 'Write 1 change' })).toBeDisabled();
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Drop the draft' }).click();
  await expect(page.getByRole('button', { name: 'No drafts' })).toBeVisible();
  await expect(reads(page)).toBeVisible();
  expect(appended().length).toBe(0);
});

const HEADER_BYTES = 13;
const CRC_BYTES = 4;
/** One line with white space of its own. */
const SPACED = `{ "id": 17, "text": "${'lorem ipsum 🐀 '.repeat(SIZE / 16)}", "end": true }`;

test('what was typed into a large payload is a draft after a reload, however soon, and written with every byte as it should be', async ({
  open,
}) => {
  const { page, appended } = await openLarge(open, MANY, SPACED);
  await show(page, '1');
  await expect(reads(page)).toBeVisible();
  await typeAt(page, '1', 'ArrowDown', 'Home', 'ArrowRight', 'a', 'b', 'Backspace', 'c');
  await page.reload();
  await pick(page, MADE);
  await expect(page.getByRole('button', { name: 'Review 1 draft' })).toBeVisible();
  // Once more on top of the draft, and into the middle of the long line, while the draft before is on its way.
  await show(page, '1');
  await typeAt(page, '1', 'ArrowDown', 'Home', 'ArrowRight', 'd');
  await show(page, '2');
  await editor(page, '2').click();
  await page.keyboard.press('ControlOrMeta+End');
  for (let left = 0; left < 16; left++) await page.keyboard.press('ArrowLeft');
  await page.keyboard.type('xyz');
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('End');
  await page.keyboard.press('Backspace');
  await page.reload();
  await pick(page, MADE);
  await expect(page.getByRole('button', { name: 'Review 2 drafts' })).toBeVisible();

  await page.getByRole('button', { name: 'Review 2 drafts' }).click();
  const review = page.getByRole('dialog', { name: /^Review/ });
  await review.getByRole('button', { name: 'Write 2 changes' }).click();
  await turnWritingOn(page);
  await expect(page.getByRole('button', { name: 'No drafts' })).toBeVisible();
  const log = appended();
  const first = stores({ id: 1n, text: MANY.replace('"key 0"', '"dackey 0"') });
  expect(log.subarray(0, first.length).equals(first)).toBe(true);
  const second = log.subarray(first.length);
  const written = second.subarray(HEADER_BYTES, -CRC_BYTES).toString();
  expect(second.equals(stores({ id: 2n, text: written }))).toBe(true);
  const tail = `${SPACED.slice(0, -16)}xyz${SPACED.slice(-16)}`;
  // One character before a soft break near the end is gone: which one depends on where the line was cut.
  expect(written.length).toBe(tail.length - 1);
  let same = 0;
  while (written[same] === tail[same]) same++;
  expect(tail.length - same).toBeLessThan(2_000);
  expect(written.slice(same) === tail.slice(same + 1)).toBe(true);
});

test('all of a long line is copied, cut and put back without a byte of the way it is shown', async ({ open }) => {
  const { page, appended } = await openLarge(open, SPACED);
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await show(page, '1');
  await expect(reads(page)).toBeVisible();
  await editor(page, '1').click();
  await page.keyboard.press('ControlOrMeta+A');
  await page.keyboard.press('ControlOrMeta+X');
  expect(await page.evaluate(async () => (await navigator.clipboard.readText()).length)).toBe(SPACED.length);
  await page.keyboard.type('[');
  await page.keyboard.press('ControlOrMeta+V');
  await page.keyboard.type(']');
  await expect(page.getByRole('button', { name: 'Review 1 draft' })).toBeVisible();
  await save(page);
  expect(appended().equals(stores({ id: 1n, text: `[${SPACED}]` }))).toBe(true);
});

test('a path leads to its place in a long line, and the cursor there has that path', async ({ open }) => {
  const { page } = await openLarge(open, SPACED);
  await show(page, '1');
  await expect(reads(page)).toBeVisible();
  await editor(page, '1').click();
  await page.keyboard.press('ControlOrMeta+Shift+O');
  const dialog = page.getByRole('dialog', { name: 'Go to path' });
  await dialog.getByRole('textbox').fill('$.end');
  await page.keyboard.press('Enter');
  await expect(dialog).toHaveCount(0);
  await expect(page.getByTitle('The path of the cursor')).toHaveText('$.end');
  expect(await page.evaluate(() => window.getSelection()?.toString())).toBe('true');
});

test('text is found and replaced in a long line, wherever it is shown in two pieces', async ({ open }) => {
  const { page, appended } = await openLarge(open, SPACED);
  await show(page, '1');
  await expect(reads(page)).toBeVisible();
  await editor(page, '1').click();
  await page.keyboard.press('ControlOrMeta+Home');
  await page.keyboard.press('ControlOrMeta+F');
  const find = page.getByRole('textbox', { name: 'Find', exact: true });
  const words = page.locator('.cm-search').getByRole('status');
  await find.fill('nowhere');
  await find.press('Enter');
  await expect(words).toHaveText('Not found');
  // Longer than a piece is.
  await find.fill(`17, "TEXT": "${'lorem ipsum 🐀 '.repeat(80)}`);
  await find.press('Enter');
  await expect(words).toHaveText('');
  expect(await jobs(page)).toEqual(expect.arrayContaining(['find']));
  await page.getByRole('textbox', { name: 'Replace' }).fill('18, "text": "');
  await page.getByRole('button', { name: 'replace all' }).click();
  await expect(words).toHaveText('Replaced 1 place');
  await page.keyboard.press('Escape');
  await expect(find).toHaveCount(0);
  await expect(page.getByRole('button', { name: 'Review 1 draft' })).toBeVisible();
  await save(page);
  const text = SPACED.replace(`17, "text": "${'lorem ipsum 🐀 '.repeat(80)}`, '18, "text": "');
  expect(appended().equals(stores({ id: 1n, text }))).toBe(true);
});

test('regular expressions and whole words are found in a long line, and an expression that takes too long is stopped', async ({
  open,
}) => {
  const { page, appended } = await openLarge(open, SPACED);
  await show(page, '1');
  await expect(reads(page)).toBeVisible();
  await editor(page, '1').click();
  await page.keyboard.press('ControlOrMeta+Home');
  await page.keyboard.press('Tab');
  await expect(
    page
      .getByRole('status')
      .getByText(/^Part of a long line/)
      .first(),
  ).toBeVisible();
  await page.keyboard.press('ControlOrMeta+F');
  const find = page.getByRole('textbox', { name: 'Find', exact: true });
  const words = page.locator('.cm-search').getByRole('status');
  await page.getByRole('checkbox', { name: 'by word' }).check();
  await find.fill('tex');
  await find.press('Enter');
  await expect(words).toHaveText('Not found');
  await find.fill('true');
  await page.getByRole('button', { name: 'all', exact: true }).click();
  await expect(words).toHaveText('Selected 1 place');

  await page.getByRole('checkbox', { name: 'regexp' }).check();
  await find.fill('(');
  await find.press('Enter');
  await expect(words).toHaveText(/^Invalid regular expression/);
  await find.fill('([a-z ]+)+\\d');
  await find.press('Enter');
  await expect(words).toHaveText(/^Stopped after 5 seconds/);
  await find.fill('"(id|end)": (\\w+)');
  await page.getByRole('textbox', { name: 'Replace' }).fill('"$2": "$1"');
  await page.getByRole('button', { name: 'replace all' }).click();
  await expect(words).toHaveText('Replaced 2 places');
  await page.keyboard.press('Escape');
  await expect(page.getByRole('button', { name: 'Review 1 draft' })).toBeVisible();
  await save(page);
  const text = SPACED.replace('"id": 17', '"17": "id"').replace('"end": true', '"true": "end"');
  expect(appended().equals(stores({ id: 1n, text }))).toBe(true);
});

test('a payload that becomes large by a paste keeps what is typed behind it through a reload', async ({ open }) => {
  const { page } = await openLarge(open, '{"a":"","b":1}');
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await show(page, '1');
  await editor(page, '1').click();
  await page.keyboard.press('ControlOrMeta+Home');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('End');
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowLeft');
  await page.evaluate(() => navigator.clipboard.writeText('lorem '.repeat(60_000)));
  await page.keyboard.press('ControlOrMeta+V');
  // From here on it is edited as one that was opened so long.
  await expect(page.getByText('plain: too large for colours and tree')).toBeVisible();
  await expect(page.getByText('↩').first()).toBeVisible();
  await expect(page.getByRole('button', { name: 'Review 1 draft' })).toBeVisible();
  await page.keyboard.type('xyz');
  await page.reload();
  await pick(page, MADE);
  await show(page, '1');
  await expect(reads(page)).toBeVisible();
  await editor(page, '1').click();
  await page.keyboard.press('ControlOrMeta+F');
  const find = page.getByRole('textbox', { name: 'Find', exact: true });
  await find.fill('lorem xyz"');
  await find.press('Enter');
  await expect(page.locator('.cm-search').getByRole('status')).toHaveText('');
});

test('a long line pasted, typed into and undone leaves no draft, and redone is there again', async ({ open }) => {
  const { page, appended } = await openLarge(open, '""');
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await show(page, '1');
  await typeAt(page, '1', 'ArrowRight', 'a');
  await page.evaluate(() => navigator.clipboard.writeText('lorem '.repeat(60_000)));
  await page.keyboard.press('ControlOrMeta+V');
  await expect(page.getByText('plain: too large for colours and tree')).toBeVisible();
  await page.keyboard.type('xyz');
  await expect(page.getByRole('button', { name: 'Review 1 draft' })).toBeVisible();
  for (let step = 0; step < 4; step++) await page.keyboard.press('ControlOrMeta+Z');
  await expect(editor(page, '1')).toHaveText('""');
  await expect(page.getByRole('button', { name: 'No drafts' })).toBeVisible();
  for (let step = 0; step < 4; step++) await page.keyboard.press('ControlOrMeta+Shift+Z');
  await expect(page.getByRole('button', { name: 'Review 1 draft' })).toBeVisible();
  await save(page);
  expect(appended().equals(stores({ id: 1n, text: `"a${'lorem '.repeat(60_000)}xyz"` }))).toBe(true);
});
