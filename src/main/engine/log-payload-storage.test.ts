import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GENERATIONS, VIEWS } from '../../core/generation.ts';
import { goldenCases, goldenPresent } from '../../core/golden.fixture.ts';
import { IdIndex } from '../../core/id-index.ts';
import { canonicalize } from '../../core/json/canonicalize.ts';
import { isAccepted } from '../../core/json/check.ts';
import { LogBuilder } from '../../core/log-builder.fixture.ts';
import type { Retrieved } from '../../core/retrieve.ts';
import { encodeSnapshot } from '../../core/snapshot.ts';
import { runToEnd } from '../../core/steps.ts';
import { VelescopeError } from '../../shared/errors.ts';
import { crc32 } from './crc32.ts';
import { FaultyFiles } from './faulty-files.ts';
import type { Files } from './files.ts';
import {
  type KnownLog,
  LogPayloadStorage,
  type LogPayloadStorageOptions,
  type Operation,
} from './log-payload-storage.ts';
import { MemoryFiles } from './memory-files.ts';

const DIRECTORY = '/root/collection';
const LOG = `${DIRECTORY}/payloads.log`;

function errorOf(action: () => unknown): VelescopeError {
  try {
    action();
  } catch (thrown) {
    if (thrown instanceof VelescopeError) return thrown;
    throw thrown;
  }
  throw new Error('nothing was thrown');
}

function memoryWith(log: Uint8Array | null, snapshot: Uint8Array | null = null): MemoryFiles {
  const files = new MemoryFiles();
  files.makeDirectory(DIRECTORY);
  if (log !== null) files.put(LOG, log);
  if (snapshot !== null) files.put(`${DIRECTORY}/payloads.snapshot`, snapshot);
  files.settle();
  return files;
}

function openMemory(files: MemoryFiles, options: LogPayloadStorageOptions = {}): LogPayloadStorage {
  return LogPayloadStorage.open(DIRECTORY, { files, findHolder: () => null, ...options });
}

function textOf(storage: LogPayloadStorage, id: bigint): string | null {
  const found = storage.retrieve(id);
  if (found === null) return null;
  return found.ok ? new TextDecoder().decode(found.payload) : `error: ${found.error.message}`;
}

const sound = () => new LogBuilder().store(1, '{"a":1}').store(2, '{"b":2}').delete(1).store(3, '{"c":3}');

