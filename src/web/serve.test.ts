import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { standInServices } from '../main/stand-in-services.fixture.ts';
import { createClient } from '../shared/connection.ts';
import { framesOf } from '../shared/frames.ts';
import { CONNECTION_LIMIT, HEADER_LIMIT, isLoopback, type RunningServer, serve } from './serve.ts';
import { PEER_LIMIT } from './sockets.ts';

let directory: string;
let bundleDirectory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'velescope-serve-'));
  bundleDirectory = join(directory, 'renderer');
  mkdirSync(join(bundleDirectory, 'assets'), { recursive: true });
  writeFileSync(
    join(bundleDirectory, 'index.html'),
    '<meta property="csp-nonce" nonce="VELESCOPE_STYLE_NONCE"><p>the page</p>',
  );
  writeFileSync(join(bundleDirectory, 'assets', 'page.js'), 'export {};');
  writeFileSync(join(directory, 'secret.js'), 'the secret');
  writeFileSync(join(directory, 'secret.txt'), 'the secret');
  symlinkSync(join(directory, 'secret.js'), join(bundleDirectory, 'assets', 'link.js'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** One request as it goes over the wire: `path` is sent as it is, and any header can be a lie. */
function ask(
  port: number,
  path: string,
  options: { headers?: Record<string, string>; method?: string; body?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { host: '127.0.0.1', port, path, method: options.method ?? 'GET', headers: options.headers ?? {}, agent: false },
      (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (piece) => {
          body += piece;
        });
        response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body }));
        response.on('error', reject);
      },
    );
    request.on('error', reject);
    request.end(options.body);
  });
}

/** Tries a WebSocket; answers the open socket, or the HTTP status it was refused with. */
function socketTo(port: number, headers: Record<string, string>, path = '/protocol'): Promise<WebSocket | number> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers });
    socket.once('open', () => resolve(socket));
    socket.once('unexpected-response', (_request, response) => {
      response.resume();
      socket.on('error', () => {});
      socket.terminate();
      resolve(response.statusCode!);
    });
    socket.once('error', reject);
  });
}

async function openSocket(port: number, headers: Record<string, string>): Promise<WebSocket> {
  const socket = await socketTo(port, headers);
  if (typeof socket === 'number') throw new Error(`refused with ${socket}`);
  return socket;
}

const closeCode = (socket: WebSocket) => new Promise<number>((resolve) => socket.once('close', resolve));

let standIn: ReturnType<typeof standInServices>;
let running: RunningServer;
let token: string;
let cookie: string;

/** The cookie a browser holds after it followed the printed address. */
async function signIn(server: RunningServer): Promise<string> {
  const answer = await ask(server.port, new URL(server.url).pathname + new URL(server.url).search);
  return answer.headers['set-cookie']![0]!.split(';')[0]!;
}

beforeEach(async () => {
  standIn = standInServices(
    {},
    {
      x1: { fileName: 'an "export"\r\nset-cookie: x=1.ndjson', stream: Readable.from(['{"id":"1"}\n']) },
      x2: { fileName: 'page.html', path: join(directory, 'secret.txt') },
      x3: { fileName: 'gone.ndjson', path: join(directory, 'gone.ndjson') },
    },
  );
  running = await serve({ services: standIn.services, bundleDirectory, messageLimit: 1 << 16 });
  token = new URL(running.url).searchParams.get('token')!;
  cookie = await signIn(running);
});
afterEach(() => running.close());

describe('the printed address', () => {
  test('names 127.0.0.1, the port and a token of at least 128 bits', () => {
    expect(running.url).toMatch(/^http:\/\/127\.0\.0\.1:[0-9]+\/\?token=[A-Za-z0-9_-]{22,}$/);
  });

  test('answers 303 with an HttpOnly, SameSite=Strict cookie named by the port, and the policy', async () => {
    const answer = await ask(running.port, `/?token=${token}`);
    expect(answer.status).toBe(303);
    expect(answer.headers.location).toBe('/');
    const [setCookie] = answer.headers['set-cookie']!;
    const [pair, ...attributes] = setCookie!.split('; ');
    expect(pair!.split('=')[0]).toContain(String(running.port));
    expect(attributes).toContain('HttpOnly');
    expect(attributes).toContain('SameSite=Strict');
    expect(answer.headers['content-security-policy']).toContain("default-src 'none'");
  });

  test('does not put the token into the cookie, so that a browser history holds no secret in use', () => {
    expect(cookie).not.toContain(token);
  });

  test('the token works again: it lives as long as the process', async () => {
    expect((await ask(running.port, `/?token=${token}`)).status).toBe(303);
    expect((await ask(running.port, `/?token=${token}`)).status).toBe(303);
  });

  test('a person who is signed in and follows an old address lands on the page', async () => {
    const answer = await ask(running.port, '/?token=of-an-earlier-process', { headers: { cookie } });
    expect(answer.status).toBe(303);
    expect(answer.headers['set-cookie']).toBeUndefined();
  });
});

