import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { expect, type Locator, type Page, test } from '@playwright/test';

/** What a person does, in the words of the window: by role and name, never by class. */

const cli = resolve(import.meta.dirname, '..', 'out', 'cli', 'index.js');

export const grid = (page: Page): Locator => page.getByRole('grid', { name: 'Records' });
export const status = (page: Page): Locator => page.getByRole('contentinfo', { name: 'Status' });
export const collection = (page: Page, name: string): Locator =>
  page.getByRole('navigation', { name: 'Collections' }).getByRole('button', { name: new RegExp(`^${name}\\b`) });

/** Picks a collection and waits until all of it was scanned. */
export async function pick(page: Page, name: string): Promise<void> {
  await collection(page, name).click();
  await expect(status(page)).toContainText('Scan complete');
}

/** Finds the records of an id, and selects its current one. */
export async function find(page: Page, id: string): Promise<void> {
  const search = page.getByRole('textbox', { name: /^Find an id/ });
  await search.fill(id);
  await search.press('Enter');
  const rows = grid(page)
    .getByRole('row')
    .filter({ has: page.getByRole('rowheader', { name: id, exact: true }) });
  await expect(rows.first()).toBeVisible();
  await expect(grid(page).getByRole('rowheader')).not.toHaveCount(0);
  await rows.filter({ hasText: 'Intact' }).last().click();
}

/** Replaces the whole text of the payload that is shown. */
export async function replacePayload(page: Page, id: string, text: string): Promise<void> {
  const editor = page.getByRole('textbox', { name: `Payload of id ${id}` });
  await editor.click();
  await page.keyboard.press('ControlOrMeta+A');
  // Apart, because Chromium carries the colours of text that is typed over into a style attribute, which the policy refuses and
  // the console reports.
  await page.keyboard.press('Delete');
  await page.keyboard.insertText(text);
}

/** Answers the question that stands before the first write. */
export async function turnWritingOn(page: Page): Promise<void> {
  await page
    .getByRole('dialog', { name: 'Turn writing on?' })
    .getByRole('button', { name: /^Turn on/ })
    .click();
}

/** What the command line prints for the same directory, one object a line. Throws where it could not. */
export function velescope(...words: string[]): Record<string, unknown>[] {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...words, '--json'], { encoding: 'utf8' });
  // 3 is done as well, and something was found (docs/contract.md, "Command line").
  if (status !== 0 && status !== 3) throw new Error(`velescope ${words.join(' ')} ended with ${status}: ${stderr}`);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** The payload that VelesDB would read for an id, or null. */
export function stored(directory: string, id: string): unknown {
  return velescope('dump', directory, '--as', 'v3.12').find((record) => record.id === id)?.payload ?? null;
}

/** Every file under a directory: its SHA-256 and the time of its last change in nanoseconds. */
export function fingerprint(directory: string): Record<string, string> {
  const files: Record<string, string> = {};
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const hash = createHash('sha256').update(readFileSync(path)).digest('hex');
    files[relative(directory, path)] = `${hash} ${statSync(path, { bigint: true }).mtimeNs}`;
  }
  return files;
}

/** Runs a command of the palette by its title. */
export async function runCommand(page: Page, title: string): Promise<void> {
  await page.keyboard.press('ControlOrMeta+K');
  const dialog = page.getByRole('dialog', { name: 'Commands' });
  await dialog.getByRole('combobox').fill(title);
  await dialog.getByRole('option', { name: title }).first().click();
}

/** Through the dialog, to an id or an offset, until the dialog is closed. */
export async function goTo(page: Page, place: string): Promise<void> {
  await page.keyboard.press('ControlOrMeta+G');
  await page.getByRole('dialog', { name: 'Go to' }).getByRole('textbox').fill(place);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog')).toHaveCount(0);
}

/** Skips a test that makes a long log where it is not wanted or there is no room for one, and says why. */
export function skipWithoutRoom(what: string, neededBytes: number): void {
  const { bavail, bsize } = statfsSync(tmpdir());
  const reason =
    process.env.VELESCOPE_SKIP_SCALE !== undefined
      ? 'VELESCOPE_SKIP_SCALE is set'
      : bavail * bsize < neededBytes
        ? `${tmpdir()} has less than ${neededBytes / 1e9} GB free`
        : null;
  if (reason !== null) console.warn(`e2e: ${what} not run: ${reason}`);
  test.skip(reason !== null, reason ?? '');
}
