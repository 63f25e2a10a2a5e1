import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemorySource } from './byte-source.ts';
import { LogBuilder, packageCrc32 } from './log-builder.fixture.ts';
import { runToEnd } from './steps.ts';
import { StoreReader } from './store-reader.ts';

const readerOf = (bytes: Uint8Array) => new StoreReader(new MemorySource(bytes), packageCrc32);

describe('a place of the log that a snapshot names', () => {
  const log = new LogBuilder().store(1, '{"a":1}').delete(2).legacyStore(3, '[1]').legacyStore(4, 'no JSON').store(5);
  const [first, deleted, legacy, notJson, last] = log.offsets as [number, number, number, number, number];
  const found = (offset: number, id: number) => runToEnd(readerOf(log.bytes()).storeAt(offset, id, 0));

  it('holds a store of the id, with a CRC that holds or, of a legacy one, JSON text', () => {
    expect(found(first, 1)).toEqual({ format: 'crc', length: 24 });
    expect(found(legacy, 3)).toEqual({ format: 'legacy', length: 16 });
    expect(found(last, 5)).toEqual({ format: 'crc', length: 25 });
  });

  it('holds none where another id, a delete, a payload that is no JSON, or the middle of a record stands, or nothing at all', () => {
    expect(found(first, 5)).toBeNull();
    expect(found(deleted, 2)).toBeNull();
    expect(found(notJson, 4)).toBeNull();
    expect(found(first + 1, 1)).toBeNull();
    for (const offset of [-9, -1, log.length - 1, log.length, 2 ** 53, Number.POSITIVE_INFINITY, Number.NaN]) {
      expect(found(offset, 1)).toBeNull();
    }
  });

  it('holds none once any byte of the record is changed or the log ends inside it', () => {
    fc.assert(
      fc.property(
        fc.json(),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        fc.boolean(),
        (payload, where, change, cut) => {
          const bytes = new LogBuilder().store(9, payload).bytes();
          expect(runToEnd(readerOf(bytes).storeAt(0, 9, 0))).toEqual({ format: 'crc', length: bytes.length });
          const at = where % bytes.length;
          if (!cut) bytes[at]! ^= change;
          const damaged = cut ? bytes.subarray(0, at) : bytes;
          expect(runToEnd(readerOf(damaged).storeAt(0, 9, 0))).toBeNull();
        },
      ),
    );
  });

  it('is read in pieces where its payload is long', () => {
    const bytes = new LogBuilder().store(9, `"${'x'.repeat(5 << 20)}"`).bytes();
    const steps = readerOf(bytes).storeAt(0, 9, 0);
    let yields = 0;
    for (let step = steps.next(); !step.done; step = steps.next()) yields++;
    expect(yields).toBe(5);
  });
});
