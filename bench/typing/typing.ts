/**
 * How long a key takes in a large payload, from its event to the frame that shows it, beside the same keys in a payload of a kilobyte
 * in the same window: most of it is waiting for the next frame. Prints a table; asserts nothing but that the keys arrived.
 */
import { writeFileSync } from 'node:fs';
import type { Page } from '@playwright/test';
import { expect, test } from '../../e2e/app.ts';
import { MADE, makeDatabase, stores } from '../../e2e/logs.ts';
import { grid, pick } from '../../e2e/steps.ts';
import { percentile } from '../measure.ts';

const SIZE = 16 << 20;
const KEYS = 100;
const KEY_MILLISECONDS = 110;
/** Long enough for the check and the draft of what was typed, which the keys behind it must not feel. */
const PAUSE_MILLISECONDS = 3_500;
const PAUSE_EACH = 50;

const SMALL = JSON.stringify({ title: 'control', text: 'lorem ipsum '.repeat(80) });
const KINDS: Readonly<Record<string, () => string>> = {
  'one string': () => `"${'lorem ipsum '.repeat(SIZE / 12)}"`,
  'one string, two bytes a character': () => `"${'Köln 😀 '.repeat(SIZE / 24)}"`,
  'white space of its own': () => `{ "id": 17, "text": "${'lorem ipsum '.repeat(SIZE / 12)}" }`,
  'many lines': () => {
    const members = Array.from(
      { length: SIZE / 72 },
      (_, at) => `"key ${at}":{"title":"number ${at}","score":${at}.50,"tags":["a"]}`,
    );
    return `{${members.join(',')}}`;
  },
};

/** Notes for each key how long it took until the frame behind it was drawn. */
const NOTE_KEYS = `
  window.keys = [];
  addEventListener('keydown', ({ timeStamp }) => requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => window.keys.push(performance.now() - timeStamp);
    port2.postMessage(0);
  }), true);`;

/** Notes how long each task was that held the window up for 50 ms or more. */
const NOTE_TASKS = `
  window.tasks = [];
  new PerformanceObserver((list) => window.tasks.push(...list.getEntries().map(({ duration }) => duration)))
    .observe({ type: 'longtask' });`;

/** What held the window up since this was asked last. */
async function tellTasks(page: Page, what: string): Promise<void> {
  const tasks = await page.evaluate<number[]>('window.tasks.splice(0)');
  console.log(`\n${what.padEnd(48)} tasks of 50 ms or more: ${tasks.map(Math.round).join(', ') || 'none'}`);
}

/** Types as a person does, and returns the milliseconds of each key. The first key behind a pause wakes the machine: it is left out. */
async function type(page: Page): Promise<number[]> {
  await page.waitForTimeout(1_000);
  await page.evaluate('window.keys.length = 0');
  for (let key = 0; key < KEYS; key++) {
    await page.keyboard.press('abcdefghij'[key % 10]!);
    await page.waitForTimeout(KEY_MILLISECONDS);
    if (key % PAUSE_EACH === PAUSE_EACH - 1) await page.waitForTimeout(PAUSE_MILLISECONDS);
  }
  const times = await page.evaluate<number[]>('window.keys');
  expect(times.length).toBe(KEYS);
  return times.filter((_, key) => key % PAUSE_EACH > 0);
}

function tell(what: string, times: number[]): void {
  const [median, high, most] = [0.5, 0.95, 1].map((part) => Math.round(percentile(times, part)));
  const over = times.filter((time) => time > 50).length;
  console.log(
    `\n${what.padEnd(48)} median ${median}, p95 ${high}, most ${most} ms; ${over} of ${times.length} over 50 ms`,
  );
}

for (const [kind, textOf] of Object.entries(KINDS)) {
  test(kind, async ({ open }) => {
    const made = makeDatabase((log) => writeFileSync(log, stores({ id: 1n, text: textOf() }, { id: 2n, text: SMALL })));
    const { page } = await open(made.directory);
    made.remove();
    await page.addInitScript(NOTE_KEYS + NOTE_TASKS);
    await page.reload();
    await pick(page, MADE);
    for (const [id, what] of [
      ['2', 'a payload of a kilobyte'],
      ['1', `16 MiB, ${kind}`],
    ] as const) {
      await page.evaluate('window.tasks.length = 0');
      await grid(page).getByRole('rowheader', { name: id, exact: true }).click();
      const editor = page.getByRole('textbox', { name: `Payload of id ${id}` });
      await expect(page.getByText('VelesDB reads this', { exact: true })).toBeVisible();
      await expect(editor).toBeVisible();
      // The path of the cursor comes last.
      await page.waitForTimeout(2_500);
      await tellTasks(page, `opening ${what}`);
      await editor.click({ position: { x: 200, y: 30 } });
      tell(what, await type(page));
    }
    await page.keyboard.press('ControlOrMeta+End');
    await page.keyboard.press('ArrowLeft');
    tell(`16 MiB, ${kind}, at its end`, await type(page));
    await tellTasks(page, 'all this typing');
  });
}
