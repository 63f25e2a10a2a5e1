import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';

/** What a request may do: nothing (with a status and the reason), or everything, told by which secret it showed. */
export type Access =
  | { status: 403; reason: string }
  | { status: 401; reason: string }
  | { status: 200; by: 'cookie' | 'token' };

/** The secrets of one running server; both live as long as the process. */
export interface Secrets {
  /** In the address that `serve` prints. */
  token: string;
  /** In the browser's cookie: another secret, so that the one in the browser's history is not the one in use. */
  cookie: string;
}

export function createSecrets(): Secrets {
  return { token: randomBytes(32).toString('base64url'), cookie: randomBytes(32).toString('base64url') };
}

const LOOPBACK_NAMES: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '[::1]']);

/**
 * Whether a Host header names this machine. Any port, because an SSH tunnel ends on a port of its own; no other name, because a
 * page of evil.example whose name was made to resolve to 127.0.0.1 (DNS rebinding) says Host: evil.example.
 *
 * @param boundHost where the server listens; beside the loopback names, a server told to listen elsewhere answers to that
 *   name, and one that listens everywhere to any numeric address (rebinding needs a name)
 */
export function isHostAllowed(host: string | undefined, boundHost: string): boolean {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::[0-9]{1,5})?$/i.exec(host ?? '');
  if (!match) return false;
  const name = match[1]!.toLowerCase();
  if (LOOPBACK_NAMES.has(name) || name === boundHost.toLowerCase() || name === `[${boundHost.toLowerCase()}]`)
    return true;
  const everywhere = boundHost === '0.0.0.0' || boundHost === '::';
  return everywhere && isIP(name.replace(/^\[|\]$/g, '')) !== 0;
}

/**
 * Whether a request comes from our own page, as far as it says. `Origin`, where sent, must be the Host it is sent to: that stops
 * the WebSocket of another site, which no same-origin policy does. `Sec-Fetch-Site`, where sent, must not tell of another
 * page: "same-site" includes whatever else runs on localhost, which SameSite=Strict lets through. A person following a link
 * to the page itself is let in; the page then stands in a window of its own.
 */
export function isOriginAllowed(headers: IncomingHttpHeaders, pathname: string): boolean {
  const { origin, host } = headers;
  if (origin !== undefined && origin.toLowerCase() !== `http://${(host ?? '').toLowerCase()}`) return false;
  const site = headers['sec-fetch-site'];
  if (site === undefined || site === 'same-origin' || site === 'none') return true;
  return pathname === '/' && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
}

/** The name of the cookie: with the port, because cookies of one host are shared by all its ports. */
export function cookieName(port: number): string {
  return `velescope-${port}`;
}

/** Judges one request by its headers and address, HTTP and WebSocket alike. */
export function judge(
  request: { headers: IncomingHttpHeaders; url: URL },
  secrets: Secrets,
  bound: { host: string; port: number },
): Access {
  const { headers, url } = request;
  if (!isHostAllowed(headers.host, bound.host)) return { status: 403, reason: 'This name is not served here.' };
  if (!isOriginAllowed(headers, url.pathname)) return { status: 403, reason: 'Requests of other pages are refused.' };
  const token = url.searchParams.get('token');
  if (token !== null && sameSecret(token, secrets.token)) return { status: 200, by: 'token' };
  if (readCookies(headers.cookie, cookieName(bound.port)).some((value) => sameSecret(value, secrets.cookie))) {
    return { status: 200, by: 'cookie' };
  }
  return { status: 401, reason: 'Open the address that velescope serve printed.' };
}

/** The values of a cookie by its name; more than one where a path or a domain shadows another. */
function readCookies(header: string | undefined, name: string): string[] {
  return (header ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
}

/** Compares in a time that tells nothing of where two texts differ; hashing makes their lengths equal. */
function sameSecret(given: string, secret: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(secret));
}
