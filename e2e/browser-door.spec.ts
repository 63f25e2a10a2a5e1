import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, startServer, test } from './app.ts';
import { DAMAGED, SHIPPED } from './samples.ts';
import { collection, find, fingerprint, grid, pick, replacePayload, status } from './steps.ts';

/** The attacker's script, as text: it runs in the browser. Tells how far it came. */
const attack = (target: string) => `(async () => {
  const target = ${JSON.stringify(target)};
  const socket = await new Promise((done) => {
    const attempt = new WebSocket(target.replace('http', 'ws') + '/protocol');
    attempt.onopen = () => done('open');
    attempt.onerror = () => done('refused');
  });
  const read = await fetch(target + '/', { credentials: 'include' }).then(() => 'read', () => 'refused');
  const loaded = await new Promise((done) => {
    const script = document.createElement('script');
    script.src = target + '/assets/index.js';
    script.onload = () => done('loaded');
    script.onerror = () => done('refused');
    document.body.append(script);
  });
  const frame = document.createElement('iframe');
  const shown = new Promise((done) => { frame.onload = done; });
  frame.src = target + '/';
  document.body.append(frame);
  await shown;
  return { socket, read, loaded, framed: frame.contentDocument === null ? 'refused' : 'readable' };
})()`;

test.skip(({ door }) => door !== 'browser', 'about the browser door');

test('the address is used up at once: the token is not in the address bar, and a reload stays in', async ({ open }) => {
  const app = await open(SHIPPED.directory);
  expect(app.page.url()).toBe(`${new URL(app.address!).origin}/`);
  await app.page.reload();
  await expect(collection(app.page, SHIPPED.collection)).toBeVisible();
});

test('another browser without the token sees nothing', async ({ open, chromium }) => {
  const app = await open(SHIPPED.directory);
  const context = await (await chromium()).newContext();
  const page = await context.newPage();
  const answer = await page.goto(`${new URL(app.address!).origin}/`);
  expect(answer!.status()).toBe(401);
  await expect(page.getByText('Not signed in')).toBeVisible();
  await expect(page.getByText('Collections')).toHaveCount(0);
  await context.close();
});

test('a page of another origin can neither connect nor embed nor read', async ({ open }) => {
  const app = await open(SHIPPED.directory);
  const { origin } = new URL(app.address!);
  // The attacker's page, in the browser of the person who is signed in: another port of the same host.
  const context = app.page.context();
  const page = await context.newPage();
  await page.route('http://127.0.0.1:1/**', (route) =>
    route.fulfill({ contentType: 'text/html', body: '<title>another program</title>' }),
  );
  await page.goto('http://127.0.0.1:1/');
  const outcome = await page.evaluate(attack(origin));
  expect(outcome).toEqual({ socket: 'refused', read: 'refused', loaded: 'refused', framed: 'refused' });
});

test('--read-only keeps drafts and writes nothing', async ({ open }) => {
  const app = await open(SHIPPED.directory, { arguments: ['--read-only'] });
  const before = fingerprint(app.directory);
  await pick(app.page, SHIPPED.collection);
  await find(app.page, SHIPPED.id);
  await replacePayload(app.page, SHIPPED.id, '{"changed": true}');
  await app.page.keyboard.press('ControlOrMeta+S');
  await expect(app.page.getByText('Velescope was started read-only').first()).toBeVisible();
  await expect(status(app.page).getByRole('switch', { name: /^Writing/ })).toBeDisabled();
  await app.close();
  expect(fingerprint(app.directory)).toEqual(before);
});

test('two windows on one directory: both look, and the second sees what the first wrote', async ({ open }) => {
  const app = await open(SHIPPED.directory);
  const second = await app.page.context().newPage();
  await second.goto(`${new URL(app.address!).origin}/`);
  await pick(app.page, SHIPPED.collection);
  await pick(second, SHIPPED.collection);
  await find(app.page, SHIPPED.id);
  await replacePayload(app.page, SHIPPED.id, '{"from": "the first window"}');
  await app.page.keyboard.press('ControlOrMeta+S');
  await app.page
    .getByRole('dialog', { name: 'Turn writing on?' })
    .getByRole('button', { name: /^Turn on/ })
    .click();
  await expect(app.page.getByRole('button', { name: 'No drafts' })).toBeVisible();
  await second.reload();
  await pick(second, SHIPPED.collection);
  await find(second, SHIPPED.id);
  await expect(second.getByRole('textbox', { name: `Payload of id ${SHIPPED.id}` })).toContainText('the first window');
});

test('SIGINT and SIGTERM end the server with status 0, also while a page is connected', async ({ open }, testInfo) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    const server = await startServer(SHIPPED.directory, testInfo.outputPath());
    const ended = new Promise((done) => server.process.once('exit', (status, by) => done([status, by])));
    await open(SHIPPED.directory);
    server.process.kill(signal);
    expect(await ended).toEqual([0, null]);
  }
});

test('a served directory without a database is a page that says so, and its folders can be opened', async ({
  open,
}, testInfo) => {
  const outside = testInfo.outputPath('outside');
  const served = testInfo.outputPath('served');
  mkdirSync(join(outside, 'secret_collection'), { recursive: true });
  writeFileSync(join(outside, 'secret_collection', 'config.json'), '{}');
  writeFileSync(join(outside, 'secret_collection', 'payloads.log'), '');
  mkdirSync(join(served, 'deep', 'collection'), { recursive: true });
  writeFileSync(join(served, 'deep', 'collection', 'config.json'), '{"name":"collection","schema_version":1}');
  writeFileSync(join(served, 'deep', 'collection', 'payloads.log'), '');
  symlinkSync(outside, join(served, 'a-way-out'));
  const { page } = await open(served);
  await expect(page.getByText('secret_collection')).toHaveCount(0);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('This directory cannot be opened');
  await page.getByRole('button', { name: 'Open another directory…' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('deep');
  // The link leads out of what is served: it is as if it were not there.
  await expect(dialog).not.toContainText('a-way-out');
});

test('damage found while serving is shown to every window without being asked', async ({ open }) => {
  const { page } = await open(DAMAGED);
  await expect(collection(page, 'zero_hole')).toContainText('damaged');
  await pick(page, 'zero_hole');
  await expect(status(page)).toContainText('Scan complete');
  await expect(grid(page).getByRole('row').filter({ hasText: 'Zero' })).not.toHaveCount(0);
});