describe('reading', () => {
  it('gives ids in ascending order and payloads as stored', () => {
    const storage = openMemory(
      memoryWith(
        sound()
          .store(2n ** 64n - 1n, ' {"z":\n1 } ')
          .bytes(),
      ),
    );
    expect([...storage.ids()]).toEqual([2n, 3n, 2n ** 64n - 1n]);
    expect(textOf(storage, 2n ** 64n - 1n)).toBe(' {"z":\n1 } ');
    expect(textOf(storage, 1n)).toBeNull();
    expect(storage.count).toBe(3);
    storage.close();
  });

  it('says of a payload that was cut off since the log was opened that it is gone, and gives what is left', () => {
    const files = memoryWith(sound().bytes());
    const storage = openMemory(files);
    expect(textOf(storage, 3n)).toBe('{"c":3}');
    const log = files.open(LOG, 'append');
    log.truncate(log.size() - 6);
    const found = storage.retrieve(3n)!;
    expect(found).toMatchObject({
      ok: false,
      error: { kind: 'InvalidData', message: 'payload length exceeds file size' },
    });
    expect(!found.ok && found.bytes && new TextDecoder().decode(found.bytes)).toBe('{"c":');
    expect(textOf(storage, 2n)).toBe('{"b":2}');
    storage.close();
  });

  it('treats a missing log as an empty one and creates nothing', () => {
    const files = memoryWith(null);
    const storage = openMemory(files);
    expect([...storage.ids()]).toEqual([]);
    storage.close();
    expect(files.list(DIRECTORY)).toEqual([]);
  });

  it('fails on a directory that is missing or is a file', () => {
    const files = memoryWith(null);
    files.put('/file', new Uint8Array());
    expect(() => LogPayloadStorage.open('/nowhere', { files })).toThrow(/ENOENT/);
    expect(errorOf(() => LogPayloadStorage.open('/file', { files })).code).toBe('NOT_A_DIRECTORY');
    files.makeDirectory('/odd/payloads.log');
    expect(errorOf(() => LogPayloadStorage.open('/odd', { files })).code).toBe('NOT_A_FILE');
  });

  it('has a refusal as a value, and reads as salvage what a generation refuses', () => {
    const log = sound().raw([9, 9, 9, 9, 9, 9, 9, 9, 9, 9]).store(4, '{"d":4}').bytes();
    const storage = openMemory(memoryWith(log), { view: 'v1.17' });
    expect(storage.refusal).toEqual({ kind: 'InvalidData', message: 'Unknown WAL marker' });
    expect(errorOf(() => storage.ids()).code).toBe('LOG_DAMAGED');
    expect(errorOf(() => storage.retrieve(2n)).next).toMatch(/salvage/);
    storage.readAs('salvage');
    expect(storage.refusal).toBeNull();
    expect([...storage.ids()]).toEqual([2n, 3n, 4n]);
    storage.readAs('v3.12');
    expect([...storage.ids()]).toEqual([2n, 3n]);
  });

  it('gives a payload of its own, which nothing later changes', () => {
    const storage = openMemory(memoryWith(null), { writable: true, durability: 'none' });
    storage.store(1n, '"first"');
    const buffered = storage.retrieve(1n);
    storage.sync();
    const written = storage.retrieve(1n);
    for (let id = 2n; id < 500n; id++) {
      storage.store(id, '"later"');
      storage.retrieve(id);
    }
    for (const found of [buffered, written]) {
      expect(found?.ok && new TextDecoder().decode(found.payload)).toBe('"first"');
    }
  });

  it('refuses ids outside u64', () => {
    const storage = openMemory(memoryWith(sound().bytes()), { writable: true });
    for (const id of [-1n, 2n ** 64n]) {
      expect(errorOf(() => storage.retrieve(id)).code).toBe('INVALID_ID');
      expect(errorOf(() => storage.store(id, '1')).code).toBe('INVALID_ID');
      expect(errorOf(() => storage.delete(id)).code).toBe('INVALID_ID');
      expect(errorOf(() => storage.storeBatch([[id, '1']])).code).toBe('INVALID_ID');
    }
  });
});