describe('without cookie or token', () => {
  test.each([
    ['the page', '/'],
    ['a file of the page', '/assets/page.js'],
    ['a download', '/download/x1'],
    ['an unknown path', '/unknown'],
    ['a wrong token', '/?token=guess'],
    ['an empty token', '/?token='],
  ])('%s is 401', async (_name, path) => {
    const answer = await ask(running.port, path);
    expect(answer.status).toBe(401);
    expect(answer.body).not.toContain('the page</p>');
    expect(answer.headers['set-cookie']).toBeUndefined();
  });

  test('a wrong cookie is 401, and so is the cookie of a server on another port', async () => {
    const other = await serve({ services: standInServices().services, bundleDirectory });
    try {
      const theirs = await signIn(other);
      expect((await ask(running.port, '/', { headers: { cookie: theirs } })).status).toBe(401);
      const forged = `velescope-${running.port}=${theirs.split('=')[1]}`;
      expect((await ask(running.port, '/', { headers: { cookie: forged } })).status).toBe(401);
    } finally {
      await other.close();
    }
  });

  test('a WebSocket is 401', async () => {
    expect(await socketTo(running.port, {})).toBe(401);
    expect(await socketTo(running.port, { cookie: `velescope-${running.port}=guess` })).toBe(401);
  });
});

describe('signed in', () => {
  test('serves the page with its own style nonce, and its files with their types', async () => {
    const page = await ask(running.port, '/', { headers: { cookie } });
    expect(page.status).toBe(200);
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
    const nonce = /nonce="([^"]+)"/.exec(page.body)![1]!;
    expect(page.headers['content-security-policy']).toContain(`'nonce-${nonce}'`);
    const again = await ask(running.port, '/', { headers: { cookie } });
    expect(again.body).not.toContain(nonce);
    const script = await ask(running.port, '/assets/page.js', { headers: { cookie } });
    expect(script).toMatchObject({ status: 200, body: 'export {};' });
    expect(script.headers['content-type']).toBe('text/javascript; charset=utf-8');
  });

  test('unknown paths are 404', async () => {
    expect((await ask(running.port, '/unknown', { headers: { cookie } })).status).toBe(404);
    expect((await ask(running.port, '/download/unknown', { headers: { cookie } })).status).toBe(404);
    expect((await ask(running.port, '/protocol', { headers: { cookie } })).status).toBe(404);
    expect(await socketTo(running.port, { cookie }, '/other')).toBe(404);
  });

  test('calls, progress and events pass through the WebSocket', async () => {
    const socket = await openSocket(running.port, { cookie });
    const { client, receive } = createClient((request) => socket.send(JSON.stringify(request)));
    socket.on('message', (data) => receive(JSON.parse(data.toString())));
    const events: unknown[] = [];
    client.onEvent((event) => events.push(event));
    expect(await client.call('app.info', {})).toMatchObject({ version: '0.0.0' });
    await expect(client.call('directory.choose', {})).rejects.toMatchObject({ code: 'NOT_ALLOWED' });
    standIn.emit({ event: 'command', command: 'find' });
    await client.call('app.info', {});
    expect(events).toEqual([{ event: 'command', command: 'find' }]);
    socket.terminate();
  });

  test('a call with a key that its schema does not name is refused', async () => {
    const socket = await openSocket(running.port, { cookie });
    const { client, receive } = createClient((request) => socket.send(JSON.stringify(request)));
    socket.on('message', (data) => receive(JSON.parse(data.toString())));
    await expect(client.call('app.info', { path: '/etc' } as never)).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    socket.terminate();
  });

  test('what a page left running is cancelled when its connection ends', async () => {
    let aborted: () => void;
    const cancelled = new Promise<void>((resolve) => {
      aborted = resolve;
    });
    let started: () => void;
    const begun = new Promise<void>((resolve) => {
      started = resolve;
    });
    const waiting = standInServices({
      'directory.choose': (_params, { signal }) => {
        signal.addEventListener('abort', () => aborted());
        started();
        return new Promise(() => {});
      },
    });
    const server = await serve({ services: waiting.services, bundleDirectory });
    try {
      const socket = await openSocket(server.port, { cookie: await signIn(server) });
      socket.send(JSON.stringify({ type: 'call', call: 0, method: 'directory.choose', params: {} }));
      await begun;
      expect(waiting.listeners.size).toBe(1);
      socket.terminate();
      await cancelled;
      await expect.poll(() => waiting.listeners.size).toBe(0);
    } finally {
      await server.close();
    }
  });
});

