import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { expect, test } from './app.ts';
import { DAMAGED, SHIPPED } from './samples.ts';
import { collection, find, grid, pick, status, stored, velescope } from './steps.ts';

// axe looks at every element of every state.
test.slow();

const pictures = resolve(import.meta.dirname, '..', 'test-results', 'pictures');
mkdirSync(pictures, { recursive: true });

/** What axe finds wrong, as one line for each rule with the first places. */
async function violations(page: Page): Promise<string[]> {
  const { violations: found } = await new AxeBuilder({ page }).options({ resultTypes: ['violations'] }).analyze();
  return found.map(({ id, help, nodes }) => {
    const places = nodes.slice(0, 3).map(({ target }) => target.join(' '));
    return `${id}: ${help}, in ${nodes.length} places: ${places.join(' | ')}`;
  });
}

for (const colorScheme of ['light', 'dark'] as const) {
  test.describe(colorScheme, () => {
    test(`the records, a record and its tabs, drawn and free of what axe finds`, async ({ open }, testInfo) => {
      const { page } = await open(SHIPPED.directory, { colorScheme });
      await expect(collection(page, SHIPPED.collection)).toBeVisible();
      expect(await violations(page)).toEqual([]);
      await pick(page, SHIPPED.collection);
      await find(page, SHIPPED.id);
      await page.getByRole('button', { name: 'Clear the search' }).click();
      await expect(grid(page).getByRole('rowheader').nth(20)).toHaveText('21');
      await expect(page.getByRole('navigation', { name: 'Collections' })).not.toContainText('scanning');
      await page.screenshot({ path: join(pictures, `${testInfo.project.name}-${colorScheme}-records.png`) });
      expect(await violations(page)).toEqual([]);
      for (const name of [/As VelesDB/, /^History/, 'Bytes']) {
        await page.getByRole('tab', { name }).click();
        await expect(page.getByRole('tabpanel', { name })).not.toBeEmpty();
        await expect(page.locator('[aria-busy="true"]')).toHaveCount(0);
        expect(await violations(page)).toEqual([]);
      }
    });

    test(`triage, drawn and free of what axe finds`, async ({ open }, testInfo) => {
      const { page } = await open(DAMAGED, { colorScheme });
      await pick(page, 'length_damaged');
      await page.getByRole('banner').getByRole('button', { name: 'Triage' }).click();
      await expect(page.getByRole('heading', { name: 'Triage', level: 1 })).toBeVisible();
      await expect(page.getByRole('navigation', { name: 'Collections' })).not.toContainText('scanning');
      await page.screenshot({ path: join(pictures, `${testInfo.project.name}-${colorScheme}-triage.png`) });
      expect(await violations(page)).toEqual([]);
    });

    test(`dialogs, free of what axe finds`, async ({ open }, testInfo) => {
      const { page } = await open(SHIPPED.directory, { colorScheme });
      await pick(page, SHIPPED.collection);
      for (const keys of ['ControlOrMeta+K', 'ControlOrMeta+G', '?']) {
        await grid(page).getByRole('rowheader').first().click();
        await page.keyboard.press(keys);
        await expect(page.getByRole('dialog')).toBeVisible();
        if (keys.endsWith('K')) {
          await page.screenshot({ path: join(pictures, `${testInfo.project.name}-${colorScheme}-commands.png`) });
        }
        expect(await violations(page)).toEqual([]);
        await page.keyboard.press('Escape');
        await expect(page.getByRole('dialog')).toHaveCount(0);
      }
    });
  });
}

test('a small window keeps everything within reach', async ({ open }, testInfo) => {
  const { page } = await open(SHIPPED.directory, { size: { width: 800, height: 560 } });
  await pick(page, SHIPPED.collection);
  await find(page, SHIPPED.id);
  await page.screenshot({ path: join(pictures, `${testInfo.project.name}-small.png`) });
  // Nothing sticks out: the page itself does not scroll sideways.
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(800);
  await expect(status(page).getByRole('switch', { name: /^Writing/ })).toBeInViewport();
  await expect(page.getByRole('textbox', { name: /^Payload of id/ })).toBeVisible();
  expect(await violations(page)).toEqual([]);
});

