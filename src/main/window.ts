import type { BrowserWindowConstructorOptions } from 'electron';
import { SMALLEST_WINDOW } from './window-state.ts';

/**
 * The session of every window: in memory (no `persist:`), so that nothing of a page, payloads least of all, is left in a cache
 * on disk.
 */
export const SESSION_PARTITION = 'velescope';

/**
 * How a window is made. The security settings are named one by one, also where they are Electron's defaults: a default can
 * change, and a test reads them here.
 *
 * @param preload absolute path of the bundled preload
 * @param place from `placeWindow`
 * @param dark whether the window is dark before its page is drawn
 */
export function windowOptions(
  preload: string,
  place: { x?: number; y?: number; width: number; height: number },
  dark: boolean,
  developerTools: boolean,
): BrowserWindowConstructorOptions {
  return {
    ...place,
    minWidth: SMALLEST_WINDOW.width,
    minHeight: SMALLEST_WINDOW.height,
    title: 'Velescope',
    show: false,
    backgroundColor: dark ? '#16181d' : '#ffffff',
    webPreferences: {
      preload,
      partition: SESSION_PARTITION,
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
      // Dropping a file on the window must hand it to the page, never navigate to it.
      navigateOnDragDrop: false,
      spellcheck: false,
      devTools: developerTools,
    },
  };
}
