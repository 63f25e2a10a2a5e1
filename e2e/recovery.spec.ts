import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { GENERATIONS } from '../src/core/generation.ts';
import { type App, expect, test } from './app.ts';
import { MADE, makeDatabase, stores } from './logs.ts';
import { collection, grid, pick, runCommand, velescope } from './steps.ts';

const FIRST = stores({ id: 1n, text: '{"title":"first"}' });
const SECOND = stores({ id: 2n, text: '{"title":"second"}' });
const JUNK = Buffer.alloc(40, 0x55);
const LAST = stores({ id: 3n, text: '{"title":"third"}' }, { id: 1n, text: '{"title":"first again"}' });
const TORN = stores({ id: 4n, text: '{"title":"never finished"}' }).subarray(0, 20);
/** One bit of the second record's payload flipped: the CRC proves what it was. */
const FLIPPED = Buffer.from(SECOND);
FLIPPED[FLIPPED.indexOf('second')]! ^= 1;
/** A log that releases before 3.12 refuse, and later ones end at the junk. */
const DAMAGED = Buffer.concat([FIRST, FLIPPED, JUNK, LAST, TORN]);

/** Opens a made database with the damaged log. */
async function openDamaged(
  open: (directory: string) => Promise<App>,
): Promise<{ app: App; path: string; log: string }> {
  const made = makeDatabase((log) => writeFileSync(log, DAMAGED));
  try {
    const app = await open(made.directory);
    await pick(app.page, MADE);
    const path = join(app.directory, MADE);
    return { app, path, log: join(path, 'payloads.log') };
  } finally {
    made.remove();
  }
}

/** The collection as every release finds it: no damage, a snapshot that agrees, opened by all of them. */
function expectSound(directory: string): void {
  const [verified] = velescope('verify', directory);
  expect(verified).toMatchObject({ damage: [], snapshot: { state: 'valid' } });
  for (const generation of GENERATIONS) {
    expect(velescope('replay', directory, '--as', generation)[0]).toMatchObject({ ok: true });
  }
}

/** The one directory in a collection that holds what stood there before a recovery. */
function keptIn(collectionPath: string): string {
  const names = readdirSync(collectionPath).filter((name) => name.startsWith('velescope-recovery-'));
  expect(names).toHaveLength(1);
  return join(collectionPath, names[0]!);
}

const recovery = (page: Page) => page.getByRole('main', { name: 'Recovery' });

test('in place: the dry run, the button, a sound database, the evidence and the original kept', async ({ open }) => {
  const { app, path, log } = await openDamaged(open);
  const { page } = app;
  expect(velescope('replay', path, '--as', 'v1.6')[0]).toMatchObject({ ok: false });
  await runCommand(page, 'Recover…');
  await expect(recovery(page)).toContainText(
    `${FLIPPED.length + JUNK.length + TORN.length}bytes left out, in 2 pieces`,
  );
  await recovery(page).getByRole('button', { name: 'In place instead…' }).click();
  expect(readFileSync(log).equals(DAMAGED)).toBe(true);
  await page
    .getByRole('dialog', { name: 'Recover in place?' })
    .getByRole('button', { name: 'Replace the log' })
    .click();
  await expect(recovery(page).getByRole('status')).toContainText('Recovered, opened again and verified');

  expect(readFileSync(log).equals(Buffer.concat([FIRST, LAST]))).toBe(true);
  const kept = keptIn(path);
  expect(readFileSync(join(kept, 'payloads.log.before-recovery')).equals(DAMAGED)).toBe(true);
  expect(readFileSync(join(kept, 'evidence', 'left-out.bin')).equals(Buffer.concat([FLIPPED, JUNK, TORN]))).toBe(true);
  expectSound(path);
  await expect(collection(page, MADE)).toContainText('healthy');
  await recovery(page).getByRole('button', { name: 'Records' }).click();
  await expect(grid(page).getByRole('row').filter({ hasText: 'Intact' })).toHaveCount(2);
});

test('an accepted candidate outlives the window, and the recovery put in place by its button is the log that was', async ({
  open,
}) => {
  const { app, path, log } = await openDamaged(open);
  const { page } = app;
  await page.keyboard.press('F8');
  await page.getByRole('button', { name: 'Accept for recovery' }).first().click();
  await expect(page.getByRole('button', { name: 'Take back' })).toHaveAttribute('aria-pressed', 'true');

  await page.reload();
  await pick(page, MADE);
  await page.keyboard.press('F8');
  await expect(page.getByRole('button', { name: 'Take back' })).toHaveAttribute('aria-pressed', 'true');
  await runCommand(page, 'Recover…');
  await expect(recovery(page)).toContainText('and the 1 accepted candidate, in any case');
  await expect(recovery(page)).toContainText('1records repaired');

  // On the desktop the rest would ask with a dialog of the system.
  if (app.address === null) return;
  await recovery(page).getByRole('button', { name: 'Choose where…' }).click();
  await recovery(page).getByRole('button', { name: 'Recover to the new directory' }).click();
  await expect(recovery(page).getByRole('status')).toContainText('Recovered, opened again and verified');
  const target = join(app.directory, `${MADE}-recovered`);
  expect(readFileSync(log).equals(DAMAGED)).toBe(true);
  expectSound(target);
  expect(readFileSync(join(target, 'evidence', 'left-out.bin')).equals(Buffer.concat([FLIPPED, JUNK, TORN]))).toBe(
    true,
  );
  // Beside the original it is what it is: a copy that was made, and nothing to be alarmed about.
  const copy = collection(page, `${MADE}-recovered`);
  await expect(copy).toContainText('recovered copy');
  await expect(copy).toContainText('healthy');
  await expect(copy).not.toContainText('not listed');

  await recovery(page).getByRole('button', { name: 'Put in place…' }).click();
  await page
    .getByRole('dialog', { name: 'Put the result in place?' })
    .getByRole('button', { name: 'Replace the log' })
    .click();
  await expect(recovery(page).getByRole('heading', { name: 'The recovered log is in place' })).toBeVisible();
  expect(readFileSync(log).equals(Buffer.concat([FIRST, SECOND, LAST]))).toBe(true);
  expect(readFileSync(join(keptIn(path), 'payloads.log.before-recovery')).equals(DAMAGED)).toBe(true);
  expectSound(path);
  await expect(collection(page, `${MADE} healthy`)).toBeVisible();
});

test('a recovery in place is refused while another process holds the lock, and changes nothing', async ({ open }) => {
  test.skip(process.platform !== 'linux', 'flock(1) is needed to hold the lock');
  const { app, path, log } = await openDamaged(open);
  const before = readdirSync(path);
  // As VelesDB does: the lock of the database, for as long as its standard input stays open.
  const holder = spawn('flock', ['-x', join(app.directory, 'velesdb.lock'), 'sh', '-c', 'echo held; cat']);
  try {
    await once(holder.stdout, 'data');
    await runCommand(app.page, 'Recover…');
    await recovery(app.page).getByRole('button', { name: 'In place instead…' }).click();
    await app.page.getByRole('dialog').getByRole('button', { name: 'Replace the log' }).click();
    await expect(recovery(app.page).getByRole('region', { name: 'Recovery stopped' })).toContainText('LOCK_HELD');
    expect(readFileSync(log).equals(DAMAGED)).toBe(true);
    expect(readdirSync(path)).toEqual(before);
  } finally {
    holder.stdin.end();
  }
});
