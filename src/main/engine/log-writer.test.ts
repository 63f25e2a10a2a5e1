import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeDelete, encodeStore } from '../../core/record.ts';
import { VelescopeError } from '../../shared/errors.ts';
import { crc32 } from './crc32.ts';
import { type Call, type Fault, FaultyFiles } from './faulty-files.ts';
import { appendFully } from './files.ts';
import { boundOfStore, CHUNK_SIZE, type Durability, LogWriter } from './log-writer.ts';
import { MemoryFiles } from './memory-files.ts';

const LOG = '/c/payloads.log';
const text = (value: string) => new TextEncoder().encode(value);

function setUp(durability: Durability, faultFor: (call: Call) => Fault | null = () => null) {
  const memory = new MemoryFiles();
  memory.put(LOG, new Uint8Array());
  const files = new FaultyFiles(memory, faultFor);
  const file = files.open(LOG, 'append');
  const writer = new LogWriter({ files, file, length: 0, durability });
  const store = (id: number, payload: string | Uint8Array) => {
    writer.begin(boundOfStore(payload));
    try {
      writer.putStore(id, 0, payload);
    } catch (thrown) {
      writer.discard();
      throw thrown;
    }
    return writer.commit();
  };
  const kindsSince = (from: number) => files.calls.slice(from).map((call) => call.kind);
  return { memory, files, file, writer, store, log: () => memory.readWhole(LOG), kindsSince };
}

function errorOf(action: () => unknown): VelescopeError {
  try {
    action();
  } catch (thrown) {
    if (thrown instanceof VelescopeError) return thrown;
    throw thrown;
  }
  throw new Error('nothing was thrown');
}

describe('what is written', () => {
  it('is, for any records and every durability, what the core encodes', () => {
    const operation = fc.oneof(
      fc.record({
        id: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        payload: fc.string({ unit: 'binary', maxLength: 300 }),
      }),
      fc.record({ id: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) }),
      fc.record({ id: fc.constant(5n), payload: fc.uint8Array({ minLength: 8000, maxLength: 9000 }) }),
    );
    for (const durability of ['fsync', 'flush', 'none'] as const) {
      fc.assert(
        fc.property(fc.array(operation, { maxLength: 30 }), (operations) => {
          const { writer, log } = setUp(durability);
          const expected: Uint8Array[] = [];
          let offset = 0;
          for (const { id, payload } of operations as { id: bigint; payload?: string | Uint8Array }[]) {
            const low = Number(id & 0xffffffffn);
            const high = Number(id >> 32n);
            writer.begin(payload === undefined ? 13 : boundOfStore(payload));
            const at = payload === undefined ? writer.putDelete(low, high) : writer.putStore(low, high, payload);
            expect(at).toBe(offset);
            writer.commit();
            const bytes = typeof payload === 'string' ? text(payload) : payload;
            expected.push(bytes === undefined ? encodeDelete(id, crc32) : encodeStore(id, bytes, crc32));
            offset += expected.at(-1)!.length;
            expect(writer.length).toBe(offset);
          }
          writer.drain();
          expect(Buffer.compare(log(), Buffer.concat(expected))).toBe(0);
        }),
        { numRuns: 60 },
      );
    }
  });

  it('is synced and read back before it counts as saved, as the durability says', () => {
    for (const [durability, expected] of [
      ['fsync', ['append', 'sync', 'read']],
      ['flush', ['append', 'read']],
      ['none', []],
    ] as const) {
      const { files, store, kindsSince } = setUp(durability);
      const from = files.calls.length;
      expect(store(1, '{}')).toBe(durability === 'none' ? 'accepted' : 'saved');
      const kinds = kindsSince(from).filter((kind) => ['append', 'sync', 'read'].includes(kind));
      expect(kinds).toEqual(expected);
    }
  });

  it('waits in the 8 KiB buffer in durability none, and leaves it as whole records', () => {
    const { files, writer, store } = setUp('none');
    for (let id = 0; id < 200; id++) store(id, text(`{"filler":"${'x'.repeat(140)}"}`));
    const writes = files.calls.filter((call) => call.kind === 'append');
    expect(writes.map((call) => call.detail)).toEqual(Array(4).fill(48 * 170));
    expect(files.calls.filter((call) => call.kind === 'read').length).toBe(4);
    expect(writer.acceptedBytes).toBe(8 * 170);
    expect(writer.length - writer.writtenLength).toBe(writer.acceptedBytes);
  });

  it('is one write and one sync for a batch, and pieces only above the chunk size', () => {
    const { files, writer, kindsSince } = setUp('fsync');
    const batch = (count: number, payload: Uint8Array) => {
      const from = files.calls.length;
      writer.begin(count * boundOfStore(payload));
      for (let id = 0; id < count; id++) writer.putStore(id, 0, payload);
      writer.commit();
      return kindsSince(from).filter((kind) => kind === 'append' || kind === 'sync');
    };
    expect(batch(1000, text('{"a":1}'))).toEqual(['append', 'sync']);
    expect(batch(10, new Uint8Array(CHUNK_SIZE / 4)).filter((kind) => kind === 'sync').length).toBe(4);
    expect(batch(1, new Uint8Array(CHUNK_SIZE * 2))).toEqual(['append', 'sync']);
  });
});