describe('writing', () => {
  it('stores, overwrites and deletes, and finds it again after opening anew', () => {
    for (const durability of ['fsync', 'flush', 'none'] as const) {
      const files = memoryWith(sound().bytes());
      const storage = openMemory(files, { writable: true, durability });
      const expected = durability === 'none' ? 'accepted' : 'saved';
      expect(storage.store(9n, '{"é":"😀"}')).toBe(expected);
      expect(storage.store(2n, new TextEncoder().encode('[2]'))).toBe(expected);
      expect(storage.delete(3n)).toBe(expected);
      expect(textOf(storage, 9n)).toBe('{"é":"😀"}');
      expect(textOf(storage, 2n)).toBe('[2]');
      expect(textOf(storage, 3n)).toBeNull();
      storage.close();
      const again = openMemory(files);
      expect([...again.ids()]).toEqual([2n, 9n]);
      expect(textOf(again, 2n)).toBe('[2]');
    }
  });

  it('is off until turned on, and takes and gives back the locks', () => {
    const files = memoryWith(sound().bytes());
    files.put('/root/velesdb.lock', new Uint8Array());
    const storage = openMemory(files);
    expect(errorOf(() => storage.store(1n, '1')).code).toBe('WRITING_OFF');
    storage.enableWriting();
    expect(storage.writable).toBe(true);
    const second = openMemory(files, { writable: true });
    expect(second.writingRefusal?.code).toBe('LOCK_HELD');
    expect(errorOf(() => second.store(1n, '1')).code).toBe('LOCK_HELD');
    expect(textOf(second, 3n)).toBe('{"c":3}');
    storage.disableWriting();
    expect(errorOf(() => storage.store(1n, '1')).code).toBe('WRITING_OFF');
    second.enableWriting();
    second.store(1n, '"second"');
    expect(textOf(storage, 1n)).toBeNull();
    second.close();
    storage.enableWriting();
    expect(textOf(storage, 1n)).toBe('"second"');
    storage.close();
  });

  it('creates the log in an existing directory, with its name made durable', () => {
    const files = memoryWith(null);
    const storage = openMemory(files, { writable: true });
    storage.store(1n, '{}');
    for (const state of files.crashStates()) {
      expect(textOf(LogPayloadStorage.open(DIRECTORY, { files: state }), 1n)).toBe('{}');
    }
  });

  it('creates no log where a snapshot speaks for one', () => {
    const files = memoryWith(sound().bytes());
    const before = openMemory(files, { writable: true });
    before.createSnapshot();
    before.close();
    files.unlink(LOG);
    const storage = openMemory(files, { writable: true });
    expect(storage.writingRefusal?.code).toBe('SNAPSHOT_DISAGREES');
    expect(files.list(DIRECTORY).map((entry) => entry.name)).toEqual(['payloads.snapshot']);
    expect(textOf(storage, 2n)).toMatch(/error/);
  });

  it('writes a tombstone also for an absent id', () => {
    const files = memoryWith(null);
    const storage = openMemory(files, { writable: true });
    storage.delete(7n);
    expect(files.readWhole(LOG)).toEqual(new LogBuilder().delete(7).bytes());
  });

  it('refuses payloads VelesDB could not read back, with the reason, and writes nothing', () => {
    const files = memoryWith(sound().bytes());
    const before = files.readWhole(LOG);
    const storage = openMemory(files, { writable: true });
    const refused: [string | Uint8Array, RegExp][] = [
      ['{"a":}', /expected value at line 1 column 6/],
      ['', /EOF while parsing a value/],
      ['1e999', /number out of range/],
      // Refused up to 7.x only, and from 8.0 on only.
      ['1.7976931348623158e308', /number out of range/],
      ['179769313486231581e291', /number out of range/],
      ['["\\ud800"]', /surrogate|escape/],
      ['["\ud800"]', /half of a surrogate pair, at character 2/],
      ['['.repeat(128) + ']'.repeat(128), /recursion limit/],
      [Uint8Array.of(0x22, 0xff, 0x22), /unicode/],
      [Uint8Array.of(0xef, 0xbb, 0xbf, 0x31), /expected value/],
    ];
    for (const [payload, reason] of refused) {
      const error = errorOf(() => storage.store(2n, payload));
      expect(error.code).toBe('PAYLOAD_REFUSED');
      expect(error.message).toMatch(reason);
      const inBatch = errorOf(() =>
        storage.storeBatch([
          [5n, '1'],
          [6n, payload],
        ]),
      );
      expect(inBatch.data).toMatchObject({ entry: 1 });
    }
    expect(files.readWhole(LOG)).toEqual(before);
    expect(textOf(storage, 2n)).toBe('{"b":2}');
    expect(storage.retrieve(5n)).toBeNull();
  });

  it('is refused behind damage with the offer of the repair, while reading goes on', () => {
    const log = sound().bytes();
    const files = memoryWith(log.subarray(0, log.length - 2));
    const storage = openMemory(files, { writable: true });
    expect(storage.writable).toBe(false);
    for (const write of [
      () => storage.store(1n, '1'),
      () => storage.delete(1n),
      () => storage.createSnapshot(),
      () => storage.apply([{ type: 'delete', id: 1n }]),
    ]) {
      const error = errorOf(write);
      expect(error.code).toBe('LOG_DAMAGED');
      expect(error.next).toMatch(/Repair/);
    }
    expect(textOf(storage, 2n)).toBe('{"b":2}');
    expect(files.readWhole(LOG).length).toBe(log.length - 2);
  });

  it('refuses to read as written what changed in between, and reads it anew when writing is turned on', () => {
    const files = memoryWith(sound().bytes());
    const storage = openMemory(files);
    files.put(LOG, new LogBuilder().store(8, '[8]').bytes());
    storage.enableWriting();
    expect([...storage.ids()]).toEqual([8n]);
    storage.close();
  });

  it('in a batch happens in order, all or nothing, with one sync', () => {
    const memory = memoryWith(sound().bytes());
    const files = new FaultyFiles(memory);
    const storage = LogPayloadStorage.open(DIRECTORY, { files, writable: true, findHolder: () => null });
    const from = files.calls.length;
    const operations: Operation[] = [
      { type: 'store', id: 5n, payload: '5' },
      { type: 'delete', id: 5n },
      { type: 'delete', id: 2n },
      { type: 'store', id: 2n, payload: '"again"' },
    ];
    expect(storage.apply(operations)).toBe('saved');
    expect(files.calls.slice(from).filter((call) => call.kind === 'sync').length).toBe(1);
    expect([...storage.ids()]).toEqual([2n, 3n]);
    expect(textOf(storage, 2n)).toBe('"again"');
    expect(storage.storeBatch([])).toBe('saved');
    memory.capacity = memory.used() + 20;
    expect(
      errorOf(() =>
        storage.storeBatch([
          [10n, '1'],
          [11n, '2'],
          [3n, '3'],
        ]),
      ).code,
    ).toBe('DISK_FULL');
    expect([...storage.ids()]).toEqual([2n, 3n]);
    expect(textOf(storage, 3n)).toBe('{"c":3}');
  });

  it('of a batch larger than the buffer is checked whole before the first byte', () => {
    const files = memoryWith(null);
    const storage = openMemory(files, { writable: true });
    const entries: [bigint, string][] = Array.from({ length: 700 }, (_, id) => [BigInt(id), `"${'x'.repeat(10_000)}"`]);
    entries[699] = [699n, '"unfinished'];
    expect(errorOf(() => storage.storeBatch(entries)).data).toMatchObject({ entry: 699 });
    expect(files.readWhole(LOG).length).toBe(0);
    entries[699] = [699n, '"finished"'];
    storage.storeBatch(entries);
    expect(storage.count).toBe(700);
    expect(textOf(storage, 699n)).toBe('"finished"');
    expect(textOf(storage, 350n)?.length).toBe(10_002);
  });

  it('agrees with a map, whatever is done in whatever order', () => {
    const id = fc.bigInt({ min: 0n, max: 6n });
    const action = fc.oneof(
      fc.record({ type: fc.constant('store' as const), id, payload: fc.json() }),
      fc.record({ type: fc.constant('delete' as const), id }),
      fc.record({ type: fc.constant('reopen' as const) }),
      fc.record({ type: fc.constant('snapshot' as const) }),
      fc.record({ type: fc.constant('readAs' as const), view: fc.constantFrom(...VIEWS) }),
    );
    fc.assert(
      fc.property(
        fc.array(action, { maxLength: 40 }),
        fc.constantFrom('fsync', 'flush', 'none'),
        (actions, durability) => {
          const files = memoryWith(null);
          const model = new Map<bigint, string>();
          const options = { writable: true, durability, automaticSnapshotBytes: 150 } as const;
          let storage = openMemory(files, options);
          for (const step of actions) {
            if (step.type === 'store') {
              storage.store(step.id, step.payload);
              model.set(step.id, step.payload);
            } else if (step.type === 'delete') {
              storage.delete(step.id);
              model.delete(step.id);
            } else if (step.type === 'snapshot') storage.createSnapshot();
            else if (step.type === 'readAs') storage.readAs(step.view);
            else {
              storage.close();
              storage = openMemory(files, options);
            }
            expect([...storage.ids()]).toEqual([...model.keys()].sort((a, b) => (a < b ? -1 : 1)));
            for (const [key, value] of model) expect(textOf(storage, key)).toBe(value);
          }
          storage.close();
          for (const view of VIEWS) expect([...openMemory(files, { view }).ids()].length).toBe(model.size);
        },
      ),
      { numRuns: 150 },
    );
  });
});

