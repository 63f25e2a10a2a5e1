import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from '@playwright/test';
import { expect, startServer, test } from './app.ts';
import { MADE, makeDatabase, stores } from './logs.ts';
import { find, grid, pick, replacePayload } from './steps.ts';

/** The way to the server breaks, or nothing comes back on it: nothing that was typed is lost, and the window finds back by itself. */

test.skip(({ door }) => door !== 'browser', 'about the browser door: the desktop has no way that breaks');

type Server = Awaited<ReturnType<typeof startServer>>;

let home = '';
let directory = '';
let remove = () => {};
const servers: Server[] = [];
test.beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'velescope-connection-'));
  ({ directory, remove } = makeDatabase((log) =>
    writeFileSync(log, stores({ id: 1n, text: '"one"' }, { id: 2n, text: '"two"' })),
  ));
});
test.afterEach(async () => {
  for (const server of servers.splice(0)) {
    // One that is stopped takes no other signal.
    server.process.kill('SIGCONT');
    await server.stop();
  }
  if (home !== '') rmSync(home, { recursive: true, force: true });
  remove();
});

async function serve(...words: string[]): Promise<Server> {
  const server = await startServer(directory, home, words);
  servers.push(server);
  return server;
}

async function visit(browser: Browser, { address }: Server, prepare: (page: Page) => Promise<void> = async () => {}) {
  const page = await (await browser.newContext()).newPage();
  await prepare(page);
  await page.goto(address);
  await pick(page, MADE);
  return page;
}

/** A visit over a way that can be closed, and opened again, while the server goes on. */
async function visitBreakable(browser: Browser) {
  const server = await serve();
  let breakOff = () => {};
  let isClosed = false;
  const page = await visit(browser, server, async (fresh) => {
    await fresh.routeWebSocket(/protocol/, (socket) => {
      const behind = socket.connectToServer();
      breakOff = () => {
        void socket.close();
        void behind.close();
      };
    });
    await fresh.route(`${new URL(server.address).origin}/`, (route) => (isClosed ? route.abort() : route.continue()));
  });
  const way = {
    close() {
      isClosed = true;
      breakOff();
    },
    open() {
      isClosed = false;
    },
  };
  return { page, server, way };
}

const editor = (page: Page, id: string) => page.getByRole('textbox', { name: `Payload of id ${id}` });
const drafts = (page: Page, count: number) =>
  page.getByRole('button', { name: `Review ${count} draft${count === 1 ? '' : 's'}` });
const banner = (page: Page) => page.getByRole('region', { name: 'About this collection' }).getByRole('alert');

test('a server that ended: what to do is said, what was typed stays, and one that is started anew is told apart', async ({
  chromium,
}) => {
  const first = await serve();
  const page = await visit(await chromium(), first);
  await find(page, '1');
  await replacePayload(page, '1', '"kept"');
  await expect(drafts(page, 1)).toBeVisible();
  first.process.kill('SIGKILL');
  await expect(banner(page)).toContainText('The connection to Velescope was lost');
  await expect(banner(page)).toContainText('start it with "velescope serve"');
  await replacePayload(page, '1', '"typed while nobody was there"');
  await serve('--port', new URL(first.address).port);
  await expect(banner(page)).toContainText('Velescope was started again: open the new address that it printed');
  await expect(editor(page, '1')).toContainText('typed while nobody was there');
  await page.context().close();
});

test('once the new address of a server that was started anew was opened, the window that waits goes on too', async ({
  chromium,
}) => {
  const first = await serve();
  const page = await visit(await chromium(), first);
  await find(page, '1');
  first.process.kill('SIGKILL');
  await expect(banner(page)).toContainText('The connection to Velescope was lost');
  await replacePayload(page, '1', '"typed while nobody was there"');
  const second = await serve('--port', new URL(first.address).port);
  await expect(banner(page)).toContainText('Velescope was started again');
  const other = await page.context().newPage();
  await other.goto(second.address);
  await pick(other, MADE);
  await expect(banner(page)).toHaveCount(0);
  await expect(editor(page, '1')).toContainText('typed while nobody was there');
  await expect(drafts(page, 1)).toBeVisible();
  await expect(drafts(other, 1)).toBeVisible();
  await page.context().close();
});

