import assert from 'node:assert/strict';
import fc from 'fast-check';
import { GENERATIONS, VIEWS } from '../../src/core/generation.ts';
import { packageCrc32 } from '../../src/core/log-builder.fixture.ts';
import { isSound } from '../../src/core/outcomes.ts';
import { mutatedLog } from '../../src/core/recovery/mutated-log.fixture.ts';
import { outputOf } from '../../src/core/recovery/output.fixture.ts';
import {
  expectedRecords,
  POLICIES_OF_RECOVERY,
  planRecovery,
  planTrim,
  predictedUnreadable,
  type RecoveryPlan,
  type RecoveryPolicy,
} from '../../src/core/recovery/plan.ts';
import { LogPayloadStorage } from '../../src/main/engine/log-payload-storage.ts';
import { MemoryFiles } from '../../src/main/engine/memory-files.ts';
import { recoverTo } from '../../src/main/engine/recovery.ts';
import { readForRecovery } from '../../src/main/engine/recovery-read.ts';
import { readOperation } from '../../src/main/services/operation-lines.ts';
import { VelescopeError } from '../../src/shared/errors.ts';
import { boundariesOf, type Examined, ended, examine } from './examined.ts';
import { damagedLog } from './log-targets.ts';
import { plainReplay, plainRetrieve, plainSalvage } from './naive.ts';
import { makeSnapshot, plainParse, type SnapshotRecipe, snapshotRecipe } from './snapshots.ts';
import { type Target, target } from './target.ts';

const DIRECTORY = '/db/c';

const logs = fc.oneof(
  mutatedLog.map(({ bytes }) => bytes),
  damagedLog.map(({ log }) => log),
);

interface Choices {
  policy: RecoveryPolicy;
  compact: boolean;
  applyCandidates: boolean;
}

const choices: fc.Arbitrary<Choices> = fc.record({
  policy: fc.constantFrom(...POLICIES_OF_RECOVERY),
  compact: fc.boolean(),
  applyCandidates: fc.boolean(),
});

/** Lines near those of `batch`: real ones, cut, and with bytes replaced. */
const batchLine = fc
  .tuple(
    fc.constantFrom(
      '{"op":"store","id":"1","payload":{"a":[1,2]}}',
      '{"id":"18446744073709551615","payload":"\\ud83d\\ude00"}',
      '{"op":"delete","id":"7"}',
      '{"op":"batch","entries":[["1",{}],["2",[]]]}',
      '{"op":"snapshot"}',
      '{"op":"flush"}',
      ' { "payload" : 1.50 , "id" : "1" } ',
    ),
    fc.array(
      fc.tuple(fc.nat(), fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(...Buffer.from('{}[]",:\\')))),
      {
        maxLength: 3,
      },
    ),
    fc.option(fc.nat(), { freq: 3 }),
  )
  .map(([line, changes, cut]) => {
    const bytes = new Uint8Array(Buffer.from(line));
    for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
    return cut === null ? bytes : bytes.slice(0, cut % (bytes.length + 1));
  });

export function databaseTargets(): Target[] {
  return [
    target('recovery: plans', 12, fc.tuple(logs, choices), ([log, chosen]) => {
      const examined = examine(log);
      const plan = planOf(examined, chosen);
      assertPlan(examined, plan, chosen);
      assertTrim(examined);
    }),
    target('recovery: written', 3, fc.tuple(logs, choices), ([log, chosen]) => assertWritten(log, chosen)),
    target('storage', 5, fc.tuple(logs, snapshotRecipe, fc.bigInt(0n, 12n)), ([log, recipe, id]) =>
      assertStorage(log, recipe, id),
    ),
    target('lines of batch', 4, batchLine, assertLine),
  ];
}

function planOf({ source, table, log }: Examined, chosen: Choices): RecoveryPlan {
  return ended(planRecovery({ source, table, crc32: packageCrc32, ...chosen }), log.length);
}

