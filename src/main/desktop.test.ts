import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Response as ProtocolResponse } from '../shared/protocol.ts';
import type { FrameStandIn } from './electron-stand-in.fixture.ts';
import * as electron from './electron-stand-in.fixture.ts';
import { EXTERNAL_LINKS } from './external-links.ts';
import type { ServicesOptions } from './services/services-type.ts';
import { standInServices } from './stand-in-services.fixture.ts';

vi.mock('electron', () => import('./electron-stand-in.fixture.ts'));
const { startDesktop } = await import('./desktop.ts');

let directory: string;
let installation: { preload: string; bundle: string };

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'velescope-desktop-'));
  const bundle = join(directory, 'renderer');
  mkdirSync(join(bundle, 'assets'), { recursive: true });
  mkdirSync(join(directory, 'data'));
  writeFileSync(join(bundle, 'index.html'), '<meta property="csp-nonce" nonce="VELESCOPE_STYLE_NONCE">');
  writeFileSync(join(bundle, 'assets', 'page.js'), 'export {};');
  writeFileSync(join(directory, 'secret.js'), 'the secret');
  writeFileSync(join(directory, 'file'), '');
  symlinkSync(join(directory, 'secret.js'), join(bundle, 'link.js'));
  installation = { preload: join(directory, 'preload.cjs'), bundle };
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));
beforeEach(() => {
  electron.reset(mkdtempSync(join(directory, 'user-')));
  process.argv = ['/opt/velescope'];
});

/** Starts the application on services that stand in, and answers its first window. */
async function start(given: Parameters<typeof standInServices>[0] = {}) {
  const standIn = standInServices(given);
  let options: ServicesOptions | null = null;
  await startDesktop((asked) => {
    options = asked;
    return standIn.services;
  }, installation);
  return { ...standIn, options: options! as ServicesOptions, window: electron.BrowserWindow.all[0]! };
}

type Window = InstanceType<typeof electron.BrowserWindow>;

/** A message as Electron delivers it. Without a frame of its own it comes from the window's page. */
function deliver(window: Window, message: unknown, frame: FrameStandIn | null = window.webContents.mainFrame): void {
  electron.ipcMain.emit('velescope:request', { sender: window.webContents, senderFrame: frame }, message);
}

const call = (number: number, method: string, params: unknown = {}) => ({ type: 'call', call: number, method, params });

/** What a window was sent, once there is as much of it as asked for. */
async function sent(window: Window, count: number): Promise<ProtocolResponse[]> {
  await expect.poll(() => window.webContents.sent.length).toBeGreaterThanOrEqual(count);
  expect(window.webContents.sent.every(({ channel }) => channel === 'velescope:response')).toBe(true);
  return window.webContents.sent.map(({ value }) => value as ProtocolResponse);
}

