import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { allowRelaxedSimd } from '../main/engine/relaxed-simd.ts';
import { MemorySource } from './byte-source.ts';
import { BLOCK_SIZE, BlockWalker } from './fast-scan.ts';
import { LogBuilder, packageCrc32 } from './log-builder.fixture.ts';
import { RecordTable } from './record-table.ts';
import { scan } from './scan.ts';
import { runToEnd } from './steps.ts';
import { webAssembly } from './wasm/runtime.ts';

// Node 20 keeps relaxed SIMD behind a flag.
allowRelaxedSimd();
const WAYS = [
  ['by folding', true],
  ['by tables', false],
] as const;

interface Taken {
  offset: number;
  id: bigint;
  info: number;
}

/** Everything the walker takes in from `start`, over as many walks as it needs. */
function walkAll(by: BlockWalker, bytes: Uint8Array, start = 0, limit = bytes.length): { rows: Taken[]; end: number } {
  by.input.set(bytes);
  const table = new RecordTable();
  let at = start;
  for (;;) {
    const rows = by.walk(at, bytes.length, limit, 1_000_000);
    table.pushColumns(by.columns, 0, rows);
    at = by.stoppedAt;
    if (rows === 0) break;
  }
  const rows = Array.from({ length: table.rows }, (_, row) => ({
    offset: table.offsets[row]! - 1_000_000,
    id: table.id(row),
    info: table.info[row]!,
  }));
  return { rows, end: at };
}

/** The same by the plain scan: the rows up to the first that is not an intact CRC record. */
function scanIntact(bytes: Uint8Array): { rows: Taken[]; end: number } {
  const table = runToEnd(scan({ source: new MemorySource(bytes), crc32: packageCrc32, fast: false }));
  const rows: Taken[] = [];
  for (let row = 0; row < table.rows; row++) {
    if (table.verdict(row) !== 'ok') return { rows, end: table.offsets[row]! };
    rows.push({ offset: table.offsets[row]!, id: table.id(row), info: table.info[row]! });
  }
  return { rows, end: table.end };
}

const u64 = fc.bigInt(0n, 0xffff_ffff_ffff_ffffn);
const record = fc.oneof(
  { weight: 4, arbitrary: fc.record({ id: u64, payload: fc.uint8Array({ maxLength: 70 }) }) },
  { weight: 1, arbitrary: fc.record({ id: u64, payload: fc.uint8Array({ minLength: 1400, maxLength: 3000 }) }) },
  { weight: 1, arbitrary: fc.record({ id: u64, payload: fc.constant(null) }) },
);

function build(records: { id: bigint; payload: Uint8Array | null }[]): Uint8Array {
  const log = new LogBuilder();
  for (const { id, payload } of records) {
    if (payload) log.store(id, payload);
    else log.delete(id);
  }
  return log.bytes();
}

describe.each(WAYS)('CRCs %s', (_, folds) => {
  const walker = new BlockWalker(webAssembly()!, packageCrc32, folds);

  test('the walker takes in what the plain loop takes in, whatever was done to the bytes', () => {
    fc.assert(
      fc.property(
        fc.array(record, { maxLength: 40 }),
        fc.array(fc.record({ at: fc.nat(), value: fc.nat(255) }), { maxLength: 3 }),
        fc.nat(30),
        (records, damage, cut) => {
          let bytes = build(records);
          if (bytes.length > 0) for (const { at, value } of damage) bytes[at % bytes.length] = value;
          bytes = bytes.subarray(0, Math.max(0, bytes.length - cut));
          expect(walkAll(walker, bytes)).toEqual(scanIntact(bytes));
        },
      ),
      { numRuns: 500 },
    );
  });

  test('every length of a record, and so every first step, gives the CRC that the package gives', () => {
    const log = new LogBuilder();
    for (let length = 0; length <= 100; length++) {
      log.store(
        BigInt(length) << 33n,
        Uint8Array.from({ length }, (_, index) => index * 37 + length),
      );
    }
    const bytes = log.bytes();
    expect(walkAll(walker, bytes).rows.length).toBe(101);
    for (let at = 0; at < bytes.length; at++) {
      bytes[at]! ^= 0x10;
      const damaged = log.offsets.findLastIndex((offset) => offset <= at);
      const { rows, end } = walkAll(walker, bytes);
      expect([rows.length, end]).toEqual([damaged, log.offsets[damaged]]);
      bytes[at]! ^= 0x10;
    }
  });

  test('only records that start before the limit are taken in, and whole ones only', () => {
    const log = new LogBuilder().store(1).store(2).delete(3).store(4);
    const bytes = log.bytes();
    for (let limit = 0; limit <= bytes.length; limit++) {
      expect(walkAll(walker, bytes, 0, limit).rows.length).toBe(log.offsets.filter((offset) => offset < limit).length);
    }
    for (let length = 0; length < bytes.length; length++) {
      const ends = [...log.offsets.slice(1), bytes.length];
      expect(walkAll(walker, bytes.slice(0, length)).rows.length).toBe(ends.filter((end) => end <= length).length);
    }
  });

  test('a block of the smallest records needs several walks and loses none', () => {
    const log = new LogBuilder();
    for (let id = 0; (id + 1) * 13 <= BLOCK_SIZE; id++) log.delete(id);
    const { rows, end } = walkAll(walker, log.bytes());
    expect(rows.length).toBe(log.offsets.length);
    expect(end).toBe(log.length);
    expect(rows.every((row, index) => row.id === BigInt(index) && row.offset === index * 13)).toBe(true);
  });

  test('records of every length up to some kilobytes are hashed right, and a changed bit in any of them is seen', () => {
    for (let length = 90; length < 2100; length += 1 + (length % 7)) {
      const bytes = new LogBuilder()
        .store(
          7,
          Uint8Array.from({ length }, (_, index) => index * 101 + length),
        )
        .bytes();
      expect(walkAll(walker, bytes).rows.length).toBe(1);
      for (let at = 0; at < bytes.length; at += 13) {
        bytes[at]! ^= 1 << (at & 7);
        expect(walkAll(walker, bytes).rows.length).toBe(0);
        bytes[at]! ^= 1 << (at & 7);
      }
    }
  });
});

test('a scan in blocks gives the segments of a scan record by record, also of damaged logs', () => {
  const legacy = fc.record({ id: u64, payload: fc.constant(null), legacy: fc.constant(true) });
  fc.assert(
    fc.property(
      fc.array(fc.oneof({ weight: 6, arbitrary: record }, { weight: 1, arbitrary: legacy }), { maxLength: 60 }),
      fc.array(fc.record({ at: fc.nat(), bytes: fc.uint8Array({ maxLength: 40 }) }), { maxLength: 4 }),
      (records, damage) => {
        const log = new LogBuilder();
        for (const entry of records) {
          if ('legacy' in entry) log.legacyStore(entry.id);
          else if (entry.payload) log.store(entry.id, entry.payload);
          else log.delete(entry.id);
        }
        const bytes = log.bytes();
        for (const { at, bytes: patch } of damage) {
          if (bytes.length > patch.length) bytes.set(patch, at % (bytes.length - patch.length));
        }
        const segmentsOf = (fast: boolean) => {
          const table = runToEnd(scan({ source: new MemorySource(bytes), crc32: packageCrc32, fast }));
          return {
            segments: Array.from({ length: table.rows }, (_, row) => table.segment(row)),
            possible: [...table.possible].map(([row, list]) => [row, list.first()]),
          };
        };
        expect(segmentsOf(true)).toEqual(segmentsOf(false));
      },
    ),
    { numRuns: 500 },
  );
});
