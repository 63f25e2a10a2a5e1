import assert from 'node:assert/strict';
import { type ByteSource, MemorySource } from '../../src/core/byte-source.ts';
import { hostileLogs } from '../../src/core/hostile.fixture.ts';
import { LogBuilder, packageCrc32 } from '../../src/core/log-builder.fixture.ts';
import { planRecovery } from '../../src/core/recovery/plan.ts';
import { scan } from '../../src/core/scan.ts';
import { parseSnapshot } from '../../src/core/snapshot.ts';
import { assertTiled, ended, examine } from './examined.ts';
import { encodePlain } from './snapshots.ts';

/** A case that is not drawn but written down: bytes that ask for all the time and all the memory there is. */
export interface NamedCase {
  name: string;
  run: () => void;
}

const MEGABYTE = 1 << 20;
/** Far below what the bytes ask for (4 GiB, 2^60 entries), far above what a megabyte of log needs. */
const MEMORY = 1024 * MEGABYTE;

/** A log of one record that claims to hold 2^32-1 bytes, and good ones before and behind it. */
export function fourGigabyteClaim(marker: number): Uint8Array {
  const log = new LogBuilder().store(1).raw([marker, 7, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]).store(2).store(3);
  return log.bytes();
}

/** A snapshot of one entry that claims `count` of them, its CRC right. */
export function snapshotClaiming(count: bigint): Uint8Array {
  const bytes = encodePlain({ position: 24n, entries: [[1n, 9n]] });
  const data = new DataView(bytes.buffer);
  data.setBigUint64(13, count, true);
  data.setUint32(bytes.length - 4, packageCrc32(bytes.subarray(0, bytes.length - 4)), true);
  return bytes;
}

/** Bytes the process holds, in the heap and in buffers beside it. */
function memoryInUse(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function withinMemory(work: () => void): void {
  const before = memoryInUse();
  work();
  const grown = memoryInUse() - before;
  assert.ok(grown < MEMORY, `grew by ${grown} bytes`);
}

/** Scan, outcome and plan of recovery, each ended, the scan's work counted. */
function wholePass(log: Uint8Array): void {
  const work = { read: 0, hashed: 0 };
  const memory = new MemorySource(log);
  const source: ByteSource = {
    size: log.length,
    read(offset, length) {
      const bytes = memory.read(offset, length);
      work.read += bytes.length;
      return bytes;
    },
  };
  const crc32: typeof packageCrc32 = (bytes, seed) => {
    work.hashed += bytes.length;
    return packageCrc32(bytes, seed);
  };
  ended(scan({ source, crc32 }), log.length);
  const bound = 24 * MEGABYTE + 3 * log.length * Math.log2(log.length + 2);
  assert.ok(work.read < bound && work.hashed < bound, `read ${work.read}, hashed ${work.hashed}`);
  const examined = examine(log);
  assertTiled(examined);
  const { table } = examined;
  const plan = ended(
    planRecovery({ source: examined.source, table, crc32: packageCrc32, policy: 'salvage' }),
    log.length,
  );
  assert.equal(plan.kept.bytes + plan.leftOut.bytes, log.length);
}

export function namedCases(): NamedCase[] {
  return [
    ...[0xc3, 1].map((marker) => ({
      name: `a record of marker ${marker.toString(16)} that claims 4 GiB`,
      run: () =>
        withinMemory(() => {
          const log = fourGigabyteClaim(marker);
          wholePass(log);
          const { table } = examine(log);
          assert.deepEqual(
            [1n, 2n, 3n].map((id) => table.liveRow(Number(id), 0) >= 0),
            [true, true, true],
          );
        }),
    })),
    ...Array.from({ length: 256 }, (_, byte) => ({
      name: `a log of the byte ${byte.toString(16).padStart(2, '0')} alone`,
      run: () =>
        withinMemory(() =>
          wholePass(new Uint8Array([0, 1, 2, 0xc3, 0xc4].includes(byte) ? MEGABYTE : MEGABYTE >> 2).fill(byte)),
        ),
    })),
    ...Object.entries(hostileLogs).map(([name, make]) => ({
      name: `a log made to waste time: ${name}`,
      run: () => withinMemory(() => wholePass(make(MEGABYTE))),
    })),
    ...[1n << 60n, (1n << 64n) - 1n, 1n << 32n, 2n].map((count) => ({
      name: `a snapshot of one entry that claims ${count}`,
      run: () =>
        withinMemory(() => {
          const parsed = parseSnapshot(snapshotClaiming(count), packageCrc32);
          assert.ok(!parsed.ok && parsed.error.message === 'Entry count exceeds data size');
        }),
    })),
  ];
}