/** Lets everything that is already on its way arrive. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 20));

describe('before Electron is ready', () => {
  test('the sandbox is on for every renderer and the scheme has its privileges', async () => {
    await start();
    const ready = electron.log.indexOf('ready');
    expect(electron.log.indexOf('enableSandbox')).toBeGreaterThanOrEqual(0);
    expect(electron.log.indexOf('enableSandbox')).toBeLessThan(ready);
    expect(electron.log.indexOf('registerSchemesAsPrivileged')).toBeLessThan(ready);
    expect(electron.schemes).toEqual([
      {
        scheme: 'app',
        privileges: { standard: true, secure: true, supportFetchAPI: true, bypassCSP: false, corsEnabled: false },
      },
    ]);
  });

  test('no name resolves', async () => {
    await start();
    expect(electron.log.indexOf('switch host-resolver-rules=MAP * ~NOTFOUND')).toBeLessThan(
      electron.log.indexOf('ready'),
    );
    expect(electron.log).toContain('switch host-resolver-rules=MAP * ~NOTFOUND');
  });
});

describe('the window', () => {
  test('shows app://bundle/ and nothing else', async () => {
    const { window } = await start();
    expect(window.loaded).toEqual(['app://bundle/']);
  });

  test('has every security setting named', async () => {
    const { window } = await start();
    expect(window.options.webPreferences).toEqual({
      preload: installation.preload,
      partition: 'velescope',
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webSecurity: true,
      allowRunningInsecureContent: false,
      experimentalFeatures: false,
      webviewTag: false,
      plugins: false,
      navigateOnDragDrop: false,
      spellcheck: false,
      devTools: false,
    });
    // enableBlinkFeatures is in no list: the assertion above fails for any key that is added.
  });

  test('keeps no storage on disk: the partition is one in memory', async () => {
    const { window } = await start();
    expect(window.options.webPreferences?.partition).not.toMatch(/^persist:/);
  });

  test('appears once it has something to show', async () => {
    const { window } = await start();
    expect(window.options.show).toBe(false);
    expect(window.calls).not.toContain('show');
    window.emit('ready-to-show');
    expect(window.calls).toContain('show');
  });

  test('opens where it was closed', async () => {
    const first = await start();
    first.window.bounds = { x: 40, y: 50, width: 900, height: 700 };
    first.window.emit('close');
    const { userData } = electron.app;
    electron.reset(userData);
    const second = await start();
    expect(second.window.options).toMatchObject({ x: 40, y: 50, width: 900, height: 700 });
  });
});

describe.each([
  ['of the window', () => electron.sessions.get('velescope')!],
  ['of Electron itself, which shows nothing', () => electron.session.defaultSession],
])('the session %s', (_name, sessionOf) => {
  test.each([
    'clipboard-read',
    'fileSystem',
    'geolocation',
    'media',
    'notifications',
    'openExternal',
    'usb',
    'unknown',
  ])('denies the permission %s when asked and when checked', async (permission) => {
    await start();
    const session = sessionOf();
    const granted: boolean[] = [];
    session.permissionRequest!(...([{}, permission, (answer: boolean) => granted.push(answer), {}] as never[]));
    expect(granted).toEqual([false]);
    expect(session.permissionCheck!(...([null, permission, 'app://bundle', {}] as never[]))).toBe(false);
    expect(session.devicePermission!(...([{ deviceType: permission }] as never[]))).toBe(false);
    const streams: unknown[] = [];
    session.displayMedia!(...([{}, (answer: unknown) => streams.push(answer)] as never[]));
    expect(streams).toEqual([null]);
  });

  test.each([
    'http://example.com/',
    'https://example.com/',
    'ws://127.0.0.1/',
    'wss://example.com/',
    'ftp://example.com/',
    'file:///etc/passwd',
    'app://bundle.evil/',
    'app://bundle@evil/',
    'app://evil/',
    'devtools://devtools/',
    'chrome-extension://x/',
    'not an address',
  ])('lets no request for %s out', async (url) => {
    await start();
    expect(requested(sessionOf(), url)).toEqual({ cancel: true });
  });

  test('lets requests for the bundle through, and images written out in the page', async () => {
    await start();
    expect(requested(sessionOf(), 'app://bundle/assets/page.js')).toEqual({ cancel: false });
    expect(requested(sessionOf(), 'data:image/png;base64,AAAA')).toEqual({ cancel: false });
  });

  test('fetches no dictionaries and saves no downloads', async () => {
    await start();
    const session = sessionOf();
    expect(session.spellChecker).toBe(false);
    expect(prevented((event) => session.emit('will-download', event, {}))).toBe(true);
  });
});

function requested(session: InstanceType<typeof electron.SessionStandIn>, url: string) {
  let response: { cancel: boolean } | null = null;
  session.beforeRequest!({ url }, (answer) => {
    response = answer;
  });
  return response;
}

/** Whether an event was answered with preventDefault. */
function prevented(emit: (event: { preventDefault(): void; url: string; isMainFrame: boolean }) => void, url = '') {
  let answer = false;
  emit({
    preventDefault: () => {
      answer = true;
    },
    url,
    isMainFrame: true,
  });
  return answer;
}