describe('downloads', () => {
  test('come as attachments that no browser shows as a page, whatever their name holds', async () => {
    const answer = await ask(running.port, '/download/x1', { headers: { cookie } });
    expect(answer.status).toBe(200);
    expect(answer.body).toBe('{"id":"1"}\n');
    expect(answer.headers['set-cookie']).toBeUndefined();
    expect(answer.headers['content-disposition']).toMatch(
      /^attachment; filename="an _export___set-cookie_ x_1.ndjson";/,
    );
    const page = await ask(running.port, '/download/x2', { headers: { cookie } });
    expect(page.headers['content-type']).toBe('application/octet-stream');
    expect(page.headers['content-security-policy']).toContain('sandbox');
    expect(page.headers['x-content-type-options']).toBe('nosniff');
  });

  test('a file that is gone breaks the connection rather than ending well and empty', async () => {
    await expect(ask(running.port, '/download/x3', { headers: { cookie } })).rejects.toThrow();
  });
});

describe('attack: DNS rebinding (a page of evil.example whose name was made to lead to 127.0.0.1)', () => {
  test.each(['evil.example', 'evil.example:80', '127.0.0.1.evil.example', 'localhost.evil.example', '127.0.0.1@evil'])(
    'Host %s is 403, with the cookie and the token',
    async (host) => {
      const headers = { host, cookie };
      expect((await ask(running.port, `/?token=${token}`, { headers })).status).toBe(403);
      expect(await socketTo(running.port, headers)).toBe(403);
    },
  );

  test.each([
    'GET / HTTP/1.0\r\nCookie: COOKIE\r\n\r\n',
    'GET / HTTP/1.1\r\nHost:\r\nCookie: COOKIE\r\nConnection: close\r\n\r\n',
  ])('no name at all is 403: %j', async (text) => {
    const answer = await exchange(connect(running.port, '127.0.0.1'), text.replace('COOKIE', cookie));
    expect(answer).toMatch(/^HTTP\/1\.1 403 /);
  });

  test('a numeric address of the network is no name of a server on loopback', async () => {
    expect((await ask(running.port, '/', { headers: { cookie, host: '192.168.1.5:80' } })).status).toBe(403);
  });
});

describe('an SSH tunnel that ends on another port', () => {
  test.each(['127.0.0.1:9999', 'localhost:9999', '[::1]:9999', 'LOCALHOST:9999', 'localhost'])(
    'Host %s is served, and its pages connect',
    async (host) => {
      const origin = `http://${host.toLowerCase()}`;
      const signedIn = await ask(running.port, `/?token=${token}`, { headers: { host } });
      expect(signedIn.status).toBe(303);
      // Relative, or the browser would leave the tunnel.
      expect(signedIn.headers.location).toBe('/');
      expect((await ask(running.port, '/', { headers: { host, cookie } })).status).toBe(200);
      const socket = await openSocket(running.port, { host, origin, cookie });
      expect(socket.readyState).toBe(WebSocket.OPEN);
      socket.terminate();
    },
  );
});