test('by keyboard alone: choose, find, edit, write', async ({ open }) => {
  const app = await open(SHIPPED.directory);
  const { page } = app;
  const focused = () => page.evaluate<string>("document.activeElement?.textContent?.trim() ?? ''");
  await expect(page.getByRole('navigation', { name: 'Collections' }).getByRole('button').first()).toBeVisible();

  // To the collection, through the palette.
  await page.keyboard.press('Control+K');
  await page.getByRole('dialog').getByRole('combobox').waitFor();
  await page.keyboard.type(`collection ${SHIPPED.collection}`);
  await page.keyboard.press('Enter');
  await expect(status(page)).toContainText('Scan complete');

  // To the record, by its id.
  await page.keyboard.press('Control+G');
  await page.getByRole('dialog', { name: 'Go to' }).waitFor();
  await page.keyboard.type(SHIPPED.id);
  await page.keyboard.press('Enter');
  await expect(grid(page).getByRole('row', { selected: true })).toContainText(SHIPPED.id);
  await expect.poll(focused).not.toBe('');

  // Into the editor, change, write, and answer the question.
  await page.keyboard.press('Control+E');
  await expect(page.getByRole('textbox', { name: `Payload of id ${SHIPPED.id}` })).toBeFocused();
  await page.keyboard.press('Control+A');
  await page.keyboard.press('Delete');
  await page.keyboard.insertText('{"by": "keyboard"}');
  await page.keyboard.press('Control+S');
  const question = page.getByRole('dialog', { name: 'Turn writing on?' });
  await question.waitFor();
  for (let press = 0; press < 5; press++) {
    if ((await focused()).startsWith('Turn on')) break;
    await page.keyboard.press('Tab');
  }
  expect(await focused()).toMatch(/^Turn on/);
  await page.keyboard.press('Enter');
  await expect.poll(() => stored(join(app.directory, SHIPPED.collection), SHIPPED.id)).toEqual({ by: 'keyboard' });
});

