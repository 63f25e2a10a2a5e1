import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toErrorValue } from '../../shared/errors.ts';
import { type CallKind, FaultyFiles } from './faulty-files.ts';
import { LogPayloadStorage } from './log-payload-storage.ts';
import { nodeFiles } from './node-files.ts';

/** What other programs and people may do to a collection while it is open, or have done before: on real files. */

let root: string;
let collection: string;
let log: string;

beforeEach(() => {
  root = fs.mkdtempSync(join(tmpdir(), 'velescope-hands-'));
  collection = join(root, 'products');
  log = join(collection, 'payloads.log');
  fs.mkdirSync(collection);
  fs.writeFileSync(join(collection, 'config.json'), '{}');
});
afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

function withRecords(): LogPayloadStorage {
  const storage = LogPayloadStorage.open(collection, { writable: true });
  storage.store(1n, '"one"');
  storage.store(2n, '"two"');
  return storage;
}

function errorOf(action: () => unknown) {
  try {
    action();
  } catch (thrown) {
    return toErrorValue(thrown);
  }
  throw new Error('nothing was thrown');
}

const idsOf = (directory: string) => {
  const storage = LogPayloadStorage.open(directory);
  const ids = [...storage.ids()];
  storage.close();
  return ids;
};

/** The next look at the path is not due before a millisecond has passed; in `fsync` it is made before every write. */
const refusedWrites = (storage: LogPayloadStorage) => {
  const codes = new Set<string>();
  for (const write of [
    () => storage.store(3n, '3'),
    () => storage.delete(1n),
    () => storage.storeBatch([[3n, '3']]),
    () => storage.createSnapshot(),
  ]) {
    codes.add(errorOf(write).code);
  }
  return [...codes];
};

describe('the log, while it is open for writing,', () => {
  it('grew: nothing is written, and what the other one wrote stays', () => {
    const storage = withRecords();
    fs.appendFileSync(log, Buffer.from('0102000000000000000', 'hex'));
    const size = fs.statSync(log).size;
    expect(refusedWrites(storage)).toEqual(['LOG_GREW']);
    expect(fs.statSync(log).size).toBe(size);
    expect(storage.retrieve(1n)?.ok).toBe(true);
    storage.close();
  });

  it('shrank: nothing is written', () => {
    const storage = withRecords();
    fs.truncateSync(log, 22);
    expect(refusedWrites(storage)).toEqual(['LOG_SHRANK']);
    expect(fs.statSync(log).size).toBe(22);
    storage.close();
  });

  it('was replaced by another file: neither is written to', () => {
    const storage = withRecords();
    const before = fs.readFileSync(log);
    fs.renameSync(log, `${log}.old`);
    fs.writeFileSync(log, before);
    expect(refusedWrites(storage)).toEqual(['LOG_REPLACED']);
    expect(fs.readFileSync(log)).toEqual(before);
    expect(fs.readFileSync(`${log}.old`)).toEqual(before);
    storage.close();
  });

  it('was renamed over or removed: nothing is written', () => {
    const storage = withRecords();
    fs.writeFileSync(join(collection, 'other'), fs.readFileSync(log));
    fs.renameSync(join(collection, 'other'), log);
    expect(refusedWrites(storage)).toEqual(['LOG_REPLACED']);
    fs.rmSync(log);
    expect(refusedWrites(storage)).toEqual(['LOG_REPLACED']);
    expect(fs.existsSync(log)).toBe(false);
    storage.close();
  });

  it('went with its directory: said so, and reading what is open goes on', () => {
    const storage = withRecords();
    fs.rmSync(collection, { recursive: true });
    const error = errorOf(() => storage.store(3n, '3'));
    expect(error.code).toBe('LOG_REPLACED');
    expect(error.message).toMatch(/directory is gone/);
    expect(storage.retrieve(1n)?.ok).toBe(true);
    storage.close();
    expect(errorOf(() => LogPayloadStorage.open(collection)).code).toBe('NOT_FOUND');
  });
});