describe('turning writing on with what is known of the log', () => {
  /** What a session would hand over, having read the files as they are now. */
  function knownOf(files: MemoryFiles): KnownLog {
    const log = files.status(LOG);
    const snapshotPath = `${DIRECTORY}/payloads.snapshot`;
    const storage = openMemory(files);
    const { snapshot } = storage;
    storage.close();
    return {
      log,
      snapshot: snapshot.state === 'valid' ? { ...snapshot, status: files.status(snapshotPath) } : null,
      *index() {
        yield { done: 0, total: 1 };
        const index = new IdIndex();
        index.set(2, 0, sound().offsets[1]! + 9);
        index.set(3, 0, sound().offsets[3]! + 9);
        return index;
      },
    };
  }
  const begin = (files: Files, known: KnownLog | null) =>
    LogPayloadStorage.openForWriting(DIRECTORY, { files, findHolder: () => null }, known);
  const readsOf = (files: FaultyFiles) =>
    files.calls.filter((call) => call.kind === 'read' && call.path === LOG).length;

  it('reads nothing of it again, and knows what is in it', () => {
    for (const withSnapshot of [false, true]) {
      const memory = memoryWith(sound().bytes());
      if (withSnapshot) {
        const writer = openMemory(memory, { writable: true });
        writer.createSnapshot();
        writer.close();
      }
      const known = knownOf(memory);
      const files = new FaultyFiles(memory);
      const storage = runToEnd(begin(files, known));
      expect(files.calls.filter((call) => call.kind === 'read' || call.kind === 'readWhole')).toEqual([]);
      expect([storage.writable, storage.count, storage.snapshot.state]).toEqual([
        true,
        2,
        withSnapshot ? 'valid' : 'absent',
      ]);
      storage.store(9n, '{"nine":9}');
      expect([textOf(storage, 2n), textOf(storage, 1n), textOf(storage, 9n)]).toEqual(['{"b":2}', null, '{"nine":9}']);
      storage.createSnapshot();
      storage.close();
      const again = openMemory(memory, { writable: true });
      expect(again.writingRefusal).toBeNull();
      expect([...again.ids()]).toEqual([2n, 3n, 9n]);
      again.close();
    }
  });

  it('reads all of it where anything was written since, were it of the same length', () => {
    const changes: [string, (files: MemoryFiles) => void, string[] | 'LOG_DAMAGED' | 'SNAPSHOT_DISAGREES'][] = [
      ['overwritten', (files) => overwriteAt(files, 0, 0x77), 'LOG_DAMAGED'],
      ['grown', (files) => appendAll(files, new LogBuilder().store(4).bytes()), ['2', '3', '4']],
      ['cut', (files) => files.open(LOG, 'append').truncate(sound().offsets[3]!), ['2']],
      ['replaced', (files) => replaceBy(files, new LogBuilder().store(8).bytes()), ['8']],
      [
        'a snapshot of another log',
        (files) => files.put(`${DIRECTORY}/payloads.snapshot`, otherSnapshot),
        'SNAPSHOT_DISAGREES',
      ],
    ];
    for (const [what, change, expected] of changes) {
      const memory = memoryWith(sound().bytes());
      const known = knownOf(memory);
      change(memory);
      const files = new FaultyFiles(memory);
      if (typeof expected === 'string') {
        expect(errorOf(() => runToEnd(begin(files, known))).code, what).toBe(expected);
        continue;
      }
      const storage = runToEnd(begin(files, known));
      expect(readsOf(files), what).toBeGreaterThan(0);
      expect([...storage.ids()].map(String), what).toEqual(expected);
      storage.close();
    }
  });

  it('reads all of it where it was written to while the index was built', () => {
    const memory = memoryWith(sound().bytes());
    const steps = begin(memory, knownOf(memory));
    expect(steps.next().done).toBe(false);
    overwriteAt(memory, 0, 0x77);
    expect(errorOf(() => runToEnd(steps)).code).toBe('LOG_DAMAGED');
  });

  it('given up in the middle leaves nothing locked and nothing open', () => {
    const memory = memoryWith(sound().bytes());
    const steps = begin(memory, knownOf(memory));
    expect(steps.next().done).toBe(false);
    expect(openMemory(memory, { writable: true }).writingRefusal?.code).toBe('LOCK_HELD');
    steps.return(undefined as never);
    const storage = openMemory(memory, { writable: true });
    expect(storage.writingRefusal).toBeNull();
    storage.close();
  });

  const otherSnapshot = encodeSnapshot(sound().offsets[1]!, new IdIndex(), crc32);

  function overwriteAt(files: MemoryFiles, at: number, byte: number): void {
    const file = files.open(LOG, 'overwrite');
    file.overwrite(Uint8Array.of(byte), 0, 1, at);
    file.close();
  }

  function appendAll(files: MemoryFiles, bytes: Uint8Array): void {
    const file = files.open(LOG, 'append');
    file.append(bytes, 0, bytes.length);
    file.close();
  }

  function replaceBy(files: MemoryFiles, bytes: Uint8Array): void {
    files.unlink(LOG);
    files.put(LOG, bytes);
  }
});

