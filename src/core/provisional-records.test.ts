import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IdIndex } from './id-index.ts';
import { packageCrc32 } from './log-builder.fixture.ts';
import { ProvisionalRecords } from './provisional-records.ts';
import { encodeSnapshot, parseSnapshot, SNAPSHOT_ENTRY_SIZE, SNAPSHOT_HEADER_SIZE, type Snapshot } from './snapshot.ts';
import { runToEnd } from './steps.ts';
import { writeU32, writeU64 } from './u64.ts';

/** A snapshot of any entries, also such as no index would hold: the same id twice, offsets beyond every log. */
function snapshotOf(entries: readonly { id: bigint; offset: bigint }[]): Snapshot {
  const bytes = new Uint8Array(SNAPSHOT_HEADER_SIZE + entries.length * SNAPSHOT_ENTRY_SIZE + 4);
  bytes.set(encodeSnapshot(0, new IdIndex(), packageCrc32).subarray(0, SNAPSHOT_HEADER_SIZE));
  writeU64(bytes, 13, BigInt(entries.length));
  for (const [at, { id, offset }] of entries.entries()) {
    writeU64(bytes, SNAPSHOT_HEADER_SIZE + at * SNAPSHOT_ENTRY_SIZE, id);
    writeU64(bytes, SNAPSHOT_HEADER_SIZE + at * SNAPSHOT_ENTRY_SIZE + 8, offset);
  }
  writeU32(bytes, bytes.length - 4, packageCrc32(bytes.subarray(0, -4)));
  const parsed = parseSnapshot(bytes, packageCrc32);
  if (!parsed.ok) throw new Error(parsed.error.message);
  return parsed.snapshot;
}

const entry = fc.record({
  id: fc.oneof(fc.bigInt({ min: 0n, max: 20n }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
  offset: fc.oneof(fc.bigInt({ min: 0n, max: 600n }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
});

describe('the records a snapshot names', () => {
  it('stand in the order of the log, those that point out of it left out', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 300 }), fc.integer({ min: 0, max: 600 }), (entries, size) => {
        const records = runToEnd(ProvisionalRecords.of(snapshotOf(entries), size));
        const expected = entries
          .map(({ offset }, at) => ({ at, marker: Number(offset) - 9 }))
          .filter(({ marker }) => marker >= 0 && marker < size)
          .sort((a, b) => a.marker - b.marker || a.at - b.at);
        expect(records.listed).toBe(expected.length);
        // Looked at in any order: buckets are put in order when they are needed.
        for (let offset = size + 20; offset >= 0; offset -= 7) {
          expect(records.positionFrom(offset)).toBe(expected.filter(({ marker }) => marker < offset).length);
        }
        expect(expected.map((_, position) => records.entryAt(position))).toEqual(expected.map(({ at }) => at));
        for (const at of entries.keys()) {
          expect(records.positionOf(at)).toBe(expected.findIndex((listed) => listed.at === at));
          expect(records.exactMarker(at)).toBe(entries[at]!.offset - 9n);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('are found by id, the last one where an id stands twice', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 40 }), fc.bigInt({ min: 0n, max: 20n }), (entries, id) => {
        const records = runToEnd(ProvisionalRecords.of(snapshotOf(entries), 1000));
        expect(runToEnd(records.find(Number(id), 0))).toBe(entries.findLastIndex((candidate) => candidate.id === id));
      }),
    );
  });

  it('are listed where nearly all of them lie in a small part of a long log', () => {
    const entries = Array.from({ length: 140_000 }, (_, at) => ({ id: BigInt(at), offset: BigInt(9 + 20 * at) }));
    entries.push({ id: 140_000n, offset: 50_000_000_009n });
    const records = runToEnd(ProvisionalRecords.of(snapshotOf(entries), 50_000_000_100));
    expect(records.listed).toBe(140_001);
    for (const position of [0, 1, 69_999, 139_999, 140_000]) expect(records.entryAt(position)).toBe(position);
    expect(records.positionFrom(20 * 100_000 + 1)).toBe(100_001);
    expect(records.positionFrom(50_000_000_000)).toBe(140_000);
  });

  it('are not listed where more point into one place than a log could hold there, but found by id all the same', () => {
    const entries = Array.from({ length: 70_000 }, (_, at) => ({ id: BigInt(at), offset: 100n }));
    const records = runToEnd(ProvisionalRecords.of(snapshotOf(entries), 2 ** 32));
    expect(records.listed).toBe(0);
    expect(records.positionFrom(0)).toBe(0);
    expect(runToEnd(records.find(69_999, 0))).toBe(69_999);
    expect(records.positionOf(5)).toBe(-1);
  });
});