/** Presses Tab until what has the focus is called so; everything must be reached by a keyboard. */
async function tabTo(page: Page, name: RegExp): Promise<void> {
  for (let press = 0; press < 120; press++) {
    const words = await page.evaluate<string>(`(() => {
      const element = document.activeElement;
      return element?.getAttribute('aria-label') ?? element?.labels?.[0]?.textContent ?? element?.textContent ?? '';
    })()`);
    if (name.test(words.trim())) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab does not lead to ${name}`);
}

/** Runs a command of the palette, by keyboard. */
async function run(page: Page, words: string): Promise<void> {
  await page.keyboard.press('Control+K');
  await page.getByRole('dialog').getByRole('combobox').waitFor();
  await page.keyboard.type(words);
  await page.keyboard.press('Enter');
}

test('by keyboard alone: next damage, its explanation, a candidate accepted, a dry run, recovery, and no damage left', async ({
  open,
}) => {
  const app = await open(DAMAGED);
  const { page } = app;
  const damaged = join(app.directory, 'length_damaged');
  const recovered = join(app.directory, 'length_damaged-recovered');
  const original = readFileSync(join(damaged, 'payloads.log'));
  await expect(page.getByRole('navigation', { name: 'Collections' }).getByRole('button').first()).toBeVisible();
  await run(page, 'collection length_damaged');
  await expect(status(page)).toContainText('Scan complete');

  // Both damaged places: read what is said of each, and accept what the CRC proves.
  const repair = page.getByRole('tabpanel', { name: 'Repair' });
  for (const [says, shouldSay] of [
    [54, 62],
    [133, 58],
  ]) {
    await page.keyboard.press('F8');
    await expect(grid(page).getByRole('row', { selected: true })).toContainText('Unknown bytes');
    await expect(repair).toContainText(`${says}`);
    await expect(repair.getByRole('region', { name: 'Candidates' })).toContainText(
      new RegExp(`proven by the stored CRC: .*says ${says} bytes .* should say ${shouldSay} `),
    );
    await tabTo(page, /^Accept for recovery$/);
    await page.keyboard.press('Enter');
    await expect(repair.getByRole('button', { name: 'Take back' })).toBeVisible();
  }

  await run(page, 'bytes');
  await expect(page.getByRole('tab', { name: 'Bytes' })).toHaveAttribute('aria-selected', 'true');

  // The dry run keeps every record and touches nothing.
  await run(page, 'Recover…');
  await expect(page.getByRole('heading', { name: /Recover/, level: 1 })).toBeVisible();
  const dryRun = page.getByRole('region', { name: /Dry run/ });
  await expect(dryRun).toContainText(/2\s*records repaired/);
  await expect(dryRun).toContainText(/7\s*records kept, 7 ids/);
  expect(readFileSync(join(damaged, 'payloads.log'))).toEqual(original);
  expect(existsSync(recovered)).toBe(false);

  await tabTo(page, /^Name$/);
  await tabTo(page, /^Choose where/);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Recover to the new directory' })).toBeEnabled();
  await tabTo(page, /^Recover to the new directory$/);
  await page.keyboard.press('Enter');
  await expect(page.getByText('Recovered, opened again and verified')).toBeVisible();
  expect(readFileSync(join(damaged, 'payloads.log'))).toEqual(original);
  expect(velescope('verify', recovered)[0]).toMatchObject({ damage: [], snapshot: { state: 'valid' } });
  expect(await violations(page)).toEqual([]);

  await tabTo(page, /^Open the result$/);
  await page.keyboard.press('Enter');
  await expect(collection(page, 'length_damaged-recovered')).toHaveAttribute('aria-current', 'true');
  await expect(status(page)).toContainText('Scan complete');
  await page.keyboard.press('F8');
  await expect(page.getByText('No damage in this log.').first()).toBeVisible();
});

test('by keyboard alone: a recovered log is put in place, and the damaged one is kept', async ({ open }) => {
  const app = await open(DAMAGED);
  const { page } = app;
  const log = join(app.directory, 'unknown_marker', 'payloads.log');
  const original = readFileSync(log);
  await expect(page.getByRole('navigation', { name: 'Collections' }).getByRole('button').first()).toBeVisible();
  await run(page, 'collection unknown_marker');
  await expect(status(page)).toContainText('Scan complete');
  await run(page, 'Recover…');
  await tabTo(page, /^Choose where/);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Recover to the new directory' })).toBeEnabled();
  await tabTo(page, /^Recover to the new directory$/);
  await page.keyboard.press('Enter');
  await expect(page.getByText('Recovered, opened again and verified')).toBeVisible();
  expect(readFileSync(log)).toEqual(original);

  await tabTo(page, /^Put in place/);
  await page.keyboard.press('Enter');
  const question = page.getByRole('dialog', { name: 'Put the result in place?' });
  await expect(question).toContainText('Under the lock');
  expect(await violations(page)).toEqual([]);
  await tabTo(page, /^Replace the log$/);
  await page.keyboard.press('Enter');
  const done = page.getByRole('status').filter({ hasText: 'The log that was there is kept as' });
  await expect(done).toBeVisible();
  const keptAs = /kept as (\S+payloads\.log\S*?)\.? /.exec((await done.textContent()) ?? '')?.[1];
  expect(readFileSync(keptAs!)).toEqual(original);
  expect(readFileSync(log)).toEqual(readFileSync(join(app.directory, 'unknown_marker-recovered', 'payloads.log')));
  expect(velescope('verify', join(app.directory, 'unknown_marker'))[0]).toMatchObject({ damage: [] });
  await expect(page.getByRole('button', { name: /^unknown_marker healthy/ })).toBeVisible();
});
