import { EventEmitter } from 'node:events';

/**
 * Stands in for the `electron` module where no runtime is: it does nothing, and remembers what was asked of it. Tests put it in
 * place with `vi.mock('electron', …)` and read the records. That the real thing behaves so is the end-to-end tests' matter,
 * as project `electron`.
 */

type Listener = (...parameters: never[]) => unknown;

export interface FrameStandIn {
  origin: string;
  parent: FrameStandIn | null;
}

export class WebContentsStandIn extends EventEmitter {
  static next = 1;
  readonly id = WebContentsStandIn.next++;
  readonly mainFrame: FrameStandIn = { origin: 'app://bundle', parent: null };
  readonly sent: { channel: string; value: unknown }[] = [];
  windowOpenHandler: ((details: { url: string }) => unknown) | null = null;
  destroyed = false;
  isDestroyed() {
    return this.destroyed;
  }
  send(channel: string, value: unknown) {
    if (this.destroyed) throw new Error('Object has been destroyed');
    // What crosses a process is copied; what cannot be copied must fail here as it does there.
    this.sent.push({ channel, value: structuredClone(value) });
  }
  setWindowOpenHandler(handler: (details: { url: string }) => unknown) {
    this.windowOpenHandler = handler;
  }
  destroy() {
    this.destroyed = true;
    this.emit('destroyed');
  }
}

export class BrowserWindowStandIn extends EventEmitter {
  static all: BrowserWindowStandIn[] = [];
  static focused: BrowserWindowStandIn | null = null;
  static getAllWindows = () => BrowserWindowStandIn.all;
  static getFocusedWindow = () => BrowserWindowStandIn.focused;
  static fromWebContents = (contents: WebContentsStandIn) =>
    BrowserWindowStandIn.all.find((window) => window.webContents === contents) ?? null;

  readonly webContents = new WebContentsStandIn();
  readonly loaded: string[] = [];
  readonly calls: string[] = [];
  minimized = false;
  bounds = { x: 0, y: 0, width: 800, height: 600 };

  constructor(readonly options: Electron.BrowserWindowConstructorOptions) {
    super();
    BrowserWindowStandIn.all.push(this);
    app.emit('web-contents-created', {}, this.webContents);
  }
  async loadURL(address: string) {
    this.loaded.push(address);
  }
  show() {
    this.calls.push('show');
  }
  focus() {
    this.calls.push('focus');
  }
  maximize() {
    this.calls.push('maximize');
  }
  restore() {
    this.calls.push('restore');
  }
  isMinimized() {
    return this.minimized;
  }
  isMaximized() {
    return false;
  }
  isDestroyed() {
    return this.webContents.destroyed;
  }
  getNormalBounds() {
    return this.bounds;
  }
}

export class SessionStandIn extends EventEmitter {
  permissionRequest: Listener | null = null;
  permissionCheck: Listener | null = null;
  devicePermission: Listener | null = null;
  displayMedia: Listener | null = null;
  spellChecker = true;
  beforeRequest: ((details: { url: string }, answer: (response: { cancel: boolean }) => void) => void) | null = null;
  readonly handled = new Map<string, (request: Request) => Promise<Response>>();
  readonly protocol = {
    handle: (scheme: string, handler: (request: Request) => Promise<Response>) => {
      this.handled.set(scheme, handler);
    },
  };
  readonly webRequest = {
    onBeforeRequest: (listener: NonNullable<SessionStandIn['beforeRequest']>) => {
      this.beforeRequest = listener;
    },
  };
  setPermissionRequestHandler(handler: Listener) {
    this.permissionRequest = handler;
  }
  setPermissionCheckHandler(handler: Listener) {
    this.permissionCheck = handler;
  }
  setDevicePermissionHandler(handler: Listener) {
    this.devicePermission = handler;
  }
  setDisplayMediaRequestHandler(handler: Listener) {
    this.displayMedia = handler;
  }
  setSpellCheckerEnabled(on: boolean) {
    this.spellChecker = on;
  }
}

