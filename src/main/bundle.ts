import { readFile, realpath } from 'node:fs/promises';
import { extname, join, relative, resolve, sep } from 'node:path';
import { createNonce, NONCE_PLACEHOLDER, securityHeaders } from './content-security.ts';

/** One answer to a request for a file of the bundle. */
export interface BundleAnswer {
  status: 200 | 400 | 404;
  headers: Record<string, string>;
  body: Uint8Array<ArrayBuffer>;
}

/** A closed list: what a build of the renderer holds. Anything else is not ours to serve. */
const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
};

/**
 * Where in `directory` a URL's path leads, or null when it leads anywhere else. Takes the path as it stands in the URL, percent
 * escapes included: they are decoded once, here, so that `%2e%2e%2f` is judged as what it means. `/` is index.html.
 */
export function bundlePath(directory: string, pathname: string): string | null {
  let decoded: string;
  try {
    decoded = decodeURIComponent(pathname);
  } catch {
    return null;
  }
  if (!decoded.startsWith('/') || /[\0\\:]/.test(decoded)) return null;
  const root = resolve(directory);
  const path = resolve(root, `.${decoded === '/' ? '/index.html' : decoded}`);
  return path.startsWith(root + sep) ? path : null;
}

/**
 * Reads one file of the renderer's bundle for either door. Never throws: what cannot be served is a 404, what is no path
 * of ours is a 400. Symbolic links are followed only as far as they stay inside.
 */
export async function readBundle(directory: string, pathname: string): Promise<BundleAnswer> {
  const path = bundlePath(directory, pathname);
  if (path === null) return refusal(400, 'Not a path of this application.');
  const contentType = CONTENT_TYPES[extname(path)];
  if (contentType === undefined) return refusal(404, 'There is no such file.');
  let bytes: Buffer;
  try {
    const [root, real] = await Promise.all([realpath(directory), realpath(path)]);
    if (relative(root, real).startsWith('..')) return refusal(404, 'There is no such file.');
    bytes = await readFile(real);
  } catch {
    return refusal(404, 'There is no such file.');
  }
  if (path !== join(resolve(directory), 'index.html')) {
    return { status: 200, headers: { ...securityHeaders(), 'content-type': contentType }, body: new Uint8Array(bytes) };
  }
  const nonce = createNonce();
  const page = bytes.toString('utf8').replaceAll(NONCE_PLACEHOLDER, nonce);
  return {
    status: 200,
    headers: { ...securityHeaders(nonce), 'content-type': contentType },
    body: new TextEncoder().encode(page),
  };
}

function refusal(status: 400 | 404, text: string): BundleAnswer {
  return {
    status,
    headers: { ...securityHeaders(), 'content-type': 'text/plain; charset=utf-8' },
    body: new TextEncoder().encode(`${text}\n`),
  };
}