describe('snapshots', () => {
  it('cover the log up to their position and are used at the next opening', () => {
    const files = memoryWith(sound().bytes());
    const storage = openMemory(files, { writable: true });
    storage.createSnapshot();
    expect(storage.snapshot).toMatchObject({ state: 'valid', walPosition: BigInt(storage.logLength), entries: 2 });
    storage.store(9n, '9');
    storage.close();
    const again = openMemory(files);
    expect(again.usedSnapshot).toBe(true);
    expect([...again.ids()]).toEqual([2n, 3n, 9n]);
  });

  it('come by themselves once the log has grown far enough, and not before', () => {
    const files = memoryWith(null);
    const storage = openMemory(files, { writable: true, automaticSnapshotBytes: 100 });
    storage.store(1n, `"${'x'.repeat(78)}"`);
    expect(storage.shouldCreateSnapshot()).toBe(false);
    expect(storage.snapshot.state).toBe('absent');
    storage.delete(2n);
    expect(storage.snapshot).toMatchObject({ state: 'valid', walPosition: 110n });
    expect(storage.shouldCreateSnapshot()).toBe(false);
  });

  it('come at 10 MiB unless told otherwise', () => {
    const storage = openMemory(memoryWith(null), { writable: true, durability: 'flush' });
    storage.store(1n, `"${'x'.repeat(10_485_760 - 20)}"`);
    expect(storage.snapshot.state).toBe('absent');
    storage.store(2n, '1');
    expect(storage.snapshot.state).toBe('valid');
  });

  it('that fail are reported, cost nothing, and are tried again at the next write', () => {
    const memory = memoryWith(null);
    let failing = true;
    const files = new FaultyFiles(memory, (call) =>
      failing && call.kind === 'rename' ? { type: 'error', code: 'ENOSPC' } : null,
    );
    const warnings: VelescopeError[] = [];
    const storage = LogPayloadStorage.open(DIRECTORY, {
      files,
      writable: true,
      findHolder: () => null,
      automaticSnapshotBytes: 10,
      onWarning: (warning) => warnings.push(warning),
    });
    expect(storage.store(1n, '1')).toBe('saved');
    expect(warnings.map((warning) => warning.code)).toEqual(['DISK_FULL']);
    failing = false;
    storage.store(2n, '2');
    expect(warnings.length).toBe(1);
    expect(storage.snapshot).toMatchObject({ state: 'valid', entries: 2 });
  });

  it('hold what every generation would replay, also when the log is read as salvage', () => {
    const log = new LogBuilder().store(1, '1').legacyStore(2, 'not json').bytes();
    const files = memoryWith(log);
    const storage = openMemory(files, { writable: true, view: 'salvage' });
    expect([...storage.ids()]).toEqual([1n]);
    storage.store(3n, '3');
    storage.createSnapshot();
    expect(storage.snapshot).toMatchObject({ entries: 3 });
    storage.close();
    expect(openMemory(files, { writable: true }).writable).toBe(true);
  });
});