describe('every web contents, whoever made it', () => {
  test.each(['will-navigate', 'will-redirect', 'will-frame-navigate', 'will-attach-webview'])(
    '%s is prevented, to any address',
    async (name) => {
      await start();
      const contents = new electron.WebContentsStandIn();
      electron.app.emit('web-contents-created', {}, contents);
      const addresses = [
        'https://example.com/',
        'file:///etc/passwd',
        'app://bundle.evil/',
        'app://bundle/assets/page.js',
      ];
      for (const url of addresses) expect(prevented((event) => contents.emit(name, event), url)).toBe(true);
    },
  );

  test('the page may load itself again, in the main frame, and not by way of a redirect', async () => {
    const { window } = await start();
    const page = 'app://bundle/';
    expect(prevented((event) => window.webContents.emit('will-navigate', event), page)).toBe(false);
    expect(prevented((event) => window.webContents.emit('will-frame-navigate', event), page)).toBe(false);
    const inFrame = (event: object) => window.webContents.emit('will-frame-navigate', { ...event, isMainFrame: false });
    expect(prevented(inFrame, page)).toBe(true);
    expect(prevented((event) => window.webContents.emit('will-redirect', event), page)).toBe(true);
    expect(prevented((event) => window.webContents.emit('will-attach-webview', event), page)).toBe(true);
  });

  test.each([
    'https://example.com/',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'smb://evil/share',
    'https://github.com/cyberlife-coder/VelesDB/../../evil',
    'https://github.com/cyberlife-coder/VelesDB?x=1',
    'https://github.com/cyberlife-coder/VelesDB.evil.example',
  ])('a window for %s is denied, and the address goes nowhere', async (url) => {
    const { window } = await start();
    expect(window.webContents.windowOpenHandler!({ url })).toEqual({ action: 'deny' });
    expect(electron.opened).toEqual([]);
  });

  test('a window for an address of the list is denied as well; the system shows it', async () => {
    const { window } = await start();
    expect(window.webContents.windowOpenHandler!({ url: EXTERNAL_LINKS.velesdb })).toEqual({ action: 'deny' });
    expect(electron.opened).toEqual([EXTERNAL_LINKS.velesdb]);
    expect(Object.values(EXTERNAL_LINKS).every((address) => new URL(address).protocol === 'https:')).toBe(true);
  });
});