/** The sums account for every byte, and the output is sound and what was predicted, to every generation. */
function assertPlan(examined: Examined, plan: RecoveryPlan, { policy, compact }: Choices): void {
  const { source, table, log } = examined;
  if (!plan.met) {
    assert.ok(policy === 'absolute' || policy === 'tolerate-tail');
    assert.ok(plan.refusal);
    assert.equal(plan.outputBytes, 0);
    return;
  }
  assertSums(plan, log.length);
  const output = outputOf(source, plan);
  assert.equal(output.length, plan.outputBytes);
  const result = examine(output);
  assert.ok(isSound(result.table));
  const expected = [...expectedRecords(table, plan)];
  assert.deepEqual(
    Array.from({ length: result.table.rows }, (_, row) => {
      const { kind, format, id, length, verdict } = result.table.segment(row);
      return { kind, format, id, length, verdict };
    }),
    expected.map(({ kind, format, id, length, verdict }) => ({ kind, format, id, length, verdict })),
  );
  for (const generation of GENERATIONS) {
    const opened = plainReplay(output, generation, null);
    assert.ok(opened.ok && opened.endedAt === BigInt(output.length), generation);
    assert.equal(opened.index.size, plan.predicted!.live);
    const unreadable = [...opened.index].filter(([, offset]) => plainRetrieve(output, offset, generation) === null);
    const predicted = predictedUnreadable(plan.predicted!, generation).slice(0, 1e6);
    assert.deepEqual(unreadable.map(([id]) => String(id)).sort(), predicted.sort());
  }
  if (policy !== 'salvage') return;
  const { lost, stale, resurrected } = plan.predicted!;
  assert.deepEqual([lost.length, stale.length, resurrected.length], [0, 0, 0]);
  // Only what a repaired record says may differ from everything intact in the input.
  const repaired = new Set(plan.predicted!.repaired.slice(0, 1e6).map(BigInt));
  assert.ok(plan.candidatesApplied > 0 || repaired.size === 0 || compact);
  const before = plainSalvage(table);
  const after = plainSalvage(result.table);
  const untouched = (live: ReadonlyMap<bigint, number>) => [...live.keys()].filter((id) => !repaired.has(id)).sort();
  assert.deepEqual(untouched(after), untouched(before));
  for (const id of untouched(before)) {
    const from = before.get(id)!;
    const to = after.get(id)!;
    const length = table.length(table.rowStartingAt(from));
    assert.deepEqual([...output.subarray(to, to + length)], [...log.subarray(from, from + length)]);
  }
  if (plan.candidatesApplied === 0) assert.deepEqual([...after.keys()].sort(), [...before.keys()].sort());
  if (compact) assert.equal(result.table.rows, after.size);
}

function assertSums(plan: RecoveryPlan, bytes: number): void {
  assert.equal(plan.kept.bytes + plan.leftOut.bytes + plan.compactedAway.bytes, bytes);
  let tiled = 0;
  for (let range = 0; range < plan.ranges.count; range++) {
    assert.equal(plan.ranges.offset(range), tiled);
    assert.ok(plan.ranges.length(range) > 0);
    tiled += plan.ranges.length(range);
  }
  assert.equal(tiled, bytes);
}

/** What a trim cuts is the end, and nothing before it changes. */
function assertTrim({ source, table, log }: Examined): void {
  const trim = planTrim(source, table);
  if (trim === null) return;
  assertSums(trim.plan, log.length);
  assert.equal(trim.tail.offset + trim.tail.length, log.length);
  assert.deepEqual([...outputOf(source, trim.plan)], [...log.subarray(0, trim.tail.offset)]);
}

