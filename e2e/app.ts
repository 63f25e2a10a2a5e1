import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Browser, test as base, type ElectronApplication, expect, type Page } from '@playwright/test';
import { findChromium } from '../scripts/chromium.mjs';
import { electronExecutable, hasDisplay } from '../scripts/electron-runtime.mjs';

const root = resolve(import.meta.dirname, '..');

/** How a test gets to the window: set by the project. */
export interface AppOptions {
  door: 'browser' | 'electron';
}

/** Velescope with its window, on a copy of a directory that the test may change as it likes. */
export interface App {
  readonly page: Page;
  /** The copy. */
  readonly directory: string;
  /** The address that `serve` printed; null on the desktop. */
  readonly address: string | null;
  /** Ends Velescope as a person does and starts it again on the same copy. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export interface OpenOptions {
  /** Further words of `velescope serve`; a test that needs them is one of the browser door. */
  arguments?: string[];
  colorScheme?: 'light' | 'dark';
  forcedColors?: 'active' | 'none';
  size?: { width: number; height: number };
}

/** A server that does not end by itself this long after it was told to is ended. */
const STOP_MILLISECONDS = 15_000;
const SIZE = { width: 1440, height: 900 };

/**
 * The fixture of every spec: `open(DIRECTORY)` starts Velescope through the project's door on a fresh copy. What must hold always is
 * checked after each test: nothing was asked of any other origin, and the page reported no error, refusals of its content
 * security policy included.
 */
export const test = base.extend<
  AppOptions & { open(directory: string, options?: OpenOptions): Promise<App> },
  { chromium: () => Promise<Browser> }
>({
  door: ['browser', { option: true }],

  // Started by the first test that needs it: the project electron needs none.
  chromium: [
    async ({ playwright }, use) => {
      let browser: Browser | null = null;
      await use(async () => {
        const executablePath = findChromium();
        browser ??= await playwright.chromium.launch(executablePath === null ? {} : { executablePath });
        return browser;
      });
      await (browser as Browser | null)?.close();
    },
    { scope: 'worker' },
  ],

  open: async ({ door, chromium, playwright }, use, testInfo) => {
    testInfo.skip(door === 'electron' && electronExecutable() === null, "Electron's runtime is not installed here");
    testInfo.skip(door === 'electron' && !hasDisplay(), 'there is no display here');
    const home = mkdtempSync(join(tmpdir(), 'velescope-e2e-'));
    const remove = () => rmSync(home, { recursive: true, force: true, maxRetries: 5 });
    // Also where the run is broken off and nothing below is reached.
    process.once('exit', remove);
    const opened: App[] = [];
    const problems: string[] = [];

    const watch = (page: Page, isOurs: (url: URL) => boolean) => {
      page.on('pageerror', (error) => problems.push(`error in the page: ${error.message}`));
      page.on('console', (message) => {
        if (message.type() === 'error') problems.push(`console: ${message.text()}`);
      });
      const check = (address: string) => {
        const url = new URL(address);
        if (url.protocol !== 'data:' && url.protocol !== 'blob:' && !isOurs(url))
          problems.push(`request to ${address}`);
      };
      page.on('request', (request) => check(request.url()));
      page.on('websocket', (socket) => check(socket.url()));
    };

    await use(async (source, options = {}) => {
      const directory = join(home, `data-${opened.length}`, source.split(/[\\/]/).at(-1)!);
      cpSync(source, directory, { recursive: true, preserveTimestamps: true });
      const start = async () => {
        if (door === 'electron') return startElectron(playwright, directory, home, options, watch);
        return startBrowserDoor(await chromium(), directory, home, options, watch);
      };
      let running = await start();
      const app: App = {
        directory,
        get page() {
          return running.page;
        },
        get address() {
          return running.address;
        },
        async restart() {
          await running.close();
          running = await start();
        },
        close: () => running.close(),
      };
      opened.push(app);
      return app;
    });

    // Whatever a failed test left: one window that does not close must keep neither the others open nor the copies on the disk.
    const closed = await Promise.allSettled(opened.map((app) => app.close()));
    remove();
    process.removeListener('exit', remove);
    for (const end of closed) if (end.status === 'rejected') problems.push(`not closed: ${end.reason}`);
    expect(problems).toEqual([]);
  },
});

