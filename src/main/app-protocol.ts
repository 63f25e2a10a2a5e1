import type { CustomScheme, Protocol } from 'electron';
import { readBundle } from './bundle.ts';
import { securityHeaders } from './content-security.ts';

const SCHEME = 'app';
const HOST = 'bundle';

/** The page's address in the desktop application, and the only origin that messages are taken from. */
export const APP_ORIGIN = `${SCHEME}://${HOST}`;
export const APP_PAGE = `${APP_ORIGIN}/`;

/**
 * Privileges of the scheme, to be registered before the application is ready. `standard` gives it a real origin, `secure` makes
 * it a secure context; nothing else is asked for, service workers and a bypassed policy least of all.
 */
export const APP_SCHEME: CustomScheme = {
  scheme: SCHEME,
  privileges: { standard: true, secure: true, supportFetchAPI: true, bypassCSP: false, corsEnabled: false },
};

/** Serves the renderer's bundle as app://bundle/, and nothing else: no other host, no method but GET, no path outside it. */
export function handleAppProtocol(protocol: Pick<Protocol, 'handle'>, bundleDirectory: string): void {
  protocol.handle(SCHEME, async (request) => {
    const url = new URL(request.url);
    if (url.host !== HOST || request.method !== 'GET') {
      return new Response('Not here.\n', { status: 404, headers: securityHeaders() });
    }
    const answer = await readBundle(bundleDirectory, url.pathname);
    return new Response(answer.body, { status: answer.status, headers: answer.headers });
  });
}

/** Whether an address is a page of ours: parsed and compared as an origin, because a prefix also fits app://bundle.evil/. */
export function isAppUrl(address: string): boolean {
  try {
    const url = new URL(address);
    // Not `url.origin`: Node's parser answers "null" for every scheme that is not of the web.
    return url.protocol === `${SCHEME}:` && url.host === HOST && url.username === '' && url.password === '';
  } catch {
    return false;
  }
}
