import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import packageFile from '../../package.json' with { type: 'json' };
import { GENERATIONS } from '../core/generation.ts';
import { goldenCases, goldenPresent } from '../core/golden.fixture.ts';
import { LogBuilder } from '../core/log-builder.fixture.ts';
import { nodeFiles } from '../main/engine/node-files.ts';
import { buildCommandLine } from './built.fixture.ts';

const windowBuilt = existsSync(join(import.meta.dirname, '..', '..', 'out', 'renderer', 'assets'));
if (!windowBuilt)
  console.warn('SKIPPED: serving the window from a process of its own (npm run build makes the window)');

let entry: string;
let built: string;
let directory: string;

beforeAll(async () => {
  ({ entry, directory: built } = await buildCommandLine());
  directory = mkdtempSync(join(tmpdir(), 'velescope-process-'));
  const log = new LogBuilder();
  for (let id = 1; id <= 20_000; id++) log.store(id, `{"id":${id},"text":"${'x'.repeat(60)}"}`);
  mkdirSync(join(directory, 'large'));
  writeFileSync(join(directory, 'large', 'payloads.log'), log.bytes());
});
afterAll(() => {
  rmSync(built, { recursive: true });
  rmSync(directory, { recursive: true });
});

/** Runs `velescope` as a process of its own. */
function velescope(words: string[], input = ''): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [entry, ...words], { input, encoding: 'utf8', maxBuffer: 1 << 30 });
}

/** Runs a line of shell in which "$velescope" is the program. */
function shell(line: string): SpawnSyncReturns<string> {
  const environment = { ...process.env, NODE: process.execPath, ENTRY: entry, DIRECTORY: directory };
  return spawnSync('bash', ['-c', `velescope() { "$NODE" "$ENTRY" "$@"; }\n${line}`], {
    encoding: 'utf8',
    env: environment,
  });
}

