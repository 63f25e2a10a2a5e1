import assert from 'node:assert/strict';
import { type ByteSource, MemorySource } from '../../src/core/byte-source.ts';
import { packageCrc32 } from '../../src/core/log-builder.fixture.ts';
import { checkPayloads } from '../../src/core/payload-check.ts';
import type { RecordTable } from '../../src/core/record-table.ts';
import { scan } from '../../src/core/scan.ts';
import type { Steps } from '../../src/core/steps.ts';

/** A log, scanned, linked, its payloads checked. */
export interface Examined {
  log: Uint8Array;
  source: ByteSource;
  table: RecordTable;
}

export function examine(log: Uint8Array): Examined {
  const source = new MemorySource(log);
  const table = ended(scan({ source, crc32: packageCrc32 }), log.length);
  table.link();
  ended(checkPayloads({ source, table }), log.length);
  return { log, source, table };
}

/** Where records start, and the end. */
export function boundariesOf({ table, log }: Examined): number[] {
  return [...table.offsets.subarray(0, table.rows), log.length];
}

/** Runs steps to their end and sees to it that they end: a pass over so few bytes has few of them. */
export function ended<Result, Progress>(steps: Steps<Result, Progress>, bytes: number): Result {
  const most = 1000 + bytes;
  for (let taken = 0; taken < most; taken++) {
    const step = steps.next();
    if (step.done) return step.value;
  }
  assert.fail(`still not at its end after ${most} steps over ${bytes} bytes`);
}

/** Every byte in exactly one row, no row empty, and the sums add up. */
export function assertTiled({ table, log }: Examined): void {
  let at = 0;
  for (let row = 0; row < table.rows; row++) {
    assert.equal(table.offsets[row], at, `row ${row}`);
    assert.ok(table.length(row) > 0, `row ${row} is empty`);
    at += table.length(row);
  }
  assert.equal(at, log.length);
  const { damagedBytes, liveBytes, supersededBytes, deadBytes } = table.totals();
  assert.equal(damagedBytes + liveBytes + supersededBytes + deadBytes, log.length);
}
