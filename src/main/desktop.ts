import { statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { app, BrowserWindow, dialog, ipcMain, Menu, nativeTheme, protocol, screen, session, shell } from 'electron';
import { toErrorValue, VelescopeError } from '../shared/errors.ts';
import type { CallContext, Handlers } from '../shared/protocol.ts';
import { APP_PAGE, APP_SCHEME, handleAppProtocol } from './app-protocol.ts';
import { parseLaunch, readArguments } from './arguments.ts';
import { EXTERNAL_LINKS, isExternalLink } from './external-links.ts';
import { bindIpc } from './ipc.ts';
import { menuTemplate } from './menu.ts';
import type { Services, ServicesOptions } from './services/services-type.ts';
import { SESSION_PARTITION, windowOptions } from './window.ts';
import { hardenContents, hardenSession } from './window-security.ts';
import { loadWindowState, placeWindow, saveWindowState } from './window-state.ts';

/** Where the parts of the application lie: absolute paths. */
export interface Installation {
  preload: string;
  bundle: string;
}

/**
 * Runs the desktop application: everything that only Electron can do, around the services that every door shares. Returns when
 * the first window was asked for, or at once when another instance has taken over.
 *
 * Must be called before Electron is ready: sandbox and scheme privileges cannot be set later.
 */
export async function startDesktop(
  createServices: (options: ServicesOptions) => Services,
  installation: Installation,
): Promise<void> {
  app.enableSandbox();
  protocol.registerSchemesAsPrivileged([APP_SCHEME]);
  // There is no host this application has business with; even a request that slipped through every other net finds none.
  app.commandLine.appendSwitch('host-resolver-rules', 'MAP * ~NOTFOUND');

  const launch = readArguments(process.argv, app.isPackaged, process.cwd());
  if (!app.requestSingleInstanceLock(launch)) {
    app.quit();
    return;
  }

  const openLink = (address: string) => {
    if (isExternalLink(address)) void shell.openExternal(address);
  };
  hardenContents(app, openLink);

  await app.whenReady();

  const developerTools = !app.isPackaged;
  const windowSession = session.fromPartition(SESSION_PARTITION);
  hardenSession(windowSession, { developerTools });
  // Nothing is shown in it; it is hardened so that nothing ever can be.
  hardenSession(session.defaultSession, { developerTools: false });
  handleAppProtocol(windowSession.protocol, installation.bundle);

  const services = createServices({
    door: 'desktop',
    readOnly: false,
    root: null,
    initial: launch.directory,
    ports: { chooseDirectory, chooseTarget, chooseExportFile },
    settingsDirectory: app.getPath('userData'),
  });
  nativeTheme.themeSource = themeSource(await savedTheme(services.handlers));

  const ipc = bindIpc({
    ipcMain,
    handlers: followTheme(services.handlers),
    onDropped: (contents, path) => void open(path, BrowserWindow.fromWebContents(contents)),
    onRefused: (reason) => console.warn(`velescope: ${reason}`),
  });
  services.onEvent((event) => {
    // Told below, to the one window that was meant: the others keep what they show.
    if (event.event !== 'opened') ipc.broadcast(event);
  });

  /** Opens a path that a person named outside the page, and tells the window, or the person, what came of it. */
  async function open(path: string, window: BrowserWindow | null): Promise<void> {
    try {
      const database = await services.openPath(checkDirectory(path));
      if (window && !window.isDestroyed()) ipc.tell(window.webContents, { event: 'opened', database });
    } catch (thrown) {
      const error = toErrorValue(thrown);
      const options = {
        type: 'error' as const,
        title: 'Velescope',
        message: error.message,
        detail: [error.next, error.code].filter((line) => line !== undefined).join('\n'),
      };
      await (window && !window.isDestroyed() ? dialog.showMessageBox(window, options) : dialog.showMessageBox(options));
    }
  }

  const stateFile = join(app.getPath('userData'), 'window.json');
  function createWindow(): BrowserWindow {
    const saved = loadWindowState(stateFile);
    const displays = [screen.getPrimaryDisplay(), ...screen.getAllDisplays()].map((display) => display.workArea);
    const window = new BrowserWindow(
      windowOptions(
        installation.preload,
        placeWindow(saved, displays),
        nativeTheme.shouldUseDarkColors,
        developerTools,
      ),
    );
    ipc.admit(window.webContents);
    if (saved?.maximized) window.maximize();
    window.once('ready-to-show', () => window.show());
    window.on('close', () => {
      saveWindowState(stateFile, { bounds: window.getNormalBounds(), maximized: window.isMaximized() });
    });
    void window.loadURL(APP_PAGE);
    return window;
  }

  Menu.setApplicationMenu(
    Menu.buildFromTemplate(
      menuTemplate(process.platform, developerTools, {
        command(command) {
          const window = BrowserWindow.getFocusedWindow() ?? BrowserWindow.getAllWindows()[0];
          if (window) ipc.tell(window.webContents, { event: 'command', command });
        },
        newWindow: () => void createWindow(),
        openLink: (link) => openLink(EXTERNAL_LINKS[link]),
      }),
    ),
  );

  app.on('second-instance', (_event, _argv, _workingDirectory, data) => {
    // Only the checked message counts: argv of a second instance also holds switches that Chromium added, in any order.
    const second = parseLaunch(data);
    const window = BrowserWindow.getAllWindows()[0] ?? createWindow();
    if (window.isMinimized()) window.restore();
    window.focus();
    if (second?.directory) void open(second.directory, window);
  });
  app.on('activate', () => {
    if (BrowserWindow.getAllWindows().length === 0) createWindow();
  });
  app.on('window-all-closed', () => {
    if (process.platform !== 'darwin') app.quit();
  });
  let closed = false;
  app.on('before-quit', (event) => {
    if (closed) return;
    // Locks are released and workers ended before the process is: a second round finds it done.
    event.preventDefault();
    void services.close().finally(() => {
      closed = true;
      app.quit();
    });
  });

  createWindow();
}

/** Refuses anything but an existing directory, named by an absolute path. */
function checkDirectory(path: string): string {
  if (!isAbsolute(path) || path.includes('\0') || path.length > 4096) {
    throw new VelescopeError('BAD_REQUEST', 'What was dropped has no path on this computer.');
  }
  if (!statSync(path).isDirectory()) {
    throw new VelescopeError('NOT_A_DIRECTORY', 'Velescope opens directories; this is a file.', {
      next: 'Open the directory that holds payloads.log, or the database that holds the collection.',
    });
  }
  return path;
}

type Theme = Awaited<ReturnType<Handlers['settings.get']>>['theme'];

/** Electron knows no high-contrast theme of ours; the page draws it on whichever side the system is. */
function themeSource(theme: Theme): 'system' | 'light' | 'dark' {
  return theme === 'contrast' ? 'system' : theme;
}

async function savedTheme(handlers: Handlers): Promise<Theme> {
  const context: CallContext = {
    signal: new AbortController().signal,
    onPeerClosed: () => {},
    progress: () => {},
  };
  return (await handlers['settings.get']({}, context)).theme;
}

/** The same handlers, but that menus, dialogs and scroll bars follow when the page changes the theme. */
function followTheme(handlers: Handlers): Handlers {
  return {
    ...handlers,
    'settings.set': async (params, context) => {
      const result = await handlers['settings.set'](params, context);
      if (params.theme !== undefined) nativeTheme.themeSource = themeSource(params.theme);
      return result;
    },
  };
}

async function chooseDirectory(): Promise<string | null> {
  const options = { title: 'Open a VelesDB directory', properties: ['openDirectory' as const] };
  const window = BrowserWindow.getFocusedWindow();
  const answer = await (window ? dialog.showOpenDialog(window, options) : dialog.showOpenDialog(options));
  return answer.canceled ? null : (answer.filePaths[0] ?? null);
}

async function chooseTarget(suggestedName: string): Promise<string | null> {
  return choosePath({ title: 'Recover into a new directory', defaultPath: suggestedName, buttonLabel: 'Recover here' });
}

async function chooseExportFile(suggestedName: string): Promise<string | null> {
  return choosePath({ title: 'Export records', defaultPath: suggestedName });
}

async function choosePath(options: Electron.SaveDialogOptions): Promise<string | null> {
  const window = BrowserWindow.getFocusedWindow();
  const answer = await (window ? dialog.showSaveDialog(window, options) : dialog.showSaveDialog(options));
  return answer.canceled || answer.filePath === '' ? null : answer.filePath;
}
