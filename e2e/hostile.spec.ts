import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LogBuilder } from '../src/core/log-builder.fixture.ts';
import { expect, test } from './app.ts';
import { collection, find, grid, pick } from './steps.ts';

/** Runs as script, as an attribute and as a link if anything takes it for markup; the page would carry a mark of it. */
const MARKUP =
  '<img src=x onerror="document.body.dataset.attacked=1"><script>document.body.dataset.attacked=2</script>';
const NAME = process.platform === 'win32' ? 'hostile' : `hostile\n\u202e${MARKUP.replaceAll('/', '')}`;

let home: string;
test.beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'velescope-hostile-'));
});
test.afterEach(() => rmSync(home, { recursive: true, force: true }));

/** A database of one collection with a hostile name, and these payloads under the ids from 1 on. */
function database(payloads: readonly string[]): string {
  const root = join(home, 'db');
  const directory = join(root, NAME);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(root, 'velesdb.lock'), '');
  writeFileSync(join(directory, 'config.json'), JSON.stringify({ name: NAME, metadata_only: true }));
  const log = new LogBuilder();
  for (const [at, payload] of payloads.entries()) log.store(at + 1, payload);
  writeFileSync(join(directory, 'payloads.log'), log.bytes());
  return root;
}

test('markup, bidirectional and control characters in names and payloads are text, and visible', async ({ open }) => {
  const { page } = await open(
    database([JSON.stringify({ html: MARKUP, link: 'javascript:alert(1)', turn: '\u202etxt' })]),
  );
  await pick(page, 'hostile');
  await expect(grid(page).getByRole('row').nth(1)).toContainText('<img src=x');
  await find(page, '1');
  await expect(page.getByRole('textbox', { name: 'Payload of id 1' })).toContainText('<script>');
  const seen = await page.evaluate(() => ({
    attacked: document.body.dataset.attacked ?? null,
    images: document.querySelectorAll('img[src="x"]').length,
    links: [...document.querySelectorAll('a')].filter((link) => /^javascript:/.test(link.href)).length,
    // The character that turns a line around is nowhere in what is read, but for the text being edited.
    turned: document.querySelector('nav')!.textContent!.includes('\u202e'),
  }));
  expect(seen).toEqual({ attacked: null, images: 0, links: 0, turned: false });
});

test('one string of 10 MB on a single line opens, and the window goes on answering', async ({ open }) => {
  const { page } = await open(database([`"${'x'.repeat(10_000_000)}"`, '{"after":"it"}']));
  await pick(page, 'hostile');
  await find(page, '1');
  await expect(page.getByRole('tab', { name: 'Payload' })).toBeVisible();
  await find(page, '2');
  await expect(page.getByRole('textbox', { name: 'Payload of id 2' })).toContainText('"it"');
});

test('ten thousand levels of nesting open, VelesDB is said to refuse them, and the window goes on answering', async ({
  open,
}) => {
  const { page } = await open(database([`${'['.repeat(10_000)}${']'.repeat(10_000)}`, '{"after":"it"}']));
  await expect(collection(page, 'hostile')).toContainText('1 damaged');
  await pick(page, 'hostile');
  await grid(page).getByRole('row').nth(1).click();
  await page.getByRole('tab', { name: 'As VelesDB reads it' }).click();
  await expect(page.getByRole('tabpanel')).toContainText('recursion limit exceeded');
  await find(page, '2');
  await page.getByRole('tab', { name: 'Payload' }).click();
  await expect(page.getByRole('textbox', { name: 'Payload of id 2' })).toContainText('"it"');
});
