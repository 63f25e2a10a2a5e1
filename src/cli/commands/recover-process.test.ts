import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LogBuilder } from '../../core/log-builder.fixture.ts';
import { INCOMPLETE_MARKER } from '../../main/engine/recovery.ts';
import { buildCommandLine } from '../built.fixture.ts';
import { fingerprint } from '../fingerprint.fixture.ts';

let entry: string;
let built: string;
let root: string;
beforeAll(async () => {
  ({ entry, directory: built } = await buildCommandLine());
});
afterAll(() => rmSync(built, { recursive: true }));
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "velescope it's "));
});
afterEach(() => rmSync(root, { recursive: true }));

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

function velescope(...words: string[]) {
  return spawnSync(process.execPath, [entry, ...words], { encoding: 'utf8', maxBuffer: 1 << 28 });
}

/** A database of one collection, with everything beside its log that VelesDB keeps there. */
function collection(name: string, log: Uint8Array): string {
  const directory = join(root, 'db', name);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(root, 'db', 'velesdb.lock'), '');
  writeFileSync(join(directory, 'config.json'), JSON.stringify({ name }));
  writeFileSync(join(directory, 'payloads.log'), log);
  return directory;
}

const records = () => {
  const log = new LogBuilder();
  for (let id = 1; id <= 40; id++) log.store(id % 30, JSON.stringify({ id, text: `value ${id}` }));
  return log.delete(3).delete(99);
};

/** Damage of every kind, by name. */
const DAMAGE: Record<string, (log: Uint8Array, offsets: number[]) => Uint8Array> = {
  'a flipped bit': (log, offsets) => {
    log[offsets[5]! + 20]! ^= 4;
    return log;
  },
  'a torn end': (log) => log.slice(0, -6),
  'an end of zeros': (log) => Uint8Array.from([...log, ...new Uint8Array(500)]),
  'a hole of zeros': (log, offsets) => log.fill(0, offsets[7]! + 3, offsets[9]! + 4),
  'an unknown marker': (log, offsets) => {
    log[offsets[2]!] = 0x43;
    return log;
  },
  'a length beyond the end': (log, offsets) => {
    log[offsets[10]! + 12] = 0x7f;
    return log;
  },
  'a byte lost': (log, offsets) => Uint8Array.from([...log.slice(0, offsets[4]! + 18), ...log.slice(offsets[4]! + 19)]),
  'another file behind it': (log) => Uint8Array.from([...log, ...Buffer.from('not a record at all, but text\n')]),
};

