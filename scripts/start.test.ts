import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openerOf } from '../src/web/open-in-browser.ts';

const root = join(import.meta.dirname, '..');
let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'velescope-start-'));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

interface Ended {
  status: number | null;
  output: string;
  errors: string;
}

/** Runs `npm start`'s script on a machine without a display, and ends it once it says an address. */
const start = (...words: string[]): Promise<Ended> =>
  run(process.execPath, [join(root, 'scripts', 'start.mjs'), ...words]);

/** Resolves when the program and everything that holds its output has ended. */
function run(program: string, words: string[]): Promise<Ended> {
  const child = spawn(program, words, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, DISPLAY: '', WAYLAND_DISPLAY: '', HOME: home, XDG_CONFIG_HOME: home, INIT_CWD: root },
  });
  let output = '';
  let errors = '';
  child.stdout.on('data', (piece) => {
    output += piece;
    if (/http:\/\/\S+\n/.test(output)) child.kill('SIGTERM');
  });
  child.stderr.on('data', (piece) => {
    errors += piece;
  });
  return new Promise((done) => child.once('close', (status) => done({ status, output, errors })));
}

describe.runIf(process.platform === 'linux')('npm start on a machine without a display', () => {
  test('says in one line why, prints the address of the browser door, and ends well when told to', async () => {
    const { status, output } = await start('--no-open');
    const lines = output.trimEnd().split('\n').slice(-2);
    expect(lines[0]).toMatch(/^Velescope in the browser, not on the desktop: there is no display\./);
    expect(lines[1]).toMatch(/^http:\/\/127\.0\.0\.1:[0-9]+\/\?token=\S+$/);
    expect(status).toBe(0);
  });

  test('through npm, leaves no server behind when npm is told to end', async () => {
    const { output } = await run('npm', ['start', '--', '--no-open']);
    const address = new URL(/^http:\S+$/m.exec(output)![0]);
    await expect(fetch(address.origin)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
  });

  test('takes a directory, relative to where the person stands', async () => {
    const { output } = await start(join('resources', 'damaged'), '--no-open');
    expect(output).toContain('http://127.0.0.1:');
  });
});

test('a directory that is not there is status 1, an unknown option 2, each with the reason', async () => {
  expect(await start('no-such-directory')).toMatchObject({
    status: 1,
    errors: expect.stringContaining('no directory'),
  });
  expect(await start('--verbose')).toMatchObject({ status: 2, errors: expect.stringContaining('--verbose') });
});

test('an address is opened by the system, where there is anything to show it on', () => {
  expect(openerOf('darwin', {})).toEqual(['open']);
  expect(openerOf('win32', {})).toEqual(['rundll32', 'url.dll,FileProtocolHandler']);
  expect(openerOf('linux', { DISPLAY: ':0' })).toEqual(['xdg-open']);
  expect(openerOf('linux', { WAYLAND_DISPLAY: 'wayland-0' })).toEqual(['xdg-open']);
  expect(openerOf('linux', { DISPLAY: '' })).toBeNull();
});
