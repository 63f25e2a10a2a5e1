import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VelescopeError } from '../../shared/errors.ts';
import { databaseLockPaths, LOCK_FILE, takeDatabaseLock, takeLogLock } from './lock.ts';
import { findHolder, parseLocks } from './lock-holder.ts';
import { MemoryFiles } from './memory-files.ts';
import { nodeFiles } from './node-files.ts';

let root: string;
let collection: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  root = fs.mkdtempSync(join(tmpdir(), 'velescope-lock-'));
  collection = join(root, 'products');
  fs.mkdirSync(collection);
});
afterEach(async () => {
  for (const child of children.splice(0)) await ended(child);
  fs.rmSync(root, { recursive: true });
});

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}

/** A second process that holds the file's flock until it is killed. */
async function hold(path: string): Promise<ChildProcess> {
  const program = `
    const koffi = require(${JSON.stringify(createRequire(import.meta.url).resolve('koffi'))});
    const flock = koffi.load(null).func('int flock(int, int)');
    const taken = flock(require('node:fs').openSync(${JSON.stringify(path)}, 'a+'), 6);
    console.log(taken === 0 ? 'held' : 'refused');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const answer = await new Promise<string>((resolve) => child.stdout!.once('data', (data) => resolve(String(data))));
  expect(answer.trim()).toBe('held');
  return child;
}

function codeOf(action: () => unknown): VelescopeError {
  try {
    action();
  } catch (thrown) {
    if (thrown instanceof VelescopeError) return thrown;
    throw thrown;
  }
  throw new Error('nothing was thrown');
}

const posix = process.platform !== 'win32';
const linux = process.platform === 'linux';

describe('the lock of a database', () => {
  it("is in the collection's parent, where it exists or the collection belongs to a database", () => {
    expect(databaseLockPaths(nodeFiles, collection)).toEqual([]);
    fs.writeFileSync(join(collection, 'config.json'), '{}');
    expect(databaseLockPaths(nodeFiles, collection)).toEqual([join(root, LOCK_FILE)]);
    fs.rmSync(join(collection, 'config.json'));
    fs.writeFileSync(join(root, LOCK_FILE), '');
    expect(databaseLockPaths(nodeFiles, collection)).toEqual([join(root, LOCK_FILE)]);
    expect(fs.readdirSync(root)).toEqual(['products', LOCK_FILE]);
  });

  it('is created empty where VelesDB would create it, and stays when released', () => {
    fs.writeFileSync(join(collection, 'config.json'), '{}');
    const lock = takeDatabaseLock(nodeFiles, collection, findHolder);
    expect(lock.paths).toEqual([join(root, LOCK_FILE)]);
    lock.release();
    expect(fs.statSync(join(root, LOCK_FILE)).size).toBe(0);
  });

  it.skipIf(!posix)('keeps us out while another process holds it, and names that process', async () => {
    fs.writeFileSync(join(root, LOCK_FILE), '');
    const child = await hold(join(root, LOCK_FILE));
    const error = codeOf(() => takeDatabaseLock(nodeFiles, collection, findHolder));
    expect(error.code).toBe('LOCK_HELD');
    expect(error.next).toMatch(/Close the program/);
    if (linux) {
      expect(error.data).toMatchObject({ pid: child.pid, name: 'node' });
      expect(findHolder(join(root, LOCK_FILE))).toEqual({ pid: child.pid, name: 'node' });
    }
    await ended(child);
    takeDatabaseLock(nodeFiles, collection, findHolder).release();
  });

  it.skipIf(!linux)('keeps other processes out while we hold it', () => {
    fs.writeFileSync(join(root, LOCK_FILE), '');
    const lock = takeDatabaseLock(nodeFiles, collection, findHolder);
    const attempt = () => execFileSync('flock', ['-n', join(root, LOCK_FILE), 'true']);
    expect(attempt).toThrow();
    expect(findHolder(join(root, LOCK_FILE))?.pid).toBe(process.pid);
    lock.release();
    expect(attempt).not.toThrow();
    expect(findHolder(join(root, LOCK_FILE))).toBeNull();
  });

  it.skipIf(!posix)('is taken on the log itself too, against a second Velescope', async () => {
    fs.writeFileSync(join(collection, 'payloads.log'), '');
    const child = await hold(join(collection, 'payloads.log'));
    const log = nodeFiles.open(join(collection, 'payloads.log'), 'append');
    expect(codeOf(() => takeLogLock(log, findHolder)).code).toBe('LOCK_HELD');
    await ended(child);
    takeLogLock(log, findHolder);
    log.close();
  });

  it('is refused by name where the lock file is not a file', () => {
    fs.mkdirSync(join(root, LOCK_FILE));
    expect(codeOf(() => takeDatabaseLock(nodeFiles, collection, findHolder)).code).toBe('NOT_A_FILE');
  });

  it('guards files in memory the same way', () => {
    const files = new MemoryFiles();
    files.put('/root/velesdb.lock', new Uint8Array());
    files.makeDirectory('/root/a');
    files.makeDirectory('/root/b');
    const lock = takeDatabaseLock(files, '/root/a', () => null);
    expect(codeOf(() => takeDatabaseLock(files, '/root/b', () => null)).code).toBe('LOCK_HELD');
    lock.release();
    takeDatabaseLock(files, '/root/b', () => ({ pid: 7, name: 'velesdb' }));
    expect(codeOf(() => takeDatabaseLock(files, '/root/a', () => ({ pid: 7, name: 'velesdb' }))).message).toContain(
      'velesdb (process 7)',
    );
  });
});

describe('the table of locks', () => {
  it('is read for held flocks only', () => {
    const table = [
      '1: FLOCK  ADVISORY  WRITE 7866 fe:00:9977987 0 EOF',
      '1: -> FLOCK  ADVISORY  WRITE 7867 fe:00:9977987 0 EOF',
      '2: POSIX  ADVISORY  READ  12 103:05:18446744073709551615 128 128',
      '3: FLOCK  ADVISORY  WRITE 9 103:10a:18446744073709551615 0 EOF',
      '',
    ].join('\n');
    expect(parseLocks(table)).toEqual([
      { pid: 7866, device: 0xfe00n, inode: 9977987n },
      { pid: 9, device: 0x11030an, inode: 18446744073709551615n },
    ]);
  });

  it('is looked at without creating or locking anything', () => {
    expect(findHolder(join(root, 'nothing'))).toBeNull();
    expect(fs.readdirSync(root)).toEqual(['products']);
  });
});

describe('a collection reached through a symbolic link', () => {
  it('is guarded by the database it is named in and by the one it lies in', () => {
    const root = fs.mkdtempSync(join(tmpdir(), 'velescope-lock-'));
    try {
      for (const name of ['named', 'real']) {
        fs.mkdirSync(join(root, name));
        fs.writeFileSync(join(root, name, 'velesdb.lock'), '');
      }
      fs.mkdirSync(join(root, 'real', 'things'));
      fs.symlinkSync(join(root, 'real', 'things'), join(root, 'named', 'things'));
      const paths = databaseLockPaths(nodeFiles, join(root, 'named', 'things'));
      expect(paths.map((path) => fs.realpathSync.native(path))).toEqual(
        ['named', 'real'].map((name) => fs.realpathSync.native(join(root, name, 'velesdb.lock'))),
      );
      expect(databaseLockPaths(nodeFiles, join(root, 'real', 'things'))).toHaveLength(1);
    } finally {
      fs.rmSync(root, { recursive: true, force: true });
    }
  });
});