describe('durability', () => {
  it('can be changed while writing is on; what was only accepted is made durable first', () => {
    const files = memoryWith(new Uint8Array());
    const storage = openMemory(files, { writable: true, durability: 'none' });
    expect(storage.store(1n, '{"a":1}')).toBe('accepted');
    storage.setDurability('fsync');
    expect([storage.durability, storage.acceptedBytes, files.status(LOG).size]).toEqual(['fsync', 0, 24]);
    expect(storage.store(2n, '{"b":2}')).toBe('saved');
    storage.setDurability('none');
    expect(storage.store(3n, '{"c":3}')).toBe('accepted');
    storage.close();
  });

  it('stays what it was where what was accepted cannot be made durable', () => {
    let fails = false;
    const faulty = new FaultyFiles(memoryWith(new Uint8Array()), (call) =>
      fails && call.kind === 'append' ? { type: 'error', code: 'ENOSPC' } : null,
    );
    const storage = LogPayloadStorage.open(DIRECTORY, {
      files: faulty,
      findHolder: () => null,
      writable: true,
      durability: 'none',
    });
    storage.store(1n, '{"a":1}');
    fails = true;
    expect(errorOf(() => storage.setDurability('fsync')).code).toBe('DISK_FULL');
    expect([storage.durability, storage.acceptedBytes]).toEqual(['none', 24]);
    fails = false;
    storage.setDurability('fsync');
    expect(storage.acceptedBytes).toBe(0);
    storage.close();
  });

  it('fsync: what was acknowledged is there after any crash', () => {
    const files = memoryWith(sound().bytes());
    const storage = openMemory(files, { writable: true });
    storage.store(9n, '9');
    storage.delete(3n);
    for (const state of files.crashStates()) {
      expect([...openMemory(state).ids()]).toEqual([2n, 9n]);
    }
  });

  it('flush: what was acknowledged is in the file', () => {
    const files = memoryWith(null);
    const storage = openMemory(files, { writable: true, durability: 'flush' });
    storage.store(1n, '1');
    expect(textOf(openMemory(files), 1n)).toBe('1');
  });

  it('none: accepted records reach the file when the buffer fills, and by sync, snapshot and close, not by flush', () => {
    const files = memoryWith(null);
    const storage = openMemory(files, { writable: true, durability: 'none' });
    storage.store(1n, '1');
    storage.flush();
    expect(files.readWhole(LOG).length).toBe(0);
    expect(storage.acceptedBytes).toBe(18);
    storage.sync();
    expect(files.readWhole(LOG).length).toBe(18);
    storage.store(2n, '2');
    storage.createSnapshot();
    expect(files.readWhole(LOG).length).toBe(36);
    storage.store(3n, '3');
    storage.close();
    expect(files.readWhole(LOG).length).toBe(54);
  });

  it('none: closing says so when accepted records cannot be written', () => {
    const files = memoryWith(null);
    const storage = openMemory(files, { writable: true, durability: 'none' });
    storage.store(1n, '1');
    files.capacity = 0;
    expect(errorOf(() => storage.disableWriting()).code).toBe('DISK_FULL');
    expect([...storage.ids()]).toEqual([]);
    storage.close();
  });
});