/** The recovery itself, on files in memory: what the plan says is what is written, and the source is not touched. */
function assertWritten(log: Uint8Array, chosen: Choices): void {
  const files = new MemoryFiles();
  files.put(`${DIRECTORY}/payloads.log`, log);
  const read = ended(readForRecovery(files, DIRECTORY), log.length);
  try {
    const plan = ended(planRecovery({ ...read, crc32: packageCrc32, ...chosen }), log.length);
    const input = { ...read, plan, clock: () => new Date(0) };
    if (!plan.met) {
      assert.throws(() => ended(recoverTo(input, '/new'), log.length), { code: 'POLICY_NOT_MET' });
      return;
    }
    const result = ended(recoverTo(input, '/new'), log.length * 4);
    assert.ok(result.verified);
    const written = files.readWhole('/new/payloads.log');
    assert.deepEqual([...written], [...outputOf(examine(log).source, plan)]);
    assert.equal(files.readWhole('/new/evidence/left-out.bin').length, plan.leftOut.bytes);
    const snapshot = plainParse(files.readWhole('/new/payloads.snapshot'));
    assert.ok(snapshot !== null && snapshot.position === BigInt(written.length));
    const replayed = plainReplay(written, 'v3.12', null);
    assert.ok(replayed.ok);
    assert.deepEqual(new Map(snapshot.entries), replayed.index);
    assert.deepEqual([...files.readWhole(`${DIRECTORY}/payloads.log`)], [...log]);
  } finally {
    read.close();
  }
}

/** The storage answers as each generation would, and writes only where every generation will read it. */
function assertStorage(log: Uint8Array, recipe: SnapshotRecipe, id: bigint): void {
  const examined = examine(log);
  const snapshot = makeSnapshot(recipe, log, boundariesOf(examined));
  const files = new MemoryFiles();
  files.put(`${DIRECTORY}/payloads.log`, log);
  if (snapshot !== null) files.put(`${DIRECTORY}/payloads.snapshot`, snapshot);
  const open = (view: (typeof VIEWS)[number], writable = false) =>
    LogPayloadStorage.open(DIRECTORY, { files, findHolder: () => null, view, writable });
  const plain = plainParse(snapshot);
  for (const view of VIEWS) {
    const storage = open(view);
    try {
      const expected =
        view === 'salvage'
          ? new Map([...plainSalvage(examined.table)].map(([key, offset]) => [key, BigInt(offset) + 9n]))
          : indexOrNull(plainReplay(log, view, plain));
      assert.equal(storage.refusal === null, expected !== null, view);
      if (expected === null) continue;
      assert.deepEqual([...storage.ids()].sort(), [...expected.keys()].sort(), view);
      for (const [key, offset] of expected) {
        const read = storage.retrieve(key);
        const payload = plainRetrieve(log, offset, view === 'salvage' ? 'v3.12' : view);
        assert.equal(read?.ok, payload !== null, `${view} reads ${key}`);
        if (read?.ok) assert.deepEqual([...read.payload], [...payload!]);
      }
    } finally {
      storage.close();
    }
  }
  const storage = open('v3.12', true);
  const { writable } = storage;
  try {
    if (writable) storage.store(id, '{"written":true}');
    else assert.ok(['LOG_DAMAGED', 'SNAPSHOT_DISAGREES'].includes(storage.writingRefusal!.code));
  } finally {
    storage.close();
  }
  const after = files.readWhole(`${DIRECTORY}/payloads.log`);
  assert.deepEqual([...after.subarray(0, log.length)], [...log]);
  if (!writable) {
    assert.equal(after.length, log.length);
    return;
  }
  for (const generation of GENERATIONS) {
    const seen = plainReplay(after, generation, plain);
    assert.ok(seen.ok && seen.index.get(id) === BigInt(log.length + 9), generation);
  }
}

function indexOrNull(replayed: ReturnType<typeof plainReplay>): Map<bigint, bigint> | null {
  return replayed.ok ? replayed.index : null;
}

/** A line is an operation whose payload is cut from it, or refused with a code of its own. */
function assertLine(line: Uint8Array): void {
  try {
    const read = readOperation(line, false);
    const whole = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(line));
    assert.equal(read.type === 'write', !['snapshot', 'flush'].includes(whole.op));
    if (read.type !== 'write') return;
    for (const operation of read.operations) {
      if (operation.type !== 'store') continue;
      const text = Buffer.from(operation.payload).toString();
      assert.ok(Buffer.from(line).includes(text));
      JSON.parse(text);
    }
  } catch (thrown) {
    if (!(thrown instanceof VelescopeError)) throw thrown;
    assert.ok(['BAD_REQUEST', 'INVALID_ID', 'PAYLOAD_REFUSED'].includes(thrown.code), thrown.code);
  }
}