describe('a write that fails', () => {
  const faults: [string, (call: Call) => boolean, Fault, string][] = [
    ['the disk is full', (call) => call.kind === 'append', { type: 'error', code: 'ENOSPC' }, 'DISK_FULL'],
    ['the write fails', (call) => call.kind === 'append', { type: 'error', code: 'EIO', happened: true }, 'IO_ERROR'],
    ['the sync fails', (call) => call.kind === 'sync', { type: 'error', code: 'EIO' }, 'IO_ERROR'],
    ['the read back fails', (call) => call.kind === 'read', { type: 'error', code: 'EIO' }, 'IO_ERROR'],
    ['the read back differs', (call) => call.kind === 'read', { type: 'flip' }, 'VERIFY_FAILED'],
  ];

  for (const [name, matches, fault, code] of faults) {
    it(`changes nothing: ${name}`, () => {
      let armed = false;
      const { writer, store, log } = setUp('fsync', (call) => {
        if (!armed || !matches(call)) return null;
        armed = false;
        return fault;
      });
      store(1, '{"kept":true}');
      const before = log();
      armed = true;
      const error = errorOf(() => store(2, '{"lost":true}'));
      expect(error.code).toBe(code);
      expect(error.message).toMatch(/^Nothing was stored/);
      expect(log()).toEqual(before);
      expect(writer.broken).toBeNull();
      expect(store(3, '{"after":true}')).toBe('saved');
      expect(log().length).toBe(before.length + 31);
    });
  }

  it('is continued after a short write', () => {
    const { store, log } = setUp('fsync', (call) =>
      call.kind === 'append' && Number(call.detail) > 4 ? { type: 'short' } : null,
    );
    expect(store(1, '{"kept":true}')).toBe('saved');
    expect(log()).toEqual(encodeStore(1n, text('{"kept":true}'), crc32));
  });

  it('is cut off when the disk fills in its middle', () => {
    const { memory, store, log } = setUp('flush');
    store(1, '{"kept":true}');
    const before = log();
    memory.capacity = before.length + 10;
    expect(errorOf(() => store(2, '{"lost":true}')).code).toBe('DISK_FULL');
    expect(log()).toEqual(before);
    memory.capacity = 1000;
    expect(store(2, '{"then":true}')).toBe('saved');
  });

  it('breaks the writer when it cannot be taken back, until the log is opened anew', () => {
    let failing: string[] = [];
    const { writer, store, kindsSince, files } = setUp('fsync', (call) =>
      failing.includes(call.kind) ? { type: 'error', code: 'EIO' } : null,
    );
    store(1, '{}');
    failing = ['sync', 'truncate'];
    expect(errorOf(() => store(2, '{}')).code).toBe('WRITER_BROKEN');
    failing = [];
    const from = files.calls.length;
    const again = errorOf(() => store(3, '{}'));
    expect(again.code).toBe('WRITER_BROKEN');
    expect(again.next).toMatch(/Open the collection again/);
    expect(kindsSince(from)).toEqual([]);
    expect(writer.writtenLength).toBe(19);
  });

  it('takes back the pieces of a long batch that were already written', () => {
    let appends = 0;
    const { writer, store, log } = setUp('fsync', (call) =>
      call.kind === 'append' && ++appends === 3 ? { type: 'error', code: 'ENOSPC' } : null,
    );
    store(1, '{}');
    const before = log();
    const payload = new Uint8Array(CHUNK_SIZE / 2);
    writer.begin(6 * boundOfStore(payload));
    const error = errorOf(() => {
      try {
        for (let id = 0; id < 6; id++) writer.putStore(id, 0, payload);
        writer.commit();
      } catch (thrown) {
        writer.discard();
        throw thrown;
      }
    });
    expect(error.code).toBe('DISK_FULL');
    expect(log()).toEqual(before);
    expect(store(2, '{}')).toBe('saved');
  });

  it('leaves earlier accepted records waiting in durability none', () => {
    const { memory, writer, store, log } = setUp('none');
    for (let id = 0; id < 40; id++) store(id, text(`{"filler":"${'x'.repeat(140)}"}`));
    const accepted = writer.acceptedBytes;
    memory.capacity = 0;
    expect(errorOf(() => store(40, new Uint8Array(5000))).code).toBe('DISK_FULL');
    expect(errorOf(() => writer.drain()).code).toBe('DISK_FULL');
    expect(writer.acceptedBytes).toBe(accepted);
    memory.capacity = 100_000;
    writer.drain();
    expect(log().length).toBe(accepted);
  });

  it('to sync what was acknowledged is made good by writing the same bytes again', () => {
    let failures = 1;
    const { memory, files, writer, store, log } = setUp('flush', (call) =>
      call.kind === 'sync' && failures-- > 0 ? { type: 'error', code: 'EIO' } : null,
    );
    store(1, '{"kept":true}');
    const before = log();
    writer.sync();
    expect(files.calls.filter((call) => call.kind === 'overwrite').length).toBe(1);
    for (const state of memory.crashStates()) expect(state.readWhole(LOG)).toEqual(before);
    expect(store(2, '{}')).toBe('saved');
  });

  it('to sync what was acknowledged breaks the writer when that fails too', () => {
    let failing = false;
    const { writer, store } = setUp('flush', (call) =>
      failing && call.kind === 'sync' ? { type: 'error', code: 'EIO' } : null,
    );
    store(1, '{}');
    failing = true;
    expect(errorOf(() => writer.sync()).code).toBe('WRITER_BROKEN');
    failing = false;
    expect(errorOf(() => store(2, '{}')).code).toBe('WRITER_BROKEN');
  });
});

