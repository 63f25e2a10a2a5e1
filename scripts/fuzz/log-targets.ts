import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type ByteSource, MemorySource } from '../../src/core/byte-source.ts';
import { explainDamage } from '../../src/core/explain.ts';
import { GENERATIONS } from '../../src/core/generation.ts';
import { hostileLogs } from '../../src/core/hostile.fixture.ts';
import { isAccepted, isJsonText } from '../../src/core/json/check.ts';
import { packageCrc32 } from '../../src/core/log-builder.fixture.ts';
import { mutate, mutations, originalLog } from '../../src/core/mutated-log.fixture.ts';
import { isSound, offsetInView, outcomesOf } from '../../src/core/outcomes.ts';
import type { RecordTable } from '../../src/core/record-table.ts';
import { candidatesOfRow } from '../../src/core/recovery/repairs.ts';
import { soleProven } from '../../src/core/repair/candidates.ts';
import { replay } from '../../src/core/replay.ts';
import { type PathAt, ReplayPaths } from '../../src/core/replay-path.ts';
import { retrieve } from '../../src/core/retrieve.ts';
import { rowToRescanFrom, scan } from '../../src/core/scan.ts';
import { parseSnapshot } from '../../src/core/snapshot.ts';
import { checkSnapshot } from '../../src/core/snapshot-check.ts';
import { runToEnd } from '../../src/core/steps.ts';
import { decideWritability } from '../../src/main/engine/writability.ts';
import { assertTiled, boundariesOf, type Examined, ended, examine } from './examined.ts';
import { OUTCOMES, plainOutcomes, plainReplay, plainRetrieve, plainSalvage } from './naive.ts';
import { makeSnapshot, plainParse, type SnapshotRecipe, snapshotRecipe } from './snapshots.ts';
import { type Target, target } from './target.ts';

/** Logs of good records that something happened to. */
export const damagedLog = fc.tuple(originalLog, mutations).map(([original, changes]) => mutate(original, changes));

/** Bytes that are mostly markers and small numbers, so that framing happens by itself. */
const nearlyFraming = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(0, 1, 2, 0xc3, 0xc4) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 255 }) },
    ),
    { maxLength: 400, size: 'max' },
  )
  .map((bytes) => Uint8Array.from(bytes));

/** The logs that were made to waste time, in any size, with a few bytes changed. */
const hostileLog = fc
  .record({
    name: fc.constantFrom(...Object.keys(hostileLogs)),
    size: fc.integer({ min: 64, max: 1 << 16 }),
    changes: fc.array(fc.tuple(fc.nat(), fc.constantFrom(0, 1, 2, 0xc3, 0xc4, 0xff)), { maxLength: 3 }),
  })
  .map(({ name, size, changes }) => {
    const log = hostileLogs[name]!(size);
    for (const [at, byte] of changes) log[at % log.length] = byte;
    return log;
  });

const anyLog = fc.oneof(
  { weight: 6, arbitrary: damagedLog.map(({ log }) => log) },
  // Only on a log that nothing happened to does it show what a snapshot alone can do.
  { weight: 4, arbitrary: originalLog.map((original) => mutate(original, []).log) },
  { weight: 1, arbitrary: nearlyFraming },
);

/** A log with what a recipe makes of a snapshot for it. */
const logAndRecipe: fc.Arbitrary<[Uint8Array, SnapshotRecipe]> = fc.tuple(anyLog, snapshotRecipe);

