import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator, Page } from '@playwright/test';
import { type App, expect, test } from './app.ts';
import { MADE, makeDatabase, type Store, stores } from './logs.ts';
import { find, grid, pick, replacePayload, status, turnWritingOn, velescope } from './steps.ts';

const RECORDS: readonly Store[] = [
  { id: 1n, text: '{"title":"first","count":1}' },
  { id: 2n, text: '{"title":"second","count":2}' },
  { id: 3n, text: '{"title":"third","count":3}' },
  { id: 4n, text: '{"title":"old","count":1.50}' },
  { id: 4n, text: '{"title":"new","count":4}' },
];

/** Everything that tools which parse and print again are known to change. */
const ODD = [
  '{"z":1,"a":"\\u00e9 \\/ \\ud83d\\ude00 é \\u0041","big":9007199254740993,"price":1.10,"tiny":-0.0E-05',
  ',"a":"again","10":true,"2":null,"nested":{"zz":[1e2,1E+2,100],"edit":"here","":{}}}',
].join('');

async function openRecords(
  open: (directory: string) => Promise<App>,
  records: readonly Store[] = RECORDS,
): Promise<{ app: App; page: Page; log: () => Buffer; path: string; before: Buffer }> {
  const before = stores(...records);
  const made = makeDatabase((log) => writeFileSync(log, before));
  const app = await open(made.directory);
  made.remove();
  const path = join(app.directory, MADE, 'payloads.log');
  await pick(app.page, MADE);
  return {
    app,
    get page() {
      return app.page;
    },
    path,
    log: () => readFileSync(path),
    before,
  };
}

const code = (page: Page, id: string): Locator => page.getByRole('textbox', { name: `Payload of id ${id}` });
const tree = (page: Page, id: string): Locator => page.getByRole('tree', { name: `Payload of id ${id}` });
const show = (page: Page, face: 'Code' | 'Tree'): Promise<void> =>
  page.getByRole('radiogroup', { name: 'Editor' }).getByRole('radio', { name: face }).click();
const review = (page: Page): Locator => page.getByRole('dialog', { name: /^Review/ });

/** Changes one value of a shown tree, by keyboard. */
async function changeInTree(page: Page, id: string, item: RegExp, value: string): Promise<void> {
  await tree(page, id).getByRole('treeitem', { name: item }).click();
  await page.keyboard.press('Enter');
  await tree(page, id)
    .getByRole('textbox', { name: /^Value/ })
    .fill(value);
  await page.keyboard.press('Enter');
  await expect(tree(page, id).getByRole('textbox')).toHaveCount(0);
}

async function save(page: Page): Promise<void> {
  await page.keyboard.press('ControlOrMeta+S');
  await turnWritingOn(page);
  await expect(page.getByRole('button', { name: 'No drafts' })).toBeVisible();
}

test('an edit begun in the tree goes on in the code, and undo runs across both', async ({ open }) => {
  const { page, log, before } = await openRecords(open);
  await find(page, '1');
  await show(page, 'Tree');
  await changeInTree(page, '1', /^title/, 'from the tree');
  await show(page, 'Code');
  await expect(code(page, '1')).toContainText('"title": "from the tree"');
  await code(page, '1').click();
  await page.keyboard.press('ControlOrMeta+End');
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('End');
  await page.keyboard.insertText(', "more": 2.50');
  await expect(code(page, '1')).toContainText('"more": 2.50');

  await page.keyboard.press('ControlOrMeta+Z');
  await expect(code(page, '1')).not.toContainText('"more"');
  await expect(code(page, '1')).toContainText('"from the tree"');
  await show(page, 'Tree');
  await tree(page, '1').getByRole('treeitem').first().click();
  await page.keyboard.press('ControlOrMeta+Z');
  await expect(tree(page, '1')).toContainText('"first"');
  // Nothing is left that differs from the log, so nothing is left to write.
  await expect(page.getByRole('button', { name: 'No drafts' })).toBeVisible();

  await page.keyboard.press('ControlOrMeta+Shift+Z');
  await page.keyboard.press('ControlOrMeta+Shift+Z');
  await show(page, 'Code');
  await expect(code(page, '1')).toContainText('"from the tree"');
  await expect(code(page, '1')).toContainText('"more": 2.50');
  await save(page);
  expect(log().subarray(before.length)).toEqual(
    stores({ id: 1n, text: '{"title":"from the tree","count":1,"more":2.50}' }),
  );
});