describe('the recover command as a process', () => {
  it.each(Object.keys(DAMAGE))('gets back everything intact, and its steps put it in place: %s', (name) => {
    const log = records();
    const directory = collection('items', DAMAGE[name]!(log.bytes(), log.offsets));
    const damaged = readFileSync(join(directory, 'payloads.log'));
    writeFileSync(join(directory, 'payloads.snapshot'), 'an old snapshot');
    writeFileSync(join(directory, 'bm25.snapshot'), 'index');
    writeFileSync(join(directory, 'bm25.wal'), 'wal');
    const before = fingerprint(directory);
    const salvage = velescope('dump', directory, '--as', 'salvage').stdout;
    const target = join(root, 'new');

    const ran = velescope('recover', directory, '--to', target, '--policy', 'salvage', '--json');
    expect(ran).toMatchObject({ status: 3, stderr: '' });
    expect(fingerprint(directory)).toEqual(before);
    const report = JSON.parse(ran.stdout);
    expect(report).toMatchObject({ verified: true, inputSha256: sha256(damaged) });
    const leftOut = report.leftOut.reduce((sum: number, piece: { length: number }) => sum + piece.length, 0);
    expect(report.kept.bytes + leftOut).toBe(damaged.length);
    expect(readFileSync(join(report.evidence, 'left-out.bin')).length).toBe(leftOut);

    // The steps, done by a shell as they stand. The last one is the check, by the command that is being tested.
    const commands = report.steps
      .map((step: string) => / ((?:ln|mv|cp) .*)$/.exec(step)?.[1])
      .filter((command: string | undefined) => command !== undefined);
    expect(commands.length).toBe(5);
    for (const command of commands) {
      expect(spawnSync('bash', ['-e', '-c', command], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
    }
    expect(readFileSync(join(directory, 'payloads.log.before-recovery'))).toEqual(damaged);
    expect(readdirSync(directory).sort()).toEqual([
      'bm25.snapshot.before-recovery',
      'bm25.wal.before-recovery',
      'config.json',
      'payloads.log',
      'payloads.log.before-recovery',
      'payloads.snapshot.before-recovery',
    ]);
    expect(velescope('verify', directory)).toMatchObject({ status: 0 });
    for (const generation of ['v1.6', 'v3.12']) {
      expect(velescope('dump', directory, '--as', generation)).toMatchObject({ status: 0, stdout: salvage });
    }
  });

  it('killed at any moment leaves the source as it was, and a target that says it is incomplete, or is whole', async () => {
    const log = new LogBuilder();
    for (let id = 1; id <= 30_000; id++) log.store(id, `{"id":${id},"text":"${'x'.repeat(200)}"}`);
    const bytes = log.bytes();
    bytes[100]! ^= 1;
    const directory = collection('items', bytes);
    const before = fingerprint(directory);
    let incomplete = 0;
    for (let attempt = 0; attempt < 8; attempt++) {
      const target = join(root, `new-${attempt}`);
      const child = spawn(process.execPath, [entry, 'recover', directory, '--to', target, '--policy', 'salvage']);
      const ended = new Promise((resolve) => child.on('exit', resolve));
      const started = Date.now();
      while (!existsSync(join(target, INCOMPLETE_MARKER)) && child.exitCode === null && Date.now() - started < 20_000) {
        await new Promise((resume) => setTimeout(resume, 2));
      }
      await new Promise((resume) => setTimeout(resume, attempt * 25));
      child.kill('SIGKILL');
      await ended;
      expect(fingerprint(directory)).toEqual(before);
      if (existsSync(join(target, INCOMPLETE_MARKER))) {
        incomplete++;
        const again = velescope('recover', directory, '--to', target, '--policy', 'salvage', '--json');
        expect(JSON.parse(again.stdout).error.code).toBe('TARGET_NOT_EMPTY');
      } else {
        expect(velescope('verify', target).status).toBe(0);
      }
    }
    expect(incomplete).toBeGreaterThan(0);
  });

  it('of a database does all collections, also where one cannot be', () => {
    const log = records();
    collection('damaged', DAMAGE['a flipped bit']!(log.bytes(), log.offsets));
    collection('healthy', records().bytes());
    const target = join(root, 'new');
    const ran = velescope('recover', join(root, 'db'), '--to', target, '--policy', 'absolute', '--json');
    expect(ran.status).toBe(1);
    const lines = ran.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines[0]).toMatchObject({ directory: join(root, 'db', 'damaged'), error: { code: 'POLICY_NOT_MET' } });
    expect(lines[1]).toMatchObject({ target: join(target, 'healthy'), verified: true, leftOut: [] });
    expect(readdirSync(target)).toEqual(['healthy']);
  });

  it('a collection that lost its log is not reported as recovered', () => {
    const directory = collection('lost', new Uint8Array());
    rmSync(join(directory, 'payloads.log'));
    const ran = velescope('recover', directory, '--to', join(root, 'new'), '--policy', 'salvage', '--json');
    expect(ran.status).toBe(3);
    expect(JSON.parse(ran.stdout)).toMatchObject({ kept: { records: 0 }, leftOut: [] });
  });

  it('is not led back into its source by a symbolic link', () => {
    const directory = collection('items', records().bytes());
    symlinkSync(directory, join(root, 'link'));
    for (const target of [
      join(root, 'link'),
      join(root, 'link', 'new'),
      join(root, 'db', 'items', '..', 'items', 'x'),
    ]) {
      const ran = velescope('recover', directory, '--to', target, '--policy', 'salvage', '--json');
      expect(ran.status).toBe(1);
      expect(JSON.parse(ran.stdout).error.code).toBe('TARGET_IS_SOURCE');
    }
    expect(readdirSync(directory).sort()).toEqual(['config.json', 'payloads.log']);
  });
});