describe('the velescope program', () => {
  it('is a script that the system can start', () => {
    expect(readFileSync(entry, 'utf8').startsWith('#!/usr/bin/env node\n')).toBe(true);
  });

  it('tells its version and what it can do', () => {
    expect(velescope(['--version'])).toMatchObject({ status: 0, stdout: `${packageFile.version}\n`, stderr: '' });
    const help = velescope(['--help']);
    expect(help).toMatchObject({ status: 0, stderr: '' });
    for (const name of ['verify', 'replay', 'dump', 'history', 'batch', 'recover', 'serve', 'open']) {
      expect(help.stdout).toMatch(new RegExp(`^ +${name} `, 'm'));
      expect(velescope([name, '--help']).status).toBe(0);
    }
  });

  it.each([
    ['nothing', []],
    ['an unknown command', ['frobnicate']],
    ['no directory', ['verify']],
    ['an unknown option', ['verify', '.', '--frobnicate']],
    ['replay without a generation', ['replay', '.']],
    ['a generation that is none', ['replay', '.', '--as', 'v2.0']],
    ['salvage, which is no answer of replay', ['replay', '.', '--as', 'salvage']],
    ['dump without a view', ['dump', '.']],
    ['an id that is none', ['history', '.', '-1']],
    ['an id too many', ['history', '.', '18446744073709551616']],
    ['a durability that is none', ['batch', '.', '--durability', 'eventually']],
    ['a second directory where one is meant', ['batch', '.', '..']],
    ['a target without a name', ['recover', '.', '--to', '', '--policy', 'salvage']],
    ['a port that is none', ['serve', '.', '--port', '70000']],
  ])('calls it misuse: %s', (_name, words) => {
    const ran = velescope(words);
    expect(ran.status).toBe(2);
    expect(ran.stdout).toBe('');
    expect(ran.stderr).not.toBe('');
  });

  it('ends quietly when nobody reads on', () => {
    const ran = shell('set -o pipefail; velescope dump "$DIRECTORY/large" --as v3.12 | head -n 1');
    expect(ran).toMatchObject({ status: 0, stderr: '' });
    expect(ran.stdout).toMatch(/^\{"id":"1","payload":\{"id":1,"text":"x+"\}\}\n$/);
  });

  it.skipIf(!existsSync('/dev/full'))('says so when its output cannot be written', () => {
    const ran = shell('velescope dump "$DIRECTORY/large" "$DIRECTORY/large" --as v3.12 > /dev/full');
    expect(ran.status).toBe(1);
    // Once: it is not a failure of each directory.
    expect(ran.stderr.match(/ENOSPC/g)).toHaveLength(1);
  });

  it('does not take a directory for an input without lines', () => {
    mkdirSync(join(directory, 'no-input'));
    const ran = shell('velescope batch "$DIRECTORY/no-input" --json < "$DIRECTORY"');
    expect(ran.status).toBe(1);
    expect(JSON.parse(ran.stdout).error.message).toContain('EISDIR');
  });

  it('pipes a dump into a batch, record for record', () => {
    mkdirSync(join(directory, 'copy'));
    const ran = shell(
      'set -o pipefail; velescope dump "$DIRECTORY/large" --as salvage | velescope batch "$DIRECTORY/copy"',
    );
    expect(ran).toMatchObject({ status: 0, stderr: '' });
    expect(JSON.parse(ran.stdout)).toEqual({ directory: join(directory, 'copy'), applied: 20_000 });
    const [copy, large] = ['copy', 'large'].map((name) => readFileSync(join(directory, name, 'payloads.log')));
    expect(copy!.equals(large!)).toBe(true);
  });

  it('writes what has arrived while its input stays open', async () => {
    const target = join(directory, 'slow');
    mkdirSync(target);
    const child = spawn(process.execPath, [entry, 'batch', target], { stdio: ['pipe', 'pipe', 'inherit'] });
    const expected = new LogBuilder().store(1, '1').bytes();
    child.stdin.write('{"id":"1","payload":1}\n');
    const deadline = Date.now() + 20_000;
    const path = join(target, 'payloads.log');
    while (!(existsSync(path) && readFileSync(path).equals(expected))) {
      if (Date.now() > deadline) throw new Error('the line was not written while the input was open');
      await new Promise((resume) => setTimeout(resume, 20));
    }
    const ended = new Promise((resolve) => child.on('exit', resolve));
    child.stdin.end();
    expect(await ended).toBe(0);
  });

  it.skipIf(!windowBuilt)('serves the window until a signal ends it', async () => {
    const served = join(directory, 'large');
    const child = spawn(process.execPath, [entry, 'serve', served, '--no-open', '--read-only'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = new Promise((resolve) => child.on('exit', resolve));
    let printed = '';
    for await (const chunk of child.stdout) {
      printed += chunk;
      if (printed.includes('\n')) break;
    }
    expect(printed).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{20,}\n$/);
    const answer = await fetch(printed.trim(), { redirect: 'manual' });
    expect(answer.status).toBe(303);
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
  });

  it('cannot serve a directory that is not there', () => {
    const missing = velescope(['serve', join(directory, 'missing'), '--no-open']);
    expect(missing).toMatchObject({ status: 1, stdout: '' });
    expect(missing.stderr).toContain('(NOT_FOUND)');
  });

  it('is kept out of a database that another process holds, and still looks', () => {
    const root = join(directory, 'held');
    mkdirSync(join(root, 'items'), { recursive: true });
    writeFileSync(join(root, 'items', 'config.json'), '{"name":"items"}');
    writeFileSync(join(root, 'items', 'payloads.log'), new LogBuilder().store(1).bytes());
    const lock = nodeFiles.open(join(root, 'velesdb.lock'), 'append');
    expect(lock.tryLock(true)).toBe(true);
    try {
      const ran = velescope(['batch', join(root, 'items'), '--json'], '{"id":"2","payload":2}\n');
      expect(ran.status).toBe(1);
      expect(JSON.parse(ran.stdout).error.code).toBe('LOCK_HELD');
      expect(velescope(['verify', root]).status).toBe(0);
    } finally {
      lock.close();
    }
    expect(velescope(['batch', join(root, 'items')], '{"id":"2","payload":2}\n').status).toBe(0);
  });
});

describe.skipIf(!goldenPresent)('the golden cases, all in one process', () => {
  const cases = goldenCases();
  for (const generation of GENERATIONS) {
    it(`replay and dump as ${generation}`, () => {
      const directories = cases.map((golden) => golden.directory);
      const ran = velescope(['replay', ...directories, '--as', generation, '--json']);
      const lines = ran.stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
      expect(lines.map((line) => line.directory)).toEqual(directories);
      cases.forEach((golden, at) => {
        const expected = golden.answers[generation].replay;
        expect(lines[at], golden.name).toMatchObject(
          expected.ok
            ? { ok: true, count: expected.count, index: expected.index, usedSnapshot: expected.used_snapshot }
            : { ok: false, kind: expected.kind, message: expected.message, usedSnapshot: expected.used_snapshot },
        );
      });
      expect(ran.status).toBe(cases.some((golden) => !golden.answers[generation].replay.ok) ? 3 : 0);

      const dumped = velescope(['dump', ...directories, '--as', generation]);
      const ids = dumped.stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).id);
      expect(ids).toEqual(
        cases.flatMap((golden) => {
          const { replay, dump } = golden.answers[generation];
          return replay.ok ? dump.map(({ id }) => id) : [undefined];
        }),
      );
    });
  }
});