interface Running {
  page: Page;
  address: string | null;
  close(): Promise<void>;
}
type Watch = (page: Page, isOurs: (url: URL) => boolean) => void;

async function startBrowserDoor(
  browser: Browser,
  directory: string,
  home: string,
  options: OpenOptions,
  watch: Watch,
): Promise<Running> {
  const server = await startServer(directory, home, options.arguments);
  try {
    return await openPage(browser, server, options, watch);
  } catch (thrown) {
    await server.stop();
    throw thrown;
  }
}

async function openPage(
  browser: Browser,
  server: { address: string; stop(): Promise<unknown> },
  options: OpenOptions,
  watch: Watch,
): Promise<Running> {
  const context = await browser.newContext({
    viewport: options.size ?? SIZE,
    colorScheme: options.colorScheme ?? 'light',
    forcedColors: options.forcedColors ?? 'none',
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  const { host } = new URL(server.address);
  watch(page, (url) => url.host === host && (url.protocol === 'http:' || url.protocol === 'ws:'));
  await page.goto(server.address);
  return {
    page,
    address: server.address,
    async close() {
      try {
        await context.close();
      } finally {
        await server.stop();
      }
    },
  };
}

/** Runs `velescope serve` and waits for the address on its standard output. */
export async function startServer(
  directory: string,
  home: string,
  words: string[] = [],
): Promise<{ address: string; process: ChildProcess; stop(): Promise<number | null> }> {
  const cli = join(root, 'out', 'cli', 'index.js');
  if (!existsSync(cli)) throw new Error('Velescope is not built; run npm run build');
  const child = spawn(process.execPath, [cli, 'serve', directory, '--no-open', ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // Settings and drafts of the person who runs the tests stay as they are.
    env: { ...process.env, HOME: home, USERPROFILE: home, XDG_CONFIG_HOME: join(home, 'config'), APPDATA: home },
  });
  let output = '';
  let errors = '';
  child.stderr.on('data', (piece) => {
    errors += piece;
  });
  // A run that is broken off leaves no server.
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = new Promise<number | null>((done) =>
    child.once('exit', (status) => {
      process.removeListener('exit', kill);
      done(status);
    }),
  );
  const address = await new Promise<string>((done, fail) => {
    child.stdout.on('data', (piece) => {
      output += piece;
      const line = /^(http:\/\/\S+)$/m.exec(output);
      if (line) done(line[1]!);
    });
    void ended.then((status) => fail(new Error(`velescope serve ended with ${status}: ${errors || output}`)));
  });
  return {
    address,
    process: child,
    async stop() {
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), STOP_MILLISECONDS);
      const status = await ended;
      clearTimeout(late);
      return status;
    },
  };
}

async function startElectron(
  playwright: { _electron: { launch(options: object): Promise<ElectronApplication> } },
  directory: string,
  home: string,
  options: OpenOptions,
  watch: Watch,
): Promise<Running> {
  const application = await playwright._electron.launch({
    executablePath: electronExecutable()!,
    args: [root, `--user-data-dir=${join(home, 'user-data')}`, 'open', directory],
    colorScheme: options.colorScheme ?? 'light',
  });
  const page = await application.firstWindow();
  watch(page, (url) => url.protocol === 'app:' && url.host === 'bundle');
  const { width, height } = options.size ?? SIZE;
  await application.evaluate(({ BrowserWindow }, size) => BrowserWindow.getAllWindows()[0]!.setSize(size[0], size[1]), [
    width,
    height,
  ] as const);
  return { page, address: null, close: () => application.close() };
}

export { expect };