describe.skipIf(!goldenPresent)('the golden cases', () => {
  const cases = goldenCases();

  for (const golden of cases) {
    it(`${golden.name}: opens in every view as the real engines did, and leaves the files alone`, () => {
      const before = fingerprint(golden.directory);
      for (const generation of GENERATIONS) {
        const storage = LogPayloadStorage.open(golden.directory, { view: generation });
        const expected = golden.answers[generation];
        if (expected.replay.ok) {
          expect(storage.refusal).toBeNull();
          expect([...storage.ids()].map((id) => [String(id), String(storage.offsetOf(id))])).toEqual(
            expected.replay.index,
          );
          for (const line of expected.dump) {
            const found = storage.retrieve(BigInt(line.id))!;
            if ('error' in line) expect(found).toMatchObject({ ok: false, error: line.error });
            // The engines answer with what they parsed, printed again.
            else expect(canonicalText(found)).toBe(line.payload_text);
          }
        } else {
          expect(storage.refusal).toEqual({ kind: expected.replay.kind, message: expected.replay.message });
        }
        storage.close();
      }
      LogPayloadStorage.open(golden.directory, { view: 'salvage' }).close();
      expect(fingerprint(golden.directory)).toEqual(before);
    });
  }

  let copy: string;
  beforeEach(() => {
    copy = fs.mkdtempSync(join(tmpdir(), 'velescope-golden-'));
  });
  afterEach(() => fs.rmSync(copy, { recursive: true }));

  it('rebuilt from their operations are byte for byte the same logs', () => {
    let rebuilt = 0;
    for (const golden of cases) {
      const operations = golden.name.startsWith('ok_') ? operationsOf(golden.log) : null;
      if (operations === null) continue;
      for (const durability of ['fsync', 'flush', 'none'] as const) {
        const directory = join(copy, `${golden.name}-${durability}`);
        fs.mkdirSync(directory);
        const storage = LogPayloadStorage.open(directory, { writable: true, durability });
        for (const operation of operations) {
          if (operation.type === 'store') storage.store(operation.id, operation.payload);
          else storage.delete(operation.id);
        }
        storage.close();
        expect(Buffer.compare(fs.readFileSync(join(directory, 'payloads.log')), golden.log)).toBe(0);
      }
      rebuilt++;
    }
    expect(rebuilt).toBeGreaterThanOrEqual(10);
  });
});