test('three drafts outlive a reload and a restart; one is dropped, two are written as one batch, and undone as one', async ({
  open,
}) => {
  const { app, log, before } = await openRecords(open);
  for (const id of ['1', '2', '3']) {
    await find(app.page, id);
    await replacePayload(app.page, id, `{"edited": ${id}.0}`);
    await expect(
      app.page.getByRole('button', { name: `Review ${id === '1' ? '1 draft' : `${id} drafts`}` }),
    ).toBeVisible();
  }
  await app.page.reload();
  await pick(app.page, MADE);
  await expect(app.page.getByRole('button', { name: 'Review 3 drafts' })).toBeVisible();
  await grid(app.page).getByRole('rowheader', { name: '2', exact: true }).click();
  await expect(code(app.page, '2')).toContainText('"edited": 2.0');
  await app.restart();
  const { page } = app;
  await pick(page, MADE);
  expect(log()).toEqual(before);

  await page.getByRole('button', { name: 'Review 3 drafts' }).click();
  for (const id of ['1', '2', '3']) {
    await expect(review(page).getByRole('listitem', { name: `Draft of id ${id}` })).toContainText(`"edited": ${id}.0`);
  }
  await review(page).getByRole('button', { name: 'Drop the draft of id 2' }).click();
  await expect(review(page).getByRole('listitem', { name: 'Draft of id 2' })).toHaveCount(0);
  await review(page).getByRole('button', { name: 'Write 2 changes' }).click();
  await turnWritingOn(page);
  const notice = page.getByRole('region', { name: 'Messages' }).getByText(/^Saved 2 records, read back and checked/);
  await expect(notice).toBeVisible();
  const written = stores({ id: 1n, text: '{"edited":1.0}' }, { id: 3n, text: '{"edited":3.0}' });
  expect(log()).toEqual(Buffer.concat([before, written]));

  // One batch: one undo takes back both.
  await page.getByRole('button', { name: 'Undo', exact: true }).click();
  await expect(page.getByText(/^Undone: the previous state of 2 records/)).toBeVisible();
  expect(log()).toEqual(Buffer.concat([before, written, stores(RECORDS[0]!, RECORDS[2]!)]));
});

test('an older version is restored from the history, byte for byte', async ({ open }) => {
  const { page, log, before } = await openRecords(open);
  await find(page, '4');
  await page.getByRole('tab', { name: /^History/ }).click();
  const history = page.getByRole('tabpanel', { name: /^History/ });
  await expect(history.getByRole('listitem')).toHaveCount(2);
  await history.getByRole('button', { name: 'Restore as a draft' }).click();
  await page.getByRole('button', { name: 'Review 1 draft' }).click();
  await expect(review(page).getByRole('listitem')).toContainText('1.50');
  await review(page).getByRole('button', { name: 'Write 1 change' }).click();
  await turnWritingOn(page);
  await expect(page.getByRole('button', { name: 'No drafts' })).toBeVisible();
  expect(log()).toEqual(Buffer.concat([before, stores(RECORDS[3]!)]));
});

test('a record that another process changed meanwhile is a conflict, shown with its three versions', async ({
  open,
}) => {
  const { app, page, path, log } = await openRecords(open);
  await find(page, '2');
  await replacePayload(page, '2', '{"title": "mine"}');
  await expect(page.getByRole('button', { name: 'Review 1 draft' })).toBeVisible();
  await page.keyboard.press('ControlOrMeta+K');
  await page.getByRole('dialog').getByRole('combobox').fill('Follow the log');
  await page.keyboard.press('Enter');
  appendFileSync(path, stores({ id: 2n, text: '{"title":"theirs"}' }));
  const appended = log();
  await page.getByRole('button', { name: 'Compare all three…' }).click();
  const draft = review(page).getByRole('listitem', { name: 'Draft of id 2' });
  await expect(draft).toContainText('changed in the log');
  for (const [heading, text] of [
    ['The draft began from', '"second"'],
    ['The log holds now', '"theirs"'],
    ['The draft', '"mine"'],
  ] as const) {
    const version = draft.locator('div', { has: page.getByRole('heading', { name: heading, exact: true }) }).last();
    await expect(version).toContainText(text);
  }
  // Nobody's work is written over unasked.
  await expect(review(page).getByRole('button', { name: 'Write 1 change' })).toBeDisabled();
  await review(page)
    .getByRole('checkbox', { name: /^Write over what changed/ })
    .check();
  await review(page).getByRole('button', { name: 'Write 1 change' }).click();
  await turnWritingOn(page);
  await expect(page.getByRole('button', { name: 'No drafts' })).toBeVisible();
  expect(log()).toEqual(Buffer.concat([appended, stores({ id: 2n, text: '{"title":"mine"}' })]));
  expect(velescope('history', join(app.directory, MADE), '2')).toHaveLength(3);
});