describe('attack: another site in the same browser', () => {
  test.each(['http://evil.example', 'https://127.0.0.1', 'null', 'http://127.0.0.1:1', 'file://'])(
    'its WebSocket says Origin: %s and is 403, cookie or not',
    async (origin) => {
      expect(await socketTo(running.port, { origin, cookie })).toBe(403);
      expect((await ask(running.port, '/', { headers: { origin, cookie } })).status).toBe(403);
    },
  );

  test('a page of another port of localhost embeds a download: SameSite lets its cookie through, Sec-Fetch-Site does not', async () => {
    const headers = { cookie, 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'script' };
    expect((await ask(running.port, '/download/x1', { headers })).status).toBe(403);
    expect((await ask(running.port, '/', { headers })).status).toBe(403);
  });

  test('a frame of another page is 403; a person following a link is let in', async () => {
    const frame = { cookie, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' };
    expect((await ask(running.port, '/', { headers: frame })).status).toBe(403);
    const link = { ...frame, 'sec-fetch-dest': 'document' };
    expect((await ask(running.port, `/?token=${token}`, { headers: link })).status).toBe(303);
  });

  test('a form posted from another page is refused and changes nothing', async () => {
    const headers = { cookie, origin: 'http://evil.example', 'content-type': 'text/plain' };
    expect((await ask(running.port, '/', { method: 'POST', headers, body: '{}' })).status).toBe(403);
    expect((await ask(running.port, '/', { method: 'POST', headers: { cookie } })).status).toBe(405);
  });
});

describe('attack: paths that leave the bundle', () => {
  test.each([
    '/../secret.txt',
    '/../secret.js',
    '/assets/../../secret.js',
    '/%2e%2e/secret.js',
    '/%2e%2e%2fsecret.js',
    '/..%2fsecret.js',
    '/assets/..%5c..%5csecret.js',
    '/%252e%252e/secret.js',
    '//etc/passwd',
    '/etc/passwd',
    '/%00/../secret.js',
    '/assets/page.js%00.html',
    '/C:/secret.js',
    '/assets/link.js',
    '/%E0%A4%A',
    '/assets',
    '/assets/',
  ])('%s', async (path) => {
    const answer = await ask(running.port, path, { headers: { cookie } });
    expect([400, 404]).toContain(answer.status);
    expect(answer.body).not.toContain('secret\n');
    expect(answer.body).not.toContain('the secret');
  });

  test('two slashes are a path like any other: asked for the token, then unknown', async () => {
    expect((await ask(running.port, '//etc/passwd')).status).toBe(401);
    expect((await ask(running.port, '//etc/passwd', { headers: { cookie } })).status).toBe(404);
    expect((await ask(running.port, '//host', { headers: { cookie, host: 'evil.example' } })).status).toBe(403);
  });

  test('a request in the form for proxies', async () => {
    const answer = await ask(running.port, 'http://127.0.0.1/secret.js', { headers: { cookie } });
    expect(answer.status).toBe(400);
  });
});

describe('headers of every answer', () => {
  test.each([
    ['303', `/?token=TOKEN`, true],
    ['200', '/', true],
    ['200 of a file', '/assets/page.js', true],
    ['200 of a download', '/download/x1', true],
    ['404', '/unknown', true],
    ['401', '/', false],
    ['403', '/', true, 'evil.example'],
  ])('%s', async (_name, path, signedIn, host?: string) => {
    const headers = { ...(signedIn ? { cookie } : {}), ...(host ? { host } : {}) };
    const answer = await ask(running.port, path.replace('TOKEN', token), { headers });
    const policy = answer.headers['content-security-policy'];
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('unsafe');
    expect(answer.headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
      'cross-origin-opener-policy': 'same-origin',
      'cache-control': 'no-store',
    });
  });

  test('the policy of the page is the whole list, word for word', async () => {
    const page = await ask(running.port, '/', { headers: { cookie } });
    expect(String(page.headers['content-security-policy']).replace(/'nonce-[^']+'/, "'nonce'")).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self' 'nonce'; img-src 'self' data:; font-src 'self'; " +
        "connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
  });
});

describe('attack: too much', () => {
  test('a body is not read: a gigabyte announced is 413 before it is sent', async () => {
    const socket = connect(running.port, '127.0.0.1');
    const answer = await exchange(
      socket,
      `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: ${cookie}\r\nContent-Length: 1073741824\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer.toLowerCase()).toContain('connection: close');
  });

  test('headers over the limit are 431', async () => {
    const socket = connect(running.port, '127.0.0.1');
    const answer = await exchange(
      socket,
      `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ${'x'.repeat(HEADER_LIMIT)}\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
  });

  test('a message over the limit ends its connection, and the others go on', async () => {
    const [large, other] = [await openSocket(running.port, { cookie }), await openSocket(running.port, { cookie })];
    large.on('error', () => {});
    const ended = closeCode(large);
    large.send('x'.repeat((1 << 16) + 1));
    expect(await ended).toBe(1009);
    other.send(JSON.stringify({ type: 'call', call: 7, method: 'app.info', params: {} }));
    const message = await new Promise<string>((resolve) => other.once('message', (data) => resolve(data.toString())));
    expect(JSON.parse(message)).toMatchObject({ type: 'result', call: 7 });
    other.terminate();
  });

  test('a large message is taken in frames of at most a megabyte, and answered so', async () => {
    const socket = await openSocket(running.port, { cookie });
    const answered = new Promise<Buffer>((resolve) => socket.once('message', (data) => resolve(data as Buffer)));
    const request = { type: 'call', call: 3, method: 'app.info', params: {} };
    for (const frame of framesOf(Buffer.from(JSON.stringify(request)))) socket.send(frame);
    expect(JSON.parse((await answered).toString())).toMatchObject({ type: 'result', call: 3 });
    const ended = closeCode(socket);
    for (const frame of framesOf(Buffer.from([0x22, 0xff, 0x22]))) socket.send(frame);
    expect(await ended).toBe(1007);
  });

  test('messages that are no JSON, or no frames of ours, end their connection', async () => {
    const first = await openSocket(running.port, { cookie });
    first.send('{');
    expect(await closeCode(first)).toBe(1007);
    const second = await openSocket(running.port, { cookie });
    second.send(Buffer.from([2, 0x7b, 0x7d]));
    expect(await closeCode(second)).toBe(1003);
  });

  test('compression is not agreed to, so that no small message becomes a large one', async () => {
    const socket = await openSocket(running.port, { cookie });
    expect(socket.extensions).toBe('');
    socket.terminate();
  });

  test('pages over their number are 503, until one of them closes', async () => {
    const sockets = [];
    for (let index = 0; index < PEER_LIMIT; index++) sockets.push(await openSocket(running.port, { cookie }));
    expect(await socketTo(running.port, { cookie })).toBe(503);
    const ended = closeCode(sockets[0]!);
    sockets[0]!.close();
    await ended;
    const next = await openSocket(running.port, { cookie });
    for (const socket of [...sockets, next]) socket.terminate();
  });

  test('connections over their number are not taken', async () => {
    const sockets: Socket[] = [];
    let refused = 0;
    for (let index = 0; index < CONNECTION_LIMIT + 8; index++) {
      const socket = connect(running.port, '127.0.0.1');
      socket.on('error', () => {});
      socket.on('close', () => {
        refused += 1;
      });
      sockets.push(socket);
      await new Promise((resolve) => socket.once('connect', resolve));
    }
    await expect.poll(() => refused).toBeGreaterThanOrEqual(8);
    for (const socket of sockets) socket.destroy();
  });
});

/** Sends bytes and collects the answer until the other side ends it. */
function exchange(socket: Socket, text: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    socket.on('data', (piece) => {
      answer += piece.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(answer));
    socket.write(text);
  });
}

describe('where it listens', () => {
  test('on 127.0.0.1 alone: another address of this machine does not answer', async () => {
    const socket = connect(running.port, '127.0.0.2');
    const outcome = await new Promise<string>((resolve) => {
      socket.once('connect', () => resolve('connected'));
      socket.once('error', (error: Error & { code?: string }) => resolve(error.code ?? 'error'));
    });
    socket.destroy();
    expect(outcome).not.toBe('connected');
  });

  test('what is loopback and what is warned about', () => {
    expect(['127.0.0.1', '127.1.2.3', '::1', 'localhost'].every(isLoopback)).toBe(true);
    expect(['0.0.0.0', '::', '192.168.1.5', '127.0.0.1.evil.example', 'example.com'].some(isLoopback)).toBe(false);
  });

  test('told to listen everywhere, it answers to numeric addresses and still to no name', async () => {
    const open = await serve({ services: standInServices().services, bundleDirectory, host: '0.0.0.0' });
    try {
      const theirs = await signIn(open);
      expect((await ask(open.port, '/', { headers: { cookie: theirs, host: '192.168.1.5:80' } })).status).toBe(200);
      expect((await ask(open.port, '/', { headers: { cookie: theirs, host: 'evil.example' } })).status).toBe(403);
    } finally {
      await open.close();
    }
  });

  test('a port that is taken is the system error EADDRINUSE', async () => {
    const attempt = serve({ services: standInServices().services, bundleDirectory, port: running.port });
    await expect(attempt).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});

test('closing ends connections, releases the services once and frees the port', async () => {
  const own = standInServices();
  const server = await serve({ services: own.services, bundleDirectory });
  const socket = await openSocket(server.port, { cookie: await signIn(server) });
  const ended = closeCode(socket);
  await server.close();
  await ended;
  expect(own.state.closed).toBe(1);
  await expect(ask(server.port, '/')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});
