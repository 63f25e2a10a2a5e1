import type { ByteSource } from '../../core/byte-source.ts';
import { GENERATIONS, jsonReaderOf } from '../../core/generation.ts';
import type { IdIndex } from '../../core/id-index.ts';
import { checkPayloads } from '../../core/payload-check.ts';
import { LENGTH_FIELD_OFFSET } from '../../core/record.ts';
import { RecordTable } from '../../core/record-table.ts';
import { expectedRecords, predictedUnreadable, type RecoveryPlan } from '../../core/recovery/plan.ts';
import { replay } from '../../core/replay.ts';
import { scan } from '../../core/scan.ts';
import type { Snapshot } from '../../core/snapshot.ts';
import type { Steps } from '../../core/steps.ts';
import { formatU64 } from '../../core/u64.ts';
import { U64List } from '../../core/u64-list.ts';
import { VelescopeError } from '../../shared/errors.ts';
import { crc32 } from './crc32.ts';
import { decideWritability, describeObstacle } from './writability.ts';

/**
 * Looks at what was written as if nothing were known of it: scans it and compares every record with the plan, then opens it as
 * each generation would, from its first byte, and compares ids and places. Returns the index they agree on (id → offset of the
 * length field). PLAN_NOT_VERIFIED where anything is not as predicted.
 */
export function* verifyOutput(output: ByteSource, table: RecordTable, plan: RecoveryPlan): Steps<IdIndex> {
  if (plan.predicted === null) return yield* verifyCut(output);
  const result = yield* scan({ source: output, crc32, table: new RecordTable() });
  result.link();
  yield* checkPayloads({ source: output, table: result });

  let row = 0;
  for (const expected of expectedRecords(table, plan)) {
    const matches =
      row < result.rows &&
      result.kind(row) === expected.kind &&
      result.id(row) === expected.id &&
      result.length(row) === expected.length &&
      result.verdict(row) === expected.verdict &&
      result.isLegacy(row) === (expected.format === 'legacy');
    if (!matches) {
      const found = row < result.rows ? `${result.verdict(row)} at ${result.offsets[row]}` : 'the end';
      throw notVerified(`record ${row + 1} should be of id ${expected.id}, ${expected.verdict}; found ${found}`);
    }
    row++;
    if (row % 65536 === 0) yield { done: row, total: result.rows };
  }
  if (row !== result.rows) throw notVerified(`there should be ${row} records; found ${result.rows}`);

  const { live } = plan.predicted;
  for (const generation of GENERATIONS) {
    const found = new U64List();
    const reader = jsonReaderOf(generation);
    for (let at = 0; at < result.rows; at++) {
      if (result.state(at) === 'live' && result.isUnreadable(at, reader)) {
        found.push(result.idLow[at]!, result.idHigh[at]!);
      }
    }
    found.sort();
    const expected = predictedUnreadable(plan.predicted, generation);
    if (!sameIds(found, expected)) {
      throw notVerified(
        `VelesDB ${generation} should not read ${expected.length} ids; it does not read ${found.length}`,
      );
    }
    yield { done: row, total: row };
  }
  let agreed: IdIndex | null = null;
  for (const generation of GENERATIONS) {
    const opened = yield* replay({ source: output, crc32, generation, snapshot: null });
    if (!opened.ok) throw notVerified(`VelesDB ${generation} does not open it: ${opened.message}`);
    if (opened.endedAt !== output.size) throw notVerified(`VelesDB ${generation} stops at ${opened.endedAt}`);
    if (opened.index.size !== live || result.totals().live !== live) {
      throw notVerified(`VelesDB ${generation} should hold ${live} ids; found ${opened.index.size}`);
    }
    // The first is held against the scan, the others against the first: equal indexes lie in memory alike, which makes it quick.
    if (agreed) requireSameIndex(opened.index, agreed, generation);
    else yield* requireIndex(opened.index, result, generation);
    agreed = opened.index;
  }
  return agreed!;
}

/** A cut tail leaves what is before it as it is; what matters is that every generation follows it to its new end. */
function* verifyCut(output: ByteSource): Steps<IdIndex> {
  const decided = yield* decideWritability({ source: output, crc32, snapshot: null });
  if (!decided.writable) throw notVerified(describeObstacle(decided.obstacles[0]!));
  return decided.index;
}

/** Opens the output with its fresh snapshot as each generation would, and compares with the index without it. */
export function* verifySnapshot(output: ByteSource, snapshot: Snapshot, index: IdIndex): Steps<void> {
  for (const generation of GENERATIONS) {
    const opened = yield* replay({ source: output, crc32, generation, snapshot });
    if (!opened.ok || opened.index.size !== index.size || opened.endedAt !== output.size) {
      throw notVerified(`VelesDB ${generation} makes something else of it with the snapshot`);
    }
    requireSameIndex(opened.index, index, `${generation}, with the snapshot,`);
  }
}

function requireSameIndex(index: IdIndex, other: IdIndex, who: string): void {
  index.forEach((low, high, offset) => {
    const slot = other.find(low, high);
    if (slot < 0 || other.offsetAt(slot) !== offset) {
      throw notVerified(`VelesDB ${who} finds id ${formatU64(low, high)} at another place`);
    }
  });
}

/** Holds an index against the live records of a scan, as many as it has entries. */
function* requireIndex(index: IdIndex, table: RecordTable, generation: string): Steps<void> {
  for (let row = 0; row < table.rows; row++) {
    if (row % 65536 === 0) yield { done: row, total: table.rows };
    if (table.state(row) !== 'live') continue;
    const slot = index.find(table.idLow[row]!, table.idHigh[row]!);
    if (slot < 0 || index.offsetAt(slot) !== table.offsets[row]! + LENGTH_FIELD_OFFSET) {
      throw notVerified(`VelesDB ${generation} finds id ${table.id(row)} at another place`);
    }
  }
}

function sameIds(a: U64List, b: U64List): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (a.at(index) !== b.at(index)) return false;
  return true;
}

export function notVerified(what: string): VelescopeError {
  return new VelescopeError('PLAN_NOT_VERIFIED', `What was written is not what was planned: ${what}`, {
    next: 'Nothing was put in place and the source is untouched. Check the disk, then run the recovery again.',
  });
}