describe('a log that is not as we left it', () => {
  it('is not written to when it grew, shrank, or was replaced or removed', () => {
    const cases: [string, (memory: MemoryFiles) => void][] = [
      [
        'LOG_GREW',
        (memory) => {
          const other = memory.open(LOG, 'append');
          appendFully(other, encodeDelete(9n, crc32), 0, 13);
        },
      ],
      ['LOG_SHRANK', (memory) => memory.open(LOG, 'append').truncate(3)],
      ['LOG_REPLACED', (memory) => memory.unlink(LOG)],
      [
        'LOG_REPLACED',
        (memory) => {
          memory.rename(LOG, '/c/old');
          memory.put(LOG, memory.readWhole('/c/old'));
        },
      ],
      ['LOG_REPLACED', (memory) => memory.rename('/c', '/elsewhere')],
    ];
    for (const [code, change] of cases) {
      let now = 0;
      const memory = new MemoryFiles();
      memory.put(LOG, new Uint8Array());
      const file = memory.open(LOG, 'append');
      const writer = new LogWriter({ files: memory, file, length: 0, durability: 'flush', clock: () => (now += 10) });
      const store = () => {
        writer.begin(100);
        writer.putStore(1, 0, '{}');
        writer.commit();
      };
      store();
      change(memory);
      const size = file.size();
      const error = errorOf(store);
      expect(error.code).toBe(code);
      expect(error.next).toMatch(/Nothing was written/);
      expect(file.size()).toBe(size);
    }
  });

  it("never has somebody else's bytes cut off", () => {
    const { memory, writer, store, log } = setUp('flush', (call) => {
      // Somebody appends between our look and our write.
      if (call.kind === 'append' && writer.writtenLength > 0) {
        const other = memory.open(LOG, 'append');
        appendFully(other, encodeDelete(9n, crc32), 0, 13);
      }
      return null;
    });
    store(1, '{}');
    expect(errorOf(() => store(2, '{}')).code).toBe('WRITER_BROKEN');
    expect([...log().subarray(19, 32)]).toEqual([...encodeDelete(9n, crc32)]);
  });
});