export function logTargets(): Target[] {
  return [
    target('scan: records and damage', 12, fc.tuple(damagedLog, fc.nat()), ([mutated, cut]) => {
      const examined = examine(mutated.log);
      assertTiled(examined);
      assertUntouchedFound(examined, mutated.untouched());
      assertRowsAreTrue(examined);
      assertGrown(examined, cut % (mutated.log.length + 1));
    }),
    target('scan: bytes near framing', 6, nearlyFraming, (log) => {
      const examined = examine(log);
      assertTiled(examined);
      assertRowsAreTrue(examined);
      assertFastEqualsSlow(log);
    }),
    target('scan: made to waste time', 1, hostileLog, (log) => {
      const work = { read: 0, hashed: 0 };
      const table = ended(scan({ source: counting(log, work), crc32: countingCrc32(work) }), log.length);
      assertTiled({ log, source: new MemorySource(log), table: linked(table) });
      // What is paid once, whatever the size, is that of scan.hostile.test.ts.
      const bound = (24 << 20) + 3 * log.length * Math.log2(log.length + 2);
      assert.ok(work.read < bound && work.hashed < bound, `read ${work.read}, hashed ${work.hashed}`);
    }),
    target('views', 14, logAndRecipe, ([log, recipe]) => {
      const examined = examine(log);
      assertViews(examined, makeSnapshot(recipe, log, boundariesOf(examined)));
    }),
    target('replay paths', 6, logAndRecipe, ([log, recipe]) => {
      const examined = examine(log);
      // Said only of positions on a boundary: elsewhere there is no row for the way to start in.
      const boundaries = boundariesOf(examined);
      const bytes = makeSnapshot(recipe, log, boundaries);
      const position = plainParse(bytes)?.position;
      if (position !== undefined && !boundaries.includes(Number(position))) return;
      assertPaths(examined, bytes);
    }),
    target('snapshot', 12, logAndRecipe, ([log, recipe]) => {
      const examined = examine(log);
      assertSnapshot(examined, makeSnapshot(recipe, log, boundariesOf(examined)));
    }),
    target('writability', 8, logAndRecipe, ([log, recipe]) => {
      const examined = examine(log);
      assertWritability(examined, makeSnapshot(recipe, log, boundariesOf(examined)));
    }),
    target('explanations', 5, logAndRecipe, ([log, recipe]) => {
      const examined = examine(log);
      assertExplained(examined, makeSnapshot(recipe, log, boundariesOf(examined)));
    }),
    target('candidates', 4, anyLog, (log) => assertCandidates(examine(log))),
  ];
}

function linked(table: RecordTable): RecordTable {
  table.link();
  return table;
}

function counting(log: Uint8Array, work: { read: number }): ByteSource {
  const memory = new MemorySource(log);
  return {
    size: log.length,
    read(offset, length) {
      const bytes = memory.read(offset, length);
      work.read += bytes.length;
      return bytes;
    },
  };
}

function countingCrc32(work: { hashed: number }): typeof packageCrc32 {
  return (bytes, seed) => {
    work.hashed += bytes.length;
    return packageCrc32(bytes, seed);
  };
}

function rowsOf(table: RecordTable): unknown[] {
  return [
    ...Array.from({ length: table.rows }, (_, row) => table.segment(row)),
    [...table.possible].map(([row, list]) => [row, list.first()]),
  ];
}

/** Every CRC record of which no byte was touched is found, or listed inside the damage that swallowed it. */
function assertUntouchedFound(
  { table }: Examined,
  untouched: readonly { offset: number; length: number; id: bigint }[],
): void {
  const listed = new Set([...table.possible.values()].flatMap((list) => list.first()).map(({ offset }) => offset));
  for (const { offset, length, id } of untouched) {
    const row = table.rowStartingAt(offset);
    if (row >= 0 && table.verdict(row) === 'ok') assert.deepEqual([table.id(row), table.length(row)], [id, length]);
    else assert.ok(listed.has(offset), `the intact record of ${id} at ${offset} is neither a row nor possible`);
  }
}

/** What the rows say of their bytes is so. */
function assertRowsAreTrue({ table, log }: Examined): void {
  const data = new DataView(log.buffer, log.byteOffset, log.byteLength);
  for (let row = 0; row < table.rows; row++) {
    const at = table.offsets[row]!;
    const length = table.length(row);
    const verdict = table.verdict(row);
    if (verdict === 'zero-filled') assert.ok(log.subarray(at, at + length).every((byte) => byte === 0));
    if (verdict === 'torn') assert.equal(at + length, log.length);
    if (table.kind(row) === 'gap' || verdict === 'torn') continue;
    assert.equal(data.getBigUint64(at + 1, true), table.id(row));
    const store = table.kind(row) === 'store';
    const legacy = table.isLegacy(row);
    assert.equal(log[at], store ? (legacy ? 1 : 0xc3) : legacy ? 2 : 0xc4);
    assert.equal(length, (store ? 13 + data.getUint32(at + 9, true) : 9) + (legacy ? 0 : 4));
    if (!legacy) {
      const end = at + length - 4;
      const holds = packageCrc32(log.subarray(at, end)) === data.getUint32(end, true);
      assert.equal(holds, verdict !== 'crc-mismatch', `row ${row}`);
    }
    if (!store || verdict === 'crc-mismatch') continue;
    const payload = log.subarray(at + 13, at + length - (legacy ? 0 : 4));
    const expected = isAccepted(payload) ? [legacy ? 'unprotected' : 'ok'] : ['payload-unreadable', 'payload-not-json'];
    assert.ok(expected.includes(verdict), `row ${row} is ${verdict}`);
    if (verdict === 'payload-not-json') assert.equal(isJsonText(payload), false);
  }
}

