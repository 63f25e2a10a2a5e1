import { createReadStream } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { readBundle } from '../main/bundle.ts';
import { securityHeaders } from '../main/content-security.ts';
import type { Services } from '../main/services/services-type.ts';
import { cookieName, judge, type Secrets } from './access.ts';

/** What the answers depend on. */
export interface HttpContext {
  services: Pick<Services, 'download'>;
  secrets: Secrets;
  bound(): { host: string; port: number };
  bundleDirectory: string;
}

/** The request's address. Only path and query count; who is asked is the Host header's matter. Null when it is none. */
export function requestUrl(request: IncomingMessage): URL | null {
  const target = request.url ?? '';
  // An absolute form ("GET http://…") is for proxies.
  if (!target.startsWith('/')) return null;
  try {
    // Not as a base: behind a second slash a host would be read, and an unknown path is to be answered as any other.
    return new URL(`http://host.invalid${target}`);
  } catch {
    return null;
  }
}

/** Answers one HTTP request: the page and its files, downloads, and nothing else. Never throws. */
export async function answerHttp(
  request: IncomingMessage,
  response: ServerResponse,
  context: HttpContext,
): Promise<void> {
  const url = requestUrl(request);
  if (!url) return refuse(request, response, 400, 'Not an address of this server.');
  const access = judge({ headers: request.headers, url }, context.secrets, context.bound());
  if (access.status === 401) return askForToken(request, response);
  if (access.status === 403) return refuse(request, response, 403, access.reason);
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    return refuse(request, response, 405, 'Only GET is answered here.');
  }
  // No request of ours has a body; one that announces any is not read to find out how long it is.
  if (Number(request.headers['content-length'] ?? 0) > 0 || request.headers['transfer-encoding'] !== undefined) {
    return refuse(request, response, 413, 'Requests have no body here.');
  }

  if (url.pathname === '/' && url.searchParams.has('token')) {
    const { port } = context.bound();
    if (access.by === 'token') {
      response.setHeader(
        'set-cookie',
        `${cookieName(port)}=${context.secrets.cookie}; Path=/; HttpOnly; SameSite=Strict`,
      );
    }
    // Relative, so that the answer leads through the same tunnel; and the token is gone from the address.
    return send(request, response, 303, { ...securityHeaders(), location: '/' }, '');
  }
  if (url.pathname.startsWith('/download/')) return answerDownload(request, response, url, context);
  const answer = await readBundle(context.bundleDirectory, url.pathname);
  send(request, response, answer.status === 400 ? 404 : answer.status, answer.headers, answer.body);
}

async function answerDownload(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  { services }: HttpContext,
): Promise<void> {
  const download = services.download(url.pathname.slice('/download/'.length));
  if (!download) return refuse(request, response, 404, 'There is no such download.');
  const { fileName } = download;
  response.writeHead(200, {
    ...securityHeaders(),
    // Payloads are anybody's text: whatever the file is called, it is never shown as a page.
    'content-security-policy': "sandbox; default-src 'none'",
    'content-type': 'application/octet-stream',
    'content-disposition': `attachment; filename="${asciiName(fileName)}"; filename*=UTF-8''${encodeName(fileName)}`,
  });
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  try {
    await pipeline('stream' in download ? download.stream : createReadStream(download.path), response);
  } catch {
    // The head is sent: a broken connection is the one way left to say that the body is not whole.
    response.destroy();
  }
}

/** A file name for the quoted form of the header: characters that could end the quotes or the line are replaced. */
function asciiName(name: string): string {
  return name.replace(/[^A-Za-z0-9._ -]/g, '_');
}

/** A file name for the extended form (RFC 8187). Half a surrogate pair has no form there. */
function encodeName(name: string): string {
  return encodeURIComponent(name.replace(/\p{Surrogate}/gu, '_')).replace(
    /['()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16)}`,
  );
}

/**
 * A person who came by a link from another page has the cookie already, but the browser did not send it along (SameSite=Strict
 * holds for the whole chain of redirects). The link on this page starts a chain of its own.
 */
function askForToken(request: IncomingMessage, response: ServerResponse): void {
  const page = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Velescope</title>
<h1>Not signed in</h1>
<p>Open the address that <code>velescope serve</code> printed; it holds the token.</p>
<p>If you came here by that address: <a href="/">continue</a>.</p></html>
`;
  send(request, response, 401, { ...securityHeaders(), 'content-type': 'text/html; charset=utf-8' }, page);
}

function refuse(request: IncomingMessage, response: ServerResponse, status: number, text: string): void {
  send(request, response, status, { ...securityHeaders(), 'content-type': 'text/plain; charset=utf-8' }, `${text}\n`);
}

function send(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  headers: Record<string, string>,
  body: string | Uint8Array,
): void {
  // A refused request may have more to say; the connection is not kept to hear it.
  const closing = status >= 400 && status !== 404 && status !== 401 ? { connection: 'close' } : {};
  const length = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength;
  response.writeHead(status, { ...headers, ...closing, 'content-length': String(length) });
  response.end(request.method === 'HEAD' ? undefined : body);
}