describe('the scheme app://', () => {
  async function fetchBundle(address: string, init: RequestInit = {}) {
    await start();
    const session = electron.sessions.get('velescope')!;
    return session.handled.get('app')!(new Request(address, init));
  }

  test('serves the page with the policy as a header, and no unsafe- in it', async () => {
    const response = await fetchBundle('app://bundle/');
    expect(response.status).toBe(200);
    const policy = response.headers.get('content-security-policy')!;
    const nonce = /nonce="([^"]+)"/.exec(await response.text())![1];
    expect(policy.replace(`'nonce-${nonce}'`, "'nonce'")).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self' 'nonce'; img-src 'self' data:; font-src 'self'; " +
        "connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  });

  test('serves files of the bundle', async () => {
    const response = await fetchBundle('app://bundle/assets/page.js');
    expect([response.status, await response.text()]).toEqual([200, 'export {};']);
    expect(response.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
  });

  test.each([
    'app://bundle/..%2fsecret.js',
    'app://bundle/%2e%2e%2fsecret.js',
    'app://bundle/assets/..%2f..%2fsecret.js',
    'app://bundle/..%5csecret.js',
    'app://bundle/%00',
    'app://bundle//etc/passwd',
    'app://bundle/link.js',
    'app://bundle/none.js',
    'app://other/index.html',
    'app://bundle.evil/index.html',
  ])('answers %s with an error, never with a file', async (address) => {
    const response = await fetchBundle(address);
    expect([400, 404]).toContain(response.status);
    expect(await response.text()).not.toContain('the secret');
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
  });

  test('answers only GET', async () => {
    expect((await fetchBundle('app://bundle/', { method: 'POST', body: 'x' })).status).toBe(404);
  });

  test('is the only one that is served: there is no file://', async () => {
    await start();
    expect([...electron.sessions.get('velescope')!.handled.keys()]).toEqual(['app']);
    expect(electron.session.defaultSession.handled.size).toBe(0);
  });
});

describe('messages', () => {
  test('of our page are answered', async () => {
    const { window } = await start();
    deliver(window, call(3, 'app.info'));
    expect(await sent(window, 1)).toMatchObject([{ type: 'result', call: 3, value: { version: '0.0.0' } }]);
  });

  test.each<[string, (page: FrameStandIn) => FrameStandIn | null]>([
    ['a frame that is gone (null)', () => null],
    ['a frame inside the page', (page) => ({ origin: 'app://bundle', parent: page })],
    ['a page of another site', () => ({ origin: 'https://example.com', parent: null })],
    ['a page whose address begins like ours', () => ({ origin: 'app://bundle.evil', parent: null })],
    ['a file', () => ({ origin: 'file://', parent: null })],
    ['an opaque origin', () => ({ origin: 'null', parent: null })],
  ])('of %s are dropped, unanswered and unread', async (_name, frameOf) => {
    const called = vi.fn(() => ({ version: '', door: 'desktop' as const, readOnly: false, platform: '' }));
    const { window, opened } = await start({ 'app.info': called });
    const frame = frameOf(window.webContents.mainFrame);
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    deliver(window, call(1, 'app.info'), frame);
    electron.ipcMain.emit(
      'velescope:dropped',
      { sender: window.webContents, senderFrame: frame },
      join(directory, 'data'),
    );
    await settle();
    expect(warn).toHaveBeenCalledTimes(2);
    warn.mockRestore();
    expect(called).not.toHaveBeenCalled();
    expect(opened).toEqual([]);
    expect(window.webContents.sent).toEqual([]);
  });

  test('of a window that the application did not make are dropped', async () => {
    const { window } = await start();
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const stranger = new electron.WebContentsStandIn();
    electron.ipcMain.emit(
      'velescope:request',
      { sender: stranger, senderFrame: stranger.mainFrame },
      call(1, 'app.info'),
    );
    const impostor = Object.assign(new electron.WebContentsStandIn(), { id: window.webContents.id });
    electron.ipcMain.emit(
      'velescope:request',
      { sender: impostor, senderFrame: impostor.mainFrame },
      call(1, 'app.info'),
    );
    await settle();
    expect(warn).toHaveBeenCalledTimes(2);
    warn.mockRestore();
    expect([...stranger.sent, ...impostor.sent, ...window.webContents.sent]).toEqual([]);
  });

  test.each<[string, unknown, string]>([
    ['an unknown key in the parameters', call(1, 'app.info', { path: '/etc/passwd' }), 'BAD_REQUEST'],
    ['an unknown key in the envelope', { ...call(1, 'app.info'), extra: 1 }, 'BAD_REQUEST'],
    ['an unknown call', call(1, 'file.read', { path: '/etc/passwd' }), 'UNKNOWN_METHOD'],
    ['a name of every object', call(1, 'constructor'), 'UNKNOWN_METHOD'],
    ['a path where a name is meant', call(1, 'directory.open', { path: '/etc' }), 'BAD_REQUEST'],
    [
      'a page longer than allowed',
      call(1, 'records.page', { session: 's', query: 'q', from: 0, count: 1_000_000 }),
      'BAD_REQUEST',
    ],
    [
      'a range longer than allowed',
      call(1, 'record.bytes', { session: 's', offset: '0', length: 1 << 30 }),
      'BAD_REQUEST',
    ],
    ['a name longer than allowed', call(1, 'session.close', { session: 'x'.repeat(10_000) }), 'BAD_REQUEST'],
  ])('with %s are refused by code', async (_name, message, code) => {
    const { window } = await start();
    deliver(window, message);
    expect(await sent(window, 1)).toMatchObject([{ type: 'error', call: 1, error: { code } }]);
  });

  test.each([null, undefined, 7, 'text', [], {}, { type: 'call' }, { type: 'event', event: {} }])(
    'that are no envelope (%j) harm nothing',
    async (message) => {
      const { window } = await start();
      deliver(window, message);
      deliver(window, call(9, 'app.info'));
      await expect
        .poll(() => window.webContents.sent.map(({ value }) => value))
        .toContainEqual(expect.objectContaining({ type: 'result', call: 9 }));
    },
  );

  test('answer errors with their code and what to do next, which Electron alone would lose', async () => {
    const { VelescopeError } = await import('../shared/errors.ts');
    const { window } = await start({
      'directory.choose': () => {
        throw new VelescopeError('PERMISSION_DENIED', 'No.', { next: 'Ask.', data: { path: 'x' } });
      },
    });
    deliver(window, call(1, 'directory.choose'));
    expect(await sent(window, 1)).toEqual([
      {
        type: 'error',
        call: 1,
        error: { code: 'PERMISSION_DENIED', message: 'No.', next: 'Ask.', data: { path: 'x' } },
      },
    ]);
  });

  test('are taken on the two channels of the preload and no others', async () => {
    await start();
    expect(electron.ipcMain.eventNames().sort()).toEqual(['velescope:dropped', 'velescope:request']);
  });

  test.each(['a navigation', 'a crash', 'closing'])('%s ends what the page left running', async (name) => {
    let signal: AbortSignal | null = null;
    const { window } = await start({
      'directory.choose': (_params, context) => {
        signal = context.signal;
        return new Promise((resolve) => context.signal.addEventListener('abort', () => resolve(null)));
      },
    });
    deliver(window, call(1, 'directory.choose'));
    await expect.poll(() => signal).not.toBeNull();
    if (name === 'a navigation') {
      window.webContents.emit('did-start-navigation', { isMainFrame: true, isSameDocument: false });
    } else if (name === 'a crash') window.webContents.emit('render-process-gone', {}, {});
    else window.webContents.destroy();
    expect(signal!.aborted).toBe(true);
    await settle();
    // Its answer does not reach the page that came after.
    expect(window.webContents.sent).toEqual([]);
  });

  test('a page can cancel only what it called itself', async () => {
    const signals: AbortSignal[] = [];
    const { window } = await start({
      'directory.choose': (_params, { signal }) => {
        signals.push(signal);
        return new Promise(() => {});
      },
    });
    menuItem('New Window').click!({} as never, undefined, {} as never);
    const second = electron.BrowserWindow.all[1]!;
    deliver(window, call(1, 'directory.choose'));
    deliver(second, call(1, 'directory.choose'));
    await expect.poll(() => signals.length).toBe(2);
    deliver(second, { type: 'cancel', call: 1 });
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, true]);
  });

  test('events reach every window', async () => {
    const { window, emit } = await start();
    menuItem('New Window').click!({} as never, undefined, {} as never);
    emit({ event: 'drafts', session: 's' });
    for (const each of [window, electron.BrowserWindow.all[1]!]) {
      expect(await sent(each, 1)).toEqual([{ type: 'event', event: { event: 'drafts', session: 's' } }]);
    }
  });
});

