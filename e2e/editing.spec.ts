import { join } from 'node:path';
import { GENERATIONS } from '../src/core/generation.ts';
import { expect, test } from './app.ts';
import { presentSamples } from './samples.ts';
import {
  collection,
  find,
  fingerprint,
  grid,
  pick,
  replacePayload,
  status,
  stored,
  turnWritingOn,
  velescope,
} from './steps.ts';

for (const sample of presentSamples()) {
  test.describe(sample.title, () => {
    test('a record is found, edited, saved, and there again after a restart', async ({ open }) => {
      const app = await open(sample.directory);
      const log = join(app.directory, sample.collection);
      await pick(app.page, sample.collection);
      await find(app.page, sample.id);
      await expect(app.page.getByRole('textbox', { name: `Payload of id ${sample.id}` })).toContainText(sample.text);

      await replacePayload(app.page, sample.id, '{"title": "edited by a test",\n "big": 12345678901234567890}');
      await app.page.keyboard.press('ControlOrMeta+S');
      await turnWritingOn(app.page);
      await expect(app.page.getByRole('button', { name: 'No drafts' })).toBeVisible();
      expect(stored(log, sample.id)).toMatchObject({ title: 'edited by a test' });

      await app.restart();
      await pick(app.page, sample.collection);
      await find(app.page, sample.id);
      const editor = app.page.getByRole('textbox', { name: `Payload of id ${sample.id}` });
      await expect(editor).toContainText('edited by a test');
      // More digits than a double holds: the text is what is shown, not a number read from it.
      await expect(editor).toContainText('12345678901234567890');
      expect(velescope('verify', log)[0]).toMatchObject({ damage: [] });
    });

    test('a deleted record is gone from the database and stays in its history', async ({ open }) => {
      const app = await open(sample.directory);
      const log = join(app.directory, sample.collection);
      expect(stored(log, sample.id)).not.toBeNull();
      await pick(app.page, sample.collection);
      await find(app.page, sample.id);
      await app.page.getByRole('row', { selected: true }).press('Delete');
      await app.page.getByRole('dialog').getByRole('button', { name: 'Stage the delete' }).click();
      await app.page.getByRole('button', { name: 'Review 1 draft' }).click();
      const review = app.page.getByRole('dialog', { name: /Review and write/ });
      await review.getByRole('button', { name: 'Write 1 change' }).click();
      await turnWritingOn(app.page);
      await expect.poll(() => stored(log, sample.id)).toBeNull();
      expect(velescope('history', log, sample.id).at(-1)).toMatchObject({ kind: 'delete', live: false });
    });

    test('a snapshot is written, and VelesDB loads it', async ({ open }) => {
      const app = await open(sample.directory);
      const log = join(app.directory, sample.collection);
      await pick(app.page, sample.collection);
      await status(app.page)
        .getByRole('switch', { name: /^Writing/ })
        .click();
      await expect(status(app.page).getByRole('switch', { name: /^Writing/ })).toBeChecked();
      await app.page.getByRole('banner').getByRole('button', { name: 'Snapshot now' }).click();
      await app.page.getByRole('dialog', { name: 'Snapshot' }).getByRole('button', { name: 'Snapshot now' }).click();
      await expect(app.page.getByText(/^Snapshot written: /)).toBeVisible();
      const bytes = (velescope('verify', log)[0] as { log: { bytes: number } }).log.bytes;
      for (const generation of GENERATIONS) {
        expect(velescope('replay', log, '--as', generation)[0]).toMatchObject({
          ok: true,
          usedSnapshot: true,
          lastSnapshotWalPosition: String(bytes),
        });
      }
    });

    test('looking changes no file, makes none, and leaves every time as it was', async ({ open }) => {
      const app = await open(sample.directory);
      const before = fingerprint(app.directory);
      expect(Object.keys(before).length).toBeGreaterThan(3);
      for (const name of await collectionNames(app.page)) {
        await collection(app.page, name).click();
        await expect(status(app.page)).toContainText('Scan complete');
        const row = grid(app.page).getByRole('rowheader').first();
        if ((await row.count()) === 0) continue;
        await row.click();
        for (const tab of await app.page.getByRole('tab').all()) if (await tab.isEnabled()) await tab.click();
      }
      await app.close();
      expect(fingerprint(app.directory)).toEqual(before);
    });
  });
}

/** The names of the collections that are listed and can be opened. */
async function collectionNames(page: import('@playwright/test').Page): Promise<string[]> {
  const buttons = page.getByRole('navigation', { name: 'Collections' }).getByRole('button');
  await expect(buttons.first()).toBeVisible();
  const texts = await buttons.allInnerTexts();
  return texts.map((text) => text.split('\n')[0]!.trim());
}