test('what another process writes after the review was looked at is not written over', async ({ open }) => {
  const { page, path, log } = await openRecords(open);
  await find(page, '2');
  await replacePayload(page, '2', '{"title": "mine"}');
  await expect(page.getByRole('button', { name: 'Review 1 draft' })).toBeVisible();
  appendFileSync(path, stores({ id: 2n, text: '{"title":"theirs"}' }));
  await page.keyboard.press('ControlOrMeta+K');
  await page.getByRole('dialog').getByRole('combobox').fill('Follow the log');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Compare all three…' }).click();
  const overwrite = review(page).getByRole('checkbox', { name: /^Write over what changed/ });
  const now = review(page)
    .locator('div', { has: page.getByRole('heading', { name: 'The log holds now', exact: true }) })
    .last();
  await expect(now).toContainText('"theirs"');
  await overwrite.check();
  // What comes while one looks has to be agreed to as well.
  appendFileSync(path, stores({ id: 2n, text: '{"title":"theirs again"}' }));
  await expect(now).toContainText('"theirs again"');
  await expect(overwrite).not.toBeChecked();
  await expect(review(page).getByRole('button', { name: 'Write 1 change' })).toBeDisabled();
  await overwrite.check();
  await review(page).getByRole('button', { name: 'Write 1 change' }).click();
  await expect(page.getByRole('dialog', { name: 'Turn writing on?' })).toBeVisible();
  appendFileSync(path, stores({ id: 2n, text: '{"title":"theirs at last"}' }));
  const appended = log();
  await turnWritingOn(page);
  const message = page.getByRole('region', { name: 'Messages' });
  await expect(message).toContainText(
    '1 of 1 records changed in the log since you looked at them. Nothing was written.',
  );
  await message.getByRole('button', { name: 'Review' }).click();
  await expect(now).toContainText('"theirs at last"');
  await expect(overwrite).not.toBeChecked();
  expect(log()).toEqual(appended);
  await overwrite.check();
  await review(page).getByRole('button', { name: 'Write 1 change' }).click();
  await expect(page.getByRole('button', { name: 'No drafts' })).toBeVisible();
  expect(log()).toEqual(Buffer.concat([appended, stores({ id: 2n, text: '{"title":"mine"}' })]));
});

for (const [stored, text] of [
  ['compact', ODD],
  ['with white space of its own', `\t{ ${ODD.slice(1, -1).replaceAll(',"', '\r\n ,\t"')}}\n\n`],
] as const) {
  test(`an edit elsewhere leaves big numbers, literal forms, duplicates, order and escapes alone: stored ${stored}`, async ({
    open,
  }) => {
    const { page, log, before } = await openRecords(open, [{ id: 77n, text }]);
    await find(page, '77');
    await show(page, 'Tree');
    await tree(page, '77')
      .getByRole('treeitem', { name: /^nested/ })
      .click();
    await page.keyboard.press('ArrowRight');
    await changeInTree(page, '77', /^edit/, 'there');
    await show(page, 'Code');
    await expect(code(page, '77')).toContainText('9007199254740993');
    await expect(page.getByRole('button', { name: 'Review 1 draft' })).toBeVisible();
    await save(page);
    expect(log()).toEqual(Buffer.concat([before, stores({ id: 77n, text: text.replace('"here"', '"there"') })]));
  });
}

test('looking at a record in both editors writes nothing', async ({ open }) => {
  const { page, log, before } = await openRecords(open, [{ id: 77n, text: ODD }]);
  await find(page, '77');
  await show(page, 'Tree');
  await tree(page, '77')
    .getByRole('treeitem', { name: /^nested/ })
    .click();
  await show(page, 'Code');
  await page.keyboard.press('ControlOrMeta+S');
  await expect(page.getByText('Nothing to write: this record has no draft.').first()).toBeVisible();
  await expect(status(page).getByRole('switch', { name: /^Writing/ })).not.toBeChecked();
  await expect(grid(page).getByRole('row', { selected: true })).toContainText('77');
  expect(log()).toEqual(before);
});
