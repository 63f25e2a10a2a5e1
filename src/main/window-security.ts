import type { App, Session, WebContents } from 'electron';
import { APP_PAGE, isAppUrl } from './app-protocol.ts';

/**
 * Denies a session everything that the application does not need: every permission (Electron's default is to grant), every
 * device, every request that is not for the bundle. Downloads are cancelled: exports are written by the main process.
 *
 * @param developerTools whether requests of Chromium's own developer tools pass (development only)
 */
export function hardenSession(session: Session, options: { developerTools: boolean }): void {
  session.setPermissionRequestHandler((_contents, _permission, answer) => answer(false));
  session.setPermissionCheckHandler(() => false);
  session.setDevicePermissionHandler(() => false);
  session.setDisplayMediaRequestHandler((_request, answer) => answer(null));
  // The spell checker fetches dictionaries from the network.
  session.setSpellCheckerEnabled(false);
  session.webRequest.onBeforeRequest((details, answer) => {
    answer({ cancel: !mayRequest(details.url, options.developerTools) });
  });
  session.on('will-download', (event) => event.preventDefault());
}

/** Whether the page may ask for an address. `data:` is what the policy admits for images; it reaches no network. */
export function mayRequest(address: string, developerTools: boolean): boolean {
  if (isAppUrl(address)) return true;
  let scheme: string;
  try {
    scheme = new URL(address).protocol;
  } catch {
    return false;
  }
  return scheme === 'data:' || (developerTools && scheme === 'devtools:');
}

/**
 * Holds every web contents, whoever makes it, to the one page it shows: it may be loaded again, by its own "Try again", and
 * that is all. No other address, not even of ours, no redirect, no frame, no new window, no webview.
 *
 * @param openLink called with an address that the page wanted in a new window; decides for itself whether it is a known one
 */
export function hardenContents(app: Pick<App, 'on'>, openLink: (address: string) => void): void {
  app.on('web-contents-created', (_event, contents: WebContents) => {
    contents.on('will-navigate', (event) => {
      if (event.url !== APP_PAGE) event.preventDefault();
    });
    contents.on('will-frame-navigate', (event) => {
      if (!event.isMainFrame || event.url !== APP_PAGE) event.preventDefault();
    });
    contents.on('will-redirect', (event) => event.preventDefault());
    contents.on('will-attach-webview', (event) => event.preventDefault());
    contents.setWindowOpenHandler(({ url }) => {
      openLink(url);
      return { action: 'deny' };
    });
  });
}