function canonicalText(found: Retrieved): string {
  if (!found.ok) return `error: ${found.error.message}`;
  const canonical = canonicalize(found.payload);
  return canonical.ok ? new TextDecoder().decode(canonical.bytes) : `refused: ${canonical.check.message}`;
}

function fingerprint(directory: string): string[] {
  return fs.readdirSync(directory).map((name) => {
    const path = join(directory, name);
    return `${name} ${fs.statSync(path).mtimeMs} ${createHash('sha256').update(fs.readFileSync(path)).digest('hex')}`;
  });
}

/** The operations a log of intact CRC records with readable payloads was written by, or null for any other log. */
function operationsOf(log: Uint8Array): Operation[] | null {
  const view = new DataView(log.buffer, log.byteOffset, log.length);
  const operations: Operation[] = [];
  for (let at = 0; at < log.length; ) {
    const id = view.getBigUint64(at + 1, true);
    if (log[at] === 0xc4) {
      operations.push({ type: 'delete', id });
      at += 13;
    } else if (log[at] === 0xc3) {
      const length = view.getUint32(at + 9, true);
      const payload = log.slice(at + 13, at + 13 + length);
      if (!isAccepted(payload)) return null;
      operations.push({ type: 'store', id, payload });
      at += 17 + length;
    } else return null;
  }
  return operations;
}