test('a way that broke is taken up again: the place, what was typed meanwhile and its undo are there', async ({
  chromium,
}) => {
  const { page, server, way } = await visitBreakable(await chromium());
  await find(page, '1');
  await replacePayload(page, '1', '"before"');
  await expect(drafts(page, 1)).toBeVisible();
  way.close();
  await expect(banner(page)).toContainText('this window connects by itself');
  await replacePayload(page, '1', '"typed meanwhile"');
  way.open();
  await expect(banner(page)).toHaveCount(0);
  await expect(editor(page, '1')).toContainText('typed meanwhile');
  // It is a draft now: another window shows it.
  const other = await page.context().newPage();
  await other.goto(`${new URL(server.address).origin}/`);
  await pick(other, MADE);
  await grid(other).getByRole('rowheader', { name: '1', exact: true }).click();
  await expect(editor(other, '1')).toContainText('typed meanwhile');
  // The window goes on: rows are read, and the history of undo reaches behind the break.
  await editor(page, '1').click();
  for (let step = 0; step < 4; step++) await page.keyboard.press('ControlOrMeta+Z');
  await expect(editor(page, '1')).toContainText('one');
  await find(page, '2');
  await expect(editor(page, '2')).toContainText('two');
  await page.context().close();
});

test('a large payload is edited on behind a break with each key kept, and one is told of no draft but those of others', async ({
  chromium,
}) => {
  const large = `{"text":"${'lorem ipsum '.repeat(30_000)}"}`;
  writeFileSync(join(directory, MADE, 'payloads.log'), stores({ id: 1n, text: large }));
  const { page, way } = await visitBreakable(await chromium());
  await find(page, '1');
  await expect(page.getByText('VelesDB reads this', { exact: true })).toBeVisible();
  await editor(page, '1').click();
  await page.keyboard.press('ControlOrMeta+Home');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowRight');
  // In the journal of the session that is about to end, and in no draft yet.
  await page.keyboard.type('a');
  way.close();
  await expect(banner(page)).toContainText('this window connects by itself');
  await page.keyboard.type('b');
  way.open();
  await expect(banner(page)).toHaveCount(0);
  await expect(drafts(page, 1)).toBeVisible();
  await page.keyboard.type('c');
  await expect(page.getByText('Checking…')).toBeVisible();
  await expect(page.getByText('VelesDB reads this', { exact: true })).toBeVisible();
  // A failure would stand there until it is dismissed.
  await expect(page.getByText('took the place of a draft')).toHaveCount(0);
  // No pause to make a draft in: it is the journal that keeps the last key.
  await page.keyboard.type('d');
  await page.reload();
  await pick(page, MADE);
  await drafts(page, 1).waitFor();
  await grid(page).getByRole('rowheader', { name: '1', exact: true }).click();
  await expect(editor(page, '1')).toContainText('"abcdtext"');
  await page.context().close();
});

test('a server that is stopped is said to be silent; once it goes on, what was typed is kept', async ({ chromium }) => {
  const server = await serve();
  const page = await visit(await chromium(), server);
  await find(page, '1');
  server.process.kill('SIGSTOP');
  await expect(banner(page)).toContainText('Velescope does not answer', { timeout: 20_000 });
  await replacePayload(page, '1', '"typed into the silence"');
  await expect(editor(page, '1')).toContainText('typed into the silence');
  server.process.kill('SIGCONT');
  await expect(banner(page)).toHaveCount(0);
  await expect(drafts(page, 1)).toBeVisible();
  await page.context().close();
});