/** A log that is scanned, grows and is scanned on gives the table of the whole. */
function assertGrown({ log }: Examined, cut: number): void {
  const table = ended(scan({ source: new MemorySource(log.subarray(0, cut)), crc32: packageCrc32 }), cut);
  table.link();
  table.truncate(rowToRescanFrom(table, log.length));
  ended(scan({ source: new MemorySource(log), crc32: packageCrc32, table }), log.length);
  table.link();
  const whole = linked(ended(scan({ source: new MemorySource(log), crc32: packageCrc32 }), log.length));
  assert.deepEqual(rowsOf(table), rowsOf(whole));
  assert.deepEqual(table.totals(), whole.totals());
}

function assertFastEqualsSlow(log: Uint8Array): void {
  const [fast, slow] = [true, false].map((fast) =>
    rowsOf(ended(scan({ source: new MemorySource(log), crc32: packageCrc32, fast }), log.length)),
  );
  assert.deepEqual(fast, slow);
}

function parsedOrNull(bytes: Uint8Array | null) {
  if (bytes === null) return null;
  const parsed = parseSnapshot(bytes, packageCrc32);
  return parsed.ok ? parsed.snapshot : null;
}

/** Whether the snapshot may be taken as saying nothing new, as the sessions decide it. */
function agrees({ log, table }: Examined, bytes: Uint8Array | null): boolean {
  const snapshot = parsedOrNull(bytes);
  return (
    snapshot !== null && ended(checkSnapshot({ source: { size: log.length }, table, snapshot }), 1e6).state === 'valid'
  );
}

/** Every generation's replay, its outcomes and what it serves, against the same written plainly. */
function assertViews(examined: Examined, bytes: Uint8Array | null): void {
  const { log, source, table } = examined;
  const snapshot = parsedOrNull(bytes);
  const plainSnapshot = plainParse(bytes);
  assert.equal(snapshot !== null, plainSnapshot !== null, 'whether the snapshot is one');
  const snapshotAgrees = agrees(examined, bytes);
  const outcomes = ended(
    outcomesOf({ source, crc32: packageCrc32, table, snapshot, snapshotAgrees, payloads: true }),
    log.length,
  );
  assert.ok(outcomes.salvage.opens && outcomes.salvage.live === plainSalvage(table).size);
  for (const generation of GENERATIONS) {
    const expected = plainReplay(log, generation, plainSnapshot);
    const opened = ended(replay({ source, crc32: packageCrc32, generation, snapshot }), log.length);
    assert.equal(opened.ok, expected.ok, generation);
    if (expected.endedAt < 1n << 53n) assert.equal(BigInt(opened.endedAt), expected.endedAt, generation);
    const outcome = outcomes[generation];
    assert.equal(outcome.opens, expected.ok, generation);
    if (!expected.ok || !opened.ok || !outcome.opens) {
      const { kind, message } = expected as Extract<typeof expected, { ok: false }>;
      assert.deepEqual(
        [opened, 'error' in outcome && outcome.error].map(kindAndMessage),
        Array(2).fill([kind, message]),
      );
      continue;
    }
    const index = new Map<bigint, bigint>();
    opened.index.forEach((low, high, _, slot) => {
      index.set(BigInt(low) | (BigInt(high) << 32n), opened.index.offset64At(slot));
    });
    assert.deepEqual([...index].sort(byId), [...expected.index].sort(byId), generation);
    assert.equal(outcome.live, index.size);
    const lists = plainOutcomes(log, table, index, generation);
    for (const name of OUTCOMES)
      assert.deepEqual(outcome.lists[name]!.slice(0, 1e6), lists[name], `${generation} ${name}`);
    for (const [id, offset] of index) {
      const [low, high] = [Number(id & 0xffff_ffffn), Number(id >> 32n)];
      assert.equal(offsetInView(table, outcome.difference, low, high), offset, `${generation} serves ${id}`);
      const read = retrieve(source, offset, generation);
      const payload = plainRetrieve(log, offset, generation);
      assert.equal(read.ok, payload !== null);
      if (read.ok) assert.deepEqual([...read.payload], [...payload!]);
    }
    for (const id of lists.lost.map(BigInt)) {
      assert.equal(offsetInView(table, outcome.difference, Number(id & 0xffff_ffffn), Number(id >> 32n)), null);
    }
  }
}

