import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemorySource } from './byte-source.ts';
import { GENERATIONS } from './generation.ts';
import { IdIndex } from './id-index.ts';
import { packageCrc32 as crc32, LogBuilder } from './log-builder.fixture.ts';
import { replay } from './replay.ts';
import { replayIntact } from './replay-intact.ts';
import { runToEnd } from './steps.ts';

/** Long enough for the fast walk to be used at all. */
const PADDING = 'p'.repeat(300);

const step = fc.record({
  id: fc.bigInt({ min: 0n, max: 40n }).map((id) => (id % 3n === 0n ? id << 40n : id)),
  kind: fc.constantFrom('store', 'store', 'store', 'delete', 'legacyStore', 'legacyDelete') as fc.Arbitrary<
    'store' | 'delete' | 'legacyStore' | 'legacyDelete'
  >,
});

/** A log with the steps behind intact records of ids that they change. */
function logOf(steps: readonly { id: bigint; kind: 'store' | 'delete' | 'legacyStore' | 'legacyDelete' }[]) {
  const log = new LogBuilder();
  for (let id = 0; id < 80; id++) log.store(id % 41, `"${PADDING}"`);
  for (const { id, kind } of steps) {
    if (kind === 'store' || kind === 'legacyStore') log[kind](id, `"${PADDING}"`);
    else log[kind](id);
  }
  return log;
}

const entriesOf = (index: IdIndex): string[] => {
  const entries: string[] = [];
  index.forEach((low, high, offset) => {
    entries.push(`${high}:${low}@${offset}`);
  });
  return entries.sort();
};

describe('the walk over intact records', () => {
  it('gives what replay gives record by record, whatever is damaged and wherever that is', () => {
    const damage = fc.record({ at: fc.nat(100_000), byte: fc.nat(255) });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60 }),
        fc.array(damage, { maxLength: 2 }),
        fc.nat(40),
        fc.constantFrom(...GENERATIONS),
        (steps, damages, cut, generation) => {
          const whole = logOf(steps).bytes();
          for (const { at, byte } of damages) whole[at % whole.length] = byte;
          const source = new MemorySource(cut > 20 ? whole.subarray(0, whole.length - cut) : whole);
          const options = { source, crc32, generation, snapshot: null };
          const fast = runToEnd(replay(options));
          // What nothing is known by leaves the fast walk out.
          const slow = runToEnd(replay({ ...options, known: { crcHoldsAt: () => null } }));
          expect({ ...fast, index: fast.ok && entriesOf(fast.index) }).toEqual({
            ...slow,
            index: slow.ok && entriesOf(slow.index),
          });
        },
      ),
    );
  });

  it('ends at the first byte that is no intact CRC record, and is used', () => {
    const log = logOf([{ id: 7n, kind: 'delete' }]);
    const intact = log.length;
    const bytes = log.legacyStore(1).store(2).bytes();
    const index = new IdIndex();
    expect(runToEnd(replayIntact(new MemorySource(bytes), crc32, index, 0))).toBe(intact);
    expect(index.size).toBe(40);
    expect(index.find(7, 0)).toBe(-1);
  });

  it('goes on from a position in the middle, on the index given', () => {
    const log = logOf([]);
    const index = new IdIndex();
    index.set(99, 0, 9);
    const from = log.offsets[20]!;
    expect(runToEnd(replayIntact(new MemorySource(log.bytes()), crc32, index, from))).toBe(log.length);
    expect(index.offsetAt(index.find(99, 0))).toBe(9);
    expect(index.offsetAt(index.find(3, 0))).toBe(log.offsets[44]! + 9);
  });
});