/** The order in which things that have an order were done. */
export const log: string[] = [];

class App extends EventEmitter {
  isPackaged = true;
  lock = true;
  lockData: unknown;
  userData = '';
  ready: Promise<void> = Promise.resolve();
  readonly commandLine = {
    appendSwitch: (name: string, value: string) => {
      log.push(`switch ${name}=${value}`);
    },
  };
  enableSandbox() {
    log.push('enableSandbox');
  }
  requestSingleInstanceLock(data: unknown) {
    this.lockData = structuredClone(data);
    return this.lock;
  }
  quit() {
    log.push('quit');
  }
  exit(status: number) {
    log.push(`exit ${status}`);
  }
  async whenReady() {
    await this.ready;
    log.push('ready');
  }
  getPath() {
    return this.userData;
  }
}
export const app = new App();

export const sessions = new Map<string, SessionStandIn>();
export const session = {
  defaultSession: new SessionStandIn(),
  fromPartition(partition: string) {
    let found = sessions.get(partition);
    if (!found) {
      found = new SessionStandIn();
      sessions.set(partition, found);
    }
    return found;
  },
};

export const schemes: Electron.CustomScheme[] = [];
export const protocol = {
  registerSchemesAsPrivileged(given: Electron.CustomScheme[]) {
    log.push('registerSchemesAsPrivileged');
    schemes.push(...given);
  },
};

export const ipcMain = new EventEmitter();
export const nativeTheme = { themeSource: 'system', shouldUseDarkColors: false };
export const opened: string[] = [];
export const shell = {
  async openExternal(address: string) {
    opened.push(address);
  },
};

/** What dialogs were shown, and what the person answers to them. */
export const dialogs: { kind: string; options: Record<string, unknown> }[] = [];
export const answers = { open: { canceled: true, filePaths: [] as string[] }, save: { canceled: true, filePath: '' } };
const optionsOf = (parameters: unknown[]) => parameters.at(-1) as Record<string, unknown>;
export const dialog = {
  async showOpenDialog(...parameters: unknown[]) {
    dialogs.push({ kind: 'open', options: optionsOf(parameters) });
    return answers.open;
  },
  async showSaveDialog(...parameters: unknown[]) {
    dialogs.push({ kind: 'save', options: optionsOf(parameters) });
    return answers.save;
  },
  async showMessageBox(...parameters: unknown[]) {
    dialogs.push({ kind: 'message', options: optionsOf(parameters) });
    return { response: 0 };
  },
  showErrorBox(title: string, content: string) {
    dialogs.push({ kind: 'error', options: { title, content } });
  },
};

export const menus: Electron.MenuItemConstructorOptions[][] = [];
export const Menu = {
  buildFromTemplate: (template: Electron.MenuItemConstructorOptions[]) => template,
  setApplicationMenu: (template: Electron.MenuItemConstructorOptions[]) => menus.push(template),
};

const workArea = { x: 0, y: 0, width: 1920, height: 1080 };
export const screen = { getPrimaryDisplay: () => ({ workArea }), getAllDisplays: () => [{ workArea }] };
export { BrowserWindowStandIn as BrowserWindow };

/** Forgets everything, between tests. */
export function reset(userData: string): void {
  app.removeAllListeners();
  ipcMain.removeAllListeners();
  Object.assign(app, { isPackaged: true, lock: true, lockData: undefined, userData, ready: Promise.resolve() });
  BrowserWindowStandIn.all = [];
  BrowserWindowStandIn.focused = null;
  session.defaultSession = new SessionStandIn();
  sessions.clear();
  nativeTheme.themeSource = 'system';
  answers.open = { canceled: true, filePaths: [] };
  answers.save = { canceled: true, filePath: '' };
  for (const list of [log, schemes, opened, dialogs, menus]) list.length = 0;
}