/** An entry of the menu, wherever it is. */
function menuItem(label: string): Electron.MenuItemConstructorOptions {
  const all = electron.menus.at(-1)!.flatMap(({ submenu }) => submenu as Electron.MenuItemConstructorOptions[]);
  const found = all.find((item) => item?.label === label);
  if (!found) throw new Error(`the menu has no ${label}`);
  return found;
}

describe('the menu', () => {
  test('asks the window that has the focus, as an event', async () => {
    await start();
    menuItem('New Window').click!({} as never, undefined, {} as never);
    const [first, second] = electron.BrowserWindow.all as [Window, Window];
    electron.BrowserWindow.focused = second;
    menuItem('Find…').click!({} as never, undefined, {} as never);
    expect(await sent(second, 1)).toEqual([{ type: 'event', event: { event: 'command', command: 'find' } }]);
    expect(first.webContents.sent).toEqual([]);
  });

  test('opens the one address it knows in the system browser', async () => {
    await start();
    menuItem('VelesDB on GitHub').click!({} as never, undefined, {} as never);
    expect(electron.opened).toEqual([EXTERNAL_LINKS.velesdb]);
  });
});

describe('directories named outside the page', () => {
  const drop = (window: Window, path: unknown) =>
    electron.ipcMain.emit(
      'velescope:dropped',
      { sender: window.webContents, senderFrame: window.webContents.mainFrame },
      path,
    );

  test('a dropped directory is opened and the window told', async () => {
    const { window, opened } = await start();
    drop(window, join(directory, 'data'));
    expect(await sent(window, 1)).toMatchObject([{ type: 'event', event: { event: 'opened' } }]);
    expect(opened).toEqual([join(directory, 'data')]);
  });

  test('another window keeps what it shows', async () => {
    const { window } = await start();
    menuItem('New Window').click!({} as never, undefined, {} as never);
    drop(window, join(directory, 'data'));
    await sent(window, 1);
    await settle();
    expect(window.webContents.sent).toHaveLength(1);
    expect(electron.BrowserWindow.all[1]!.webContents.sent).toEqual([]);
  });

  test.each([
    ['a file', () => join(directory, 'file')],
    ['what is not there', () => join(directory, 'none')],
    ['a relative path', () => 'data'],
    ['a path with a null byte', () => `${directory}\0`],
    ['an endless path', () => `/${'x'.repeat(5000)}`],
  ])('%s is answered with a message and opens nothing', async (_name, pathOf) => {
    const { window, opened } = await start();
    drop(window, pathOf());
    await expect.poll(() => electron.dialogs.length).toBe(1);
    expect(electron.dialogs[0]).toMatchObject({ kind: 'message', options: { type: 'error' } });
    expect(opened).toEqual([]);
  });

  test('what is no text is dropped', async () => {
    const { window, opened } = await start();
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    drop(window, { toString: () => directory });
    await settle();
    expect(warn).toHaveBeenCalledOnce();
    warn.mockRestore();
    expect(opened).toEqual([]);
  });

  test('the dialog answers a path to the services, never to the page', async () => {
    const { options } = await start();
    expect(await options.ports.chooseDirectory!()).toBeNull();
    electron.answers.open = { canceled: false, filePaths: ['/chosen'] };
    expect(await options.ports.chooseDirectory!()).toBe('/chosen');
    electron.answers.save = { canceled: false, filePath: '/target' };
    expect(await options.ports.chooseTarget!('documents.recovered')).toBe('/target');
    expect(await options.ports.chooseExportFile!('documents.ndjson')).toBe('/target');
    expect(electron.dialogs.map(({ kind }) => kind)).toEqual(['open', 'open', 'save', 'save']);
    expect(electron.dialogs[2]!.options.defaultPath).toBe('documents.recovered');
  });

  test('`open DIR` reaches the services as an absolute path', async () => {
    process.argv = ['/opt/velescope', '--some-switch', 'open', join(directory, 'data')];
    expect((await start()).options).toMatchObject({
      initial: join(directory, 'data'),
      door: 'desktop',
      root: null,
      readOnly: false,
    });
  });
});

