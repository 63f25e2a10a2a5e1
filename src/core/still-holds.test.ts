import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemorySource } from './byte-source.ts';
import { packageCrc32 as crc32, LogBuilder } from './log-builder.fixture.ts';
import { mutate, mutations, originalLog } from './mutated-log.fixture.ts';
import { checkPayloads } from './payload-check.ts';
import type { RecordTable } from './record-table.ts';
import { scan } from './scan.ts';
import { runToEnd } from './steps.ts';
import { stillHolds } from './still-holds.ts';

function read(log: Uint8Array): RecordTable {
  const source = new MemorySource(log);
  const table = runToEnd(scan({ source, crc32 }));
  runToEnd(checkPayloads({ source, table }));
  return table;
}

const holds = (table: RecordTable, log: Uint8Array): boolean =>
  runToEnd(stillHolds({ source: new MemorySource(log), crc32, table }));

describe('a log that has a newer time', () => {
  it('holds what its table says while no byte of it changed, whatever the bytes are', () => {
    fc.assert(
      fc.property(originalLog, mutations, (original, changes) => {
        const { log } = mutate(original, changes);
        expect(holds(read(log), log)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('does not when any bit of a record with a CRC was changed', () => {
    const log = new LogBuilder().store(1).delete(2).store(3, 'no JSON').store(4).bytes();
    const table = read(log);
    for (let bit = 0; bit < log.length * 8; bit++) {
      const changed = log.slice();
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(holds(table, changed)).toBe(false);
    }
  });

  it('does not when a damaged record was mended', () => {
    const sound = new LogBuilder().store(1).store(2).store(3).bytes();
    // In the second record's id, its payload and its CRC.
    for (const at of [30, 42, 49]) {
      const damaged = sound.slice();
      damaged[at]! ^= 1;
      const table = read(damaged);
      expect(table.verdict(1)).toBe('crc-mismatch');
      expect(holds(table, damaged)).toBe(true);
      expect(holds(table, sound)).toBe(false);
    }
  });

  it('is not told apart where nothing protects the bytes', () => {
    const before = new LogBuilder().legacyStore(1, '{"a":1}').store(2).bytes();
    const after = new LogBuilder().legacyStore(1, '{"a":2}').store(2).bytes();
    expect(holds(read(before), after)).toBe(true);
  });

  it('is read past records that are longer than a window', () => {
    const log = new LogBuilder()
      .store(1, `"${'x'.repeat(3 << 20)}"`)
      .store(2)
      .bytes();
    const table = read(log);
    expect(holds(table, log)).toBe(true);
    log[2 << 20]! ^= 1;
    expect(holds(table, log)).toBe(false);
  });
});