describe('the log, before it is opened,', () => {
  it('may be a symbolic link: followed, and written through', () => {
    const elsewhere = join(root, 'elsewhere');
    fs.symlinkSync(elsewhere, log);
    fs.writeFileSync(elsewhere, '');
    const storage = withRecords();
    storage.close();
    expect(fs.lstatSync(log).isSymbolicLink()).toBe(true);
    expect(idsOf(collection)).toEqual([1n, 2n]);
    expect(fs.statSync(elsewhere).size).toBeGreaterThan(0);
  });

  it('may be a directory: refused by name', () => {
    fs.mkdirSync(log);
    expect(errorOf(() => LogPayloadStorage.open(collection))).toMatchObject({
      code: 'NOT_A_FILE',
      data: { kind: 'directory' },
    });
    expect(errorOf(() => LogPayloadStorage.open(collection, { writable: true })).code).toBe('NOT_A_FILE');
  });

  it.skipIf(process.platform === 'win32')('may be a named pipe or a device: refused at once, never waited for', () => {
    execFileSync('mkfifo', [log]);
    for (const writable of [false, true]) {
      expect(errorOf(() => LogPayloadStorage.open(collection, { writable }))).toMatchObject({
        code: 'NOT_A_FILE',
        data: { kind: 'fifo' },
      });
    }
    fs.rmSync(log);
    fs.symlinkSync('/dev/zero', log);
    for (const writable of [false, true]) {
      expect(errorOf(() => LogPayloadStorage.open(collection, { writable }))).toMatchObject({
        code: 'NOT_A_FILE',
        data: { kind: 'device' },
      });
    }
  });

  it.skipIf(process.platform === 'win32')('may be a socket: refused by name', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(log, resolve));
    expect(errorOf(() => LogPayloadStorage.open(collection))).toMatchObject({
      code: 'NOT_A_FILE',
      data: { kind: 'socket' },
    });
    await new Promise((resolve) => server.close(resolve));
  });

  it('may have a snapshot beside it that is no file: ignored for reading, as VelesDB does', () => {
    withRecords().close();
    fs.mkdirSync(join(collection, 'payloads.snapshot'));
    const storage = LogPayloadStorage.open(collection);
    expect(storage.snapshot.state).toBe('invalid');
    expect([...storage.ids()]).toEqual([1n, 2n]);
    storage.close();
  });
});

describe('two on one collection', () => {
  it('read together, and only one writes', () => {
    const first = withRecords();
    const second = LogPayloadStorage.open(collection, { writable: true });
    expect(second.writingRefusal?.code).toBe('LOCK_HELD');
    expect([...second.ids()]).toEqual([1n, 2n]);
    first.store(3n, '3');
    expect([...second.ids()]).toEqual([1n, 2n]);
    second.reload();
    expect([...second.ids()]).toEqual([1n, 2n, 3n]);
    first.close();
    second.enableWriting();
    second.store(4n, '4');
    second.close();
    expect(idsOf(collection)).toEqual([1n, 2n, 3n, 4n]);
  });

  it('of one database keep each other out, as VelesDB would', () => {
    const first = withRecords();
    const sibling = join(root, 'sibling');
    fs.mkdirSync(sibling);
    const second = LogPayloadStorage.open(sibling, { writable: true });
    expect(second.writingRefusal?.code).toBe('LOCK_HELD');
    expect(fs.readdirSync(sibling)).toEqual([]);
    first.close();
  });
});

describe('a file system that refuses', () => {
  const failing = (kinds: CallKind[], code: string, pathEnd = '') =>
    new FaultyFiles(nodeFiles, (call) =>
      kinds.includes(call.kind) && call.path.endsWith(pathEnd) && call.detail !== 'read'
        ? { type: 'error', code }
        : null,
    );
  const expected: [string, string][] = [
    ['EACCES', 'PERMISSION_DENIED'],
    ['EROFS', 'READ_ONLY'],
    ['ENOSPC', 'DISK_FULL'],
    ['EIO', 'IO_ERROR'],
  ];

  for (const [system, code] of expected) {
    it(`to open the log for writing (${system}) leaves it readable and says ${code}`, () => {
      withRecords().close();
      const files = failing(['open'], system, 'payloads.log');
      const storage = LogPayloadStorage.open(collection, { files, writable: true });
      expect(storage.writingRefusal?.code).toBe(code);
      expect(errorOf(() => storage.store(3n, '3')).code).toBe(code);
      expect([...storage.ids()]).toEqual([1n, 2n]);
      storage.close();
    });

    it(`to open the lock file (${system}) leaves the collection readable and says ${code}`, () => {
      withRecords().close();
      const storage = LogPayloadStorage.open(collection, { files: failing(['open'], system, '.lock'), writable: true });
      expect(storage.writingRefusal?.code).toBe(code);
      expect([...storage.ids()]).toEqual([1n, 2n]);
      storage.close();
    });
  }

  it('the lock is no reason to fail while looking', () => {
    withRecords().close();
    const files = failing(['tryLock'], 'ENOLCK');
    expect(LogPayloadStorage.open(collection, { files }).count).toBe(2);
    const storage = LogPayloadStorage.open(collection, { files, writable: true });
    expect(storage.writable).toBe(false);
    expect(storage.count).toBe(2);
    storage.close();
  });

  it('room for a snapshot keeps the old one and every record', () => {
    const first = withRecords();
    first.createSnapshot();
    first.close();
    const before = fs.readFileSync(join(collection, 'payloads.snapshot'));
    const files = failing(['append'], 'ENOSPC', '.tmp');
    const storage = LogPayloadStorage.open(collection, { files, writable: true });
    storage.store(3n, '3');
    expect(errorOf(() => storage.createSnapshot()).code).toBe('DISK_FULL');
    expect(fs.readFileSync(join(collection, 'payloads.snapshot'))).toEqual(before);
    expect(fs.readdirSync(collection).sort()).toEqual(['config.json', 'payloads.log', 'payloads.snapshot']);
    storage.store(4n, '4');
    storage.close();
    expect(idsOf(collection)).toEqual([1n, 2n, 3n, 4n]);
  });
});