function kindAndMessage(answer: unknown): unknown[] {
  const { kind, message } = answer as { kind?: string; message?: string };
  return [kind, message];
}

function byId([a]: readonly [bigint, bigint], [b]: readonly [bigint, bigint]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The way of each generation through the rows ends where its replay ends. */
function assertPaths({ log, source, table }: Examined, bytes: Uint8Array | null): void {
  const snapshot = parsedOrNull(bytes);
  const paths = runToEnd(ReplayPaths.of(source, table, snapshot));
  for (const generation of GENERATIONS) {
    const result = ended(replay({ source, crc32: packageCrc32, generation, snapshot }), log.length);
    let found: PathAt | null = null;
    for (let row = 0; row < table.rows && found === null; row++) {
      const path = paths.at(generation, row);
      if (path.kind === 'refuses' || path.kind === 'stops') found = path;
    }
    if (!result.ok) {
      const { kind, message } = result;
      assert.deepEqual(found, { kind: 'refuses', at: result.endedAt, error: { kind, message } });
    } else if (result.endedAt < log.length) assert.deepEqual(found, { kind: 'stops', at: result.endedAt });
    else assert.equal(found, null);
  }
}

/** A snapshot is refused in VelesDB's words or compared with the log; on a sound log the comparison is exactly right. */
function assertSnapshot(examined: Examined, bytes: Uint8Array | null): void {
  if (bytes === null) return;
  const { log, table } = examined;
  const parsed = parseSnapshot(bytes, packageCrc32);
  const plain = plainParse(bytes);
  assert.equal(parsed.ok, plain !== null);
  if (!parsed.ok) {
    const messages = [
      'too small',
      'Invalid magic',
      'Unsupported version',
      'exceeds data size',
      'Size mismatch',
      'CRC mismatch',
    ];
    assert.ok(
      messages.some((message) => parsed.error.message.includes(message)),
      parsed.error.message,
    );
    return;
  }
  const check = ended(checkSnapshot({ source: { size: log.length }, table, snapshot: parsed.snapshot }), 1e6);
  const counted = Object.values(check.byKind).reduce((sum, count) => sum + count, 0);
  assert.equal(check.total, counted);
  assert.equal(check.state, check.total === 0 ? 'valid' : 'disagrees');
  for (const { text } of check.disagreements) assert.match(text, /^[ -~]+$/);
  const limited = ended(
    checkSnapshot({ source: { size: log.length }, table, snapshot: parsed.snapshot, limit: 1 }),
    1e6,
  );
  assert.equal(limited.total, check.total);
  assert.equal(limited.disagreements.length, Math.min(1, check.total));
  if (!isSound(table)) return;
  const { position, entries } = plain!;
  const onBoundary = position <= BigInt(log.length) && boundariesOf(examined).includes(Number(position));
  const before = onBoundary ? plainReplay(log.subarray(0, Number(position)), 'v1.6', null) : null;
  const same =
    before?.ok === true &&
    before.index.size === entries.length &&
    entries.every(([id, offset]) => before.index.get(id) === offset) &&
    new Set(entries.map(([id]) => id)).size === entries.length;
  assert.equal(check.state === 'valid', same, JSON.stringify(check.byKind));
}

/**
 * Writing is allowed exactly where every generation, from byte 0 and from the snapshot, ends at the end with one index; then a record
 * written there is seen by all of them.
 */
function assertWritability({ log, source }: Examined, bytes: Uint8Array | null): void {
  const snapshot = parsedOrNull(bytes);
  const plain = plainParse(bytes);
  const decided = ended(decideWritability({ source, crc32: packageCrc32, snapshot }), log.length);
  const ways = GENERATIONS.flatMap((generation) => [
    plainReplay(log, generation, null),
    ...(plain === null ? [] : [plainReplay(log, generation, plain)]),
  ]);
  const before = plain && plain.position <= BigInt(log.length) ? log.subarray(0, Number(plain.position)) : null;
  const atPosition = before && plainReplay(before, 'v1.6', null);
  const snapshotTrue =
    plain === null ||
    (atPosition?.ok === true &&
      atPosition.endedAt === plain.position &&
      sameIndex(atPosition.index, new Map(plain.entries)));
  const sound = ways.every((way) => way.ok && way.endedAt === BigInt(log.length)) && snapshotTrue;
  assert.equal(decided.writable, sound);
  if (!decided.writable) {
    assert.ok(decided.obstacles.length > 0);
    return;
  }
  const grown = new Uint8Array(log.length + 18);
  grown.set(log);
  grown.set([0xc3, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0, 0x37], log.length);
  new DataView(grown.buffer).setUint32(
    log.length + 14,
    packageCrc32(grown.subarray(log.length, log.length + 14)),
    true,
  );
  for (const generation of GENERATIONS) {
    for (const from of plain === null ? [null] : [null, plain]) {
      const seen = plainReplay(grown, generation, from);
      assert.ok(seen.ok && seen.index.get(0xffff_ffff_ffff_fffen) === BigInt(log.length + 9), generation);
    }
  }
}

function sameIndex(a: ReadonlyMap<bigint, bigint>, b: ReadonlyMap<bigint, bigint>): boolean {
  return a.size === b.size && [...a].every(([id, offset]) => b.get(id) === offset);
}

/** Every damaged row is explained, in text that no terminal or table takes for anything else. */
function assertExplained({ source, table }: Examined, bytes: Uint8Array | null): void {
  const snapshot = parsedOrNull(bytes);
  for (let row = 0; row < table.rows; row++) {
    if (!table.isDamaged(row)) continue;
    const said = explainDamage({ source, table, snapshot }, row);
    assert.equal(said.consequences.length, GENERATIONS.length);
    for (const text of [
      said.title,
      said.explanation,
      said.hint ?? 'none',
      ...said.consequences.map(({ text }) => text),
    ]) {
      assert.match(text, /^[\p{L}\p{N}\p{P}\p{S}\p{Zs}]+$/u);
      assert.ok(!text.includes('undefined') && !text.includes('NaN'), text);
    }
  }
}

/** A candidate is the record it says it is, and what it claims of its CRC and its payload is so. */
function assertCandidates({ source, table, log }: Examined): void {
  for (let row = 0; row < table.rows; row++) {
    if (!table.isDamaged(row)) continue;
    const found = candidatesOfRow({ source, table }, row);
    if (found === null) continue;
    found.candidates.forEach((candidate, index) => {
      const { record, changes } = candidate;
      const data = new DataView(record.buffer, record.byteOffset, record.byteLength);
      assert.equal(candidate.rank, index + 1);
      assert.equal(record.length, candidate.length);
      assert.equal(data.getBigUint64(1, true), candidate.id);
      assert.deepEqual(applied(log.subarray(table.offsets[row]!), changes, record.length), [...record]);
      const marker = record[0]!;
      const store = marker === 1 || marker === 0xc3;
      const crc = marker === 0xc3 || marker === 0xc4;
      assert.equal(record.length, (store ? 13 + data.getUint32(9, true) : 9) + (crc ? 4 : 0));
      if (crc) assert.equal(packageCrc32(record.subarray(0, -4)), data.getUint32(record.length - 4, true));
      else assert.equal(candidate.provenByCrc, false);
      if (store && candidate.jsonChecked) {
        assert.equal(isAccepted(record, 13, record.length - (crc ? 4 : 0)), candidate.leavesJson);
      }
    });
    const sole = soleProven(found.candidates);
    assert.ok(sole === null || (sole.provenByCrc && sole.leavesJson));
  }
}

/** The damaged bytes with the changes made, read literally: up to each change as it stands, then what is put in its place. */
function applied(
  damaged: Uint8Array,
  changes: readonly { offset: number; before: Uint8Array; after: Uint8Array }[],
  length: number,
): number[] {
  const bytes: number[] = [];
  let from = 0;
  for (const { offset, before, after } of changes) {
    while (bytes.length < offset) bytes.push(damaged[from++]!);
    assert.deepEqual([...damaged.subarray(from, from + before.length)], [...before]);
    bytes.push(...after);
    from += before.length;
  }
  while (bytes.length < length) bytes.push(damaged[from++]!);
  return bytes;
}