describe('a second instance', () => {
  test('hands its directory over and ends without a window', async () => {
    electron.app.lock = false;
    process.argv = ['/opt/velescope', join(directory, 'data')];
    const create = vi.fn();
    await startDesktop(create, installation);
    expect(electron.app.lockData).toEqual({ directory: join(directory, 'data') });
    expect(electron.log).toContain('quit');
    expect(create).not.toHaveBeenCalled();
    expect(electron.BrowserWindow.all).toEqual([]);
  });

  test('makes the first one show its window and open the directory', async () => {
    const { window, opened } = await start();
    window.minimized = true;
    electron.app.emit('second-instance', {}, [], '/', { directory: join(directory, 'data') });
    expect(await sent(window, 1)).toMatchObject([{ type: 'event', event: { event: 'opened' } }]);
    expect(window.calls).toEqual(['restore', 'focus']);
    expect(opened).toEqual([join(directory, 'data')]);
  });

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['a text', '/etc'],
    ['a relative path', { directory: '../etc' }],
    ['a null byte', { directory: '/etc\0' }],
    ['an unknown key', { directory: '/etc', command: 'delete' }],
    ['an endless path', { directory: `/${'x'.repeat(5000)}` }],
    ['a number', { directory: 7 }],
  ])('that sends %s opens nothing', async (_name, data) => {
    const { opened } = await start();
    electron.app.emit('second-instance', {}, ['velescope', '/etc'], '/', data);
    await settle();
    expect(opened).toEqual([]);
    expect(electron.dialogs).toEqual([]);
  });
});

describe('theme', () => {
  test('follows the saved setting at the start and the page afterwards; contrast is left to the system', async () => {
    const { window } = await start();
    expect(electron.nativeTheme.themeSource).toBe('dark');
    deliver(window, call(1, 'settings.set', { theme: 'light' }));
    await sent(window, 1);
    expect(electron.nativeTheme.themeSource).toBe('light');
    deliver(window, call(2, 'settings.set', { theme: 'contrast' }));
    await sent(window, 2);
    expect(electron.nativeTheme.themeSource).toBe('system');
  });
});

test('quitting waits until locks are released, and then quits once', async () => {
  const { state } = await start();
  expect(prevented((event) => electron.app.emit('before-quit', event))).toBe(true);
  await expect.poll(() => electron.log.includes('quit')).toBe(true);
  expect(state.closed).toBe(1);
  expect(prevented((event) => electron.app.emit('before-quit', event))).toBe(false);
});

test('the module is evaluated without waiting for Electron to be ready, which Electron waits for', async () => {
  electron.app.ready = new Promise(() => {});
  vi.doMock('./services/index.ts', () => ({ createServices: () => standInServices().services }));
  await import('./index.ts');
  expect(electron.log).toContain('enableSandbox');
  expect(electron.BrowserWindow.all).toEqual([]);
});
