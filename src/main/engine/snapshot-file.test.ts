import { describe, expect, it } from 'vitest';
import { IdIndex } from '../../core/id-index.ts';
import { encodeSnapshot } from '../../core/snapshot.ts';
import { crc32 } from './crc32.ts';
import { type Fault, FaultyFiles } from './faulty-files.ts';
import { statusOrNull } from './files.ts';
import { MemoryFiles } from './memory-files.ts';
import { loadSnapshot, writeSnapshot } from './snapshot-file.ts';

function snapshotBytes(position: number, ids: number): Uint8Array {
  const index = new IdIndex();
  for (let id = 1; id <= ids; id++) index.set(id, 0, id * 30 + 9);
  return encodeSnapshot(position, index, crc32);
}

function withOld(): MemoryFiles {
  const files = new MemoryFiles();
  files.put('/c/payloads.snapshot', snapshotBytes(100, 1));
  return files;
}

const positionIn = (files: MemoryFiles) => {
  const loaded = loadSnapshot(files, '/c');
  return loaded.state === 'valid' ? Number(loaded.snapshot.walPosition) : loaded.state;
};

describe('the snapshot file', () => {
  it('is absent, valid, or invalid with the reason VelesDB has', () => {
    const files = new MemoryFiles();
    files.makeDirectory('/c');
    expect(loadSnapshot(files, '/c')).toEqual({ state: 'absent' });
    writeSnapshot(files, '/c', snapshotBytes(77, 3));
    expect(loadSnapshot(files, '/c')).toMatchObject({ state: 'valid', bytes: 25 + 48 });
    const broken = snapshotBytes(77, 3);
    broken[30]! ^= 1;
    files.put('/c/payloads.snapshot', broken);
    expect(loadSnapshot(files, '/c')).toMatchObject({ state: 'invalid', error: { message: 'CRC mismatch' } });
  });

  it('is ignored where its name is taken by a directory, and unreadable where reading fails', () => {
    const files = new MemoryFiles();
    files.makeDirectory('/c/payloads.snapshot');
    expect(loadSnapshot(files, '/c').state).toBe('invalid');
    const faulty = new FaultyFiles(withOld(), (call) =>
      call.kind === 'open' ? { type: 'error', code: 'EACCES' } : null,
    );
    expect(loadSnapshot(faulty, '/c').state).toBe('unreadable');
  });

  it('is replaced over a left-over temporary file, which is gone afterwards', () => {
    const files = withOld();
    files.put('/c/payloads.snapshot.tmp', Uint8Array.of(1, 2, 3));
    writeSnapshot(files, '/c', snapshotBytes(200, 2));
    expect(positionIn(files)).toBe(200);
    expect(statusOrNull(files, '/c/payloads.snapshot.tmp')).toBeNull();
  });

  it('is the old or the new one, whole, at every crash', () => {
    const calls = new FaultyFiles(withOld());
    writeSnapshot(calls, '/c', snapshotBytes(200, 2));
    for (let crash = 0; crash <= calls.calls.length; crash++) {
      const memory = withOld();
      const faulty = new FaultyFiles(memory, (call) => (call.index === crash ? { type: 'crash' } : null));
      let returned = false;
      try {
        writeSnapshot(faulty, '/c', snapshotBytes(200, 2));
        returned = true;
      } catch {
        // The power is gone.
      }
      for (const state of memory.crashStates()) expect(returned ? [200] : [100, 200]).toContain(positionIn(state));
    }
  });

  it('stays the old one when any call before the rename fails, and leaves nothing behind', () => {
    const calls = new FaultyFiles(withOld());
    writeSnapshot(calls, '/c', snapshotBytes(200, 2));
    const rename = calls.calls.findIndex((call) => call.kind === 'rename');
    for (let at = 1; at <= rename; at++) {
      const memory = withOld();
      const fault: Fault = { type: 'error', code: 'ENOSPC' };
      const faulty = new FaultyFiles(memory, (call) => (call.index === at ? fault : null));
      expect(() => writeSnapshot(faulty, '/c', snapshotBytes(200, 2))).toThrow(/ENOSPC/);
      expect(positionIn(memory)).toBe(100);
      expect(memory.list('/c').map((entry) => entry.name)).toEqual(['payloads.snapshot']);
    }
  });

  it('is not put in place when the disk gives back something else', () => {
    const memory = withOld();
    const calls: string[] = [];
    const lying = new Proxy(memory, {
      get(target, name) {
        if (name !== 'readWhole') return Reflect.get(target, name).bind(target);
        return (path: string) => {
          calls.push(path);
          const bytes = target.readWhole(path);
          bytes[10]! ^= 1;
          return bytes;
        };
      },
    });
    expect(() => writeSnapshot(lying, '/c', snapshotBytes(200, 2))).toThrow(/does not hold/);
    expect(calls).toEqual(['/c/payloads.snapshot.tmp']);
    expect(positionIn(memory)).toBe(100);
  });
});
