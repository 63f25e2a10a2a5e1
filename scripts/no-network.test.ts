import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildCommandLine } from '../src/cli/built.fixture.ts';

const root = join(import.meta.dirname, '..');

/** What can reach another machine, and the one place where each of it is. */
const MAY: Readonly<Record<string, RegExp>> = {
  // The browser door listens; it calls nobody.
  'src/web/serve.ts': /from 'node:(http|net)'/,
  'src/web/http.ts': /import type .* from 'node:http'/,
  'src/web/access.ts': /import type .* from 'node:http'|import \{ isIP \} from 'node:net'/,
  'src/web/sockets.ts': /from '(node:http|ws)'/,
  // The window speaks to the server that it was loaded from.
  'src/renderer/connection/connect.ts': /new WebSocket\(address\)/,
  // And asks it, once the connection is lost, whether it is there again.
  'src/renderer/state/reconnecting.ts': /await fetch\(ownAddress, \{ method: 'HEAD'/,
  // One list of https addresses, held in the main process, shown by the system's browser.
  'src/main/desktop.ts': /shell\.openExternal\(address\)/,
};
const REACHES =
  /from '(node:)?(http|https|http2|net|tls|dgram|dns|dns\/promises)'|from '(ws|undici|axios|node-fetch)'|(?<![.\w]|private )fetch\(|new (WebSocket|EventSource|XMLHttpRequest|RTCPeerConnection|WebTransport)\b|sendBeacon|autoUpdater|crashReporter|openExternal\(|importScripts\(|net\.(request|fetch|connect)\(/;

function shippedSources(): string[] {
  return readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .map((path) => join('src', path).replaceAll('\\', '/'))
    .filter((path) => /\.tsx?$/.test(path) && !/\.(test|fixture)\.tsx?$|-contract\.ts$|\/testing\//.test(path));
}

test('nothing in the sources can reach the network, but for the listed lines of the browser door and one link', () => {
  const sources = shippedSources();
  expect(sources.length).toBeGreaterThan(150);
  const found: string[] = [];
  const used = new Set<string>();
  for (const path of sources) {
    for (const line of readFileSync(join(root, path), 'utf8').split('\n')) {
      if (/^\s*(\/\/|\*|\/\*)/.test(line) || !REACHES.test(line)) continue;
      if (MAY[path]?.test(line)) used.add(path);
      else found.push(`${path}: ${line.trim()}`);
    }
  }
  expect(found).toEqual([]);
  expect([...used].sort()).toEqual(Object.keys(MAY).sort());
});

let built: { entry: string; directory: string };
let home: string;
beforeAll(async () => {
  built = await buildCommandLine();
  home = mkdtempSync(join(tmpdir(), 'velescope-network-'));
});
afterAll(() => {
  rmSync(built.directory, { recursive: true, force: true });
  rmSync(home, { recursive: true, force: true });
});

/** Ends the process when anything connects, sends a datagram or asks for a name. */
const GUARD = `
import net from 'node:net';
import dns from 'node:dns';
import dgram from 'node:dgram';
const stop = (what) => () => { console.error('NETWORK: ' + what); process.exit(77); };
net.Socket.prototype.connect = stop('connect');
dgram.Socket.prototype.send = stop('send');
dns.lookup = stop('lookup');
dns.promises.lookup = stop('lookup');
globalThis.fetch = stop('fetch');
`;

test('the commands connect to nothing and ask for no name', () => {
  const guard = join(home, 'guard.mjs');
  writeFileSync(guard, GUARD);
  const guarded = (...words: string[]) =>
    spawnSync(process.execPath, ['--import', pathToFileURL(guard).href, ...words], { encoding: 'utf8' });
  // The guard works: without this the test could not fail.
  const caught = guarded('--input-type=module', '--eval', "(await import('node:net')).connect(9, '127.0.0.1')");
  expect([caught.status, caught.stderr.trim()]).toEqual([77, 'NETWORK: connect']);

  const database = join(home, 'damaged');
  cpSync(join(root, 'resources', 'damaged'), database, { recursive: true });
  const collection = join(database, 'crc_mismatch');
  const commands = [
    ['verify', database, '--json'],
    ['replay', collection, '--as', 'v3.12'],
    ['dump', database, '--as', 'salvage'],
    ['history', collection, '1'],
    ['batch', collection],
    ['recover', collection, '--to', join(home, 'result'), '--policy', 'salvage'],
  ];
  for (const words of commands) {
    const ran = guarded(built.entry, ...words);
    expect(ran.stderr, words[0]).not.toContain('NETWORK');
    expect([0, 3], `${words[0]}: ${ran.stderr}`).toContain(ran.status);
  }
});
