import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemorySource } from '../byte-source.ts';
import { GENERATIONS } from '../generation.ts';
import { goldenCases, goldenPresent } from '../golden.fixture.ts';
import { LogBuilder, packageCrc32, text } from '../log-builder.fixture.ts';
import { isSound } from '../outcomes.ts';
import { checkPayloads } from '../payload-check.ts';
import { encodeStore } from '../record.ts';
import type { RecordTable } from '../record-table.ts';
import { replay } from '../replay.ts';
import { retrieve } from '../retrieve.ts';
import { scan } from '../scan.ts';
import { runToEnd } from '../steps.ts';
import { mutatedLog } from './mutated-log.fixture.ts';
import { outputOf } from './output.fixture.ts';
import {
  expectedRecords,
  POLICIES_OF_RECOVERY,
  planRecovery,
  planTrim,
  predictedUnreadable,
  type RecoveryPlan,
  type RecoveryPlanOptions,
  type RecoveryPolicy,
} from './plan.ts';
import { candidatesOfRow } from './repairs.ts';
import { findTail } from './tail.ts';

function examined(log: Uint8Array): { source: MemorySource; table: RecordTable } {
  const source = new MemorySource(log);
  const table = runToEnd(scan({ source, crc32: packageCrc32 }));
  table.link();
  runToEnd(checkPayloads({ source, table }));
  return { source, table };
}

type Choices = Partial<Omit<RecoveryPlanOptions, 'source' | 'table' | 'crc32'>> & { policy: RecoveryPolicy };

function planned(log: Uint8Array, choices: Choices) {
  const { source, table } = examined(log);
  const plan = runToEnd(planRecovery({ source, table, crc32: packageCrc32, ...choices }));
  return { source, table, plan, output: plan.met ? outputOf(source, plan) : null };
}

/** What the contract promises of every plan that is met, whatever the input was. */
function expectPromises({ source, table, plan, output }: ReturnType<typeof planned>): void {
  expect(plan.kept.bytes + plan.leftOut.bytes + plan.compactedAway.bytes).toBe(source.size);
  let tiled = 0;
  for (let range = 0; range < plan.ranges.count; range++) {
    expect(plan.ranges.offset(range)).toBe(tiled);
    expect(plan.ranges.length(range)).toBeGreaterThan(0);
    tiled += plan.ranges.length(range);
  }
  expect(tiled).toBe(source.size);
  expect(output!.length).toBe(plan.outputBytes);

  const result = examined(output!);
  expect(isSound(result.table)).toBe(true);
  const expected = [...expectedRecords(table, plan)];
  expect(result.table.rows).toBe(expected.length);
  for (let row = 0; row < expected.length; row++) {
    const { kind, format, id, length, verdict } = expected[row]!;
    expect(result.table.segment(row)).toMatchObject({ kind, format, id, length, verdict, foundBySearch: false });
    expect(['ok', 'unprotected', 'payload-not-json', 'payload-unreadable']).toContain(verdict);
    if (plan.policy !== 'salvage' && plan.candidatesApplied === 0) expect(['ok', 'unprotected']).toContain(verdict);
  }
  for (const generation of GENERATIONS) {
    const opened = runToEnd(replay({ source: result.source, crc32: packageCrc32, generation, snapshot: null }));
    expect(opened).toMatchObject({ ok: true, endedAt: output!.length });
    if (!opened.ok) continue;
    expect(opened.index.size).toBe(plan.predicted!.live);
    opened.index.forEach((low, high, offset) => {
      const live = result.table.liveRow(low, high);
      expect(result.table.offsets[live]! + 9).toBe(offset);
    });
  }
  for (const generation of GENERATIONS) {
    const unreadable: string[] = [];
    for (let row = 0; row < result.table.rows; row++) {
      if (result.table.state(row) !== 'live') continue;
      const read = retrieve(result.source, result.table.offsets[row]! + 9, generation);
      if (!read.ok) unreadable.push(String(result.table.id(row)));
    }
    expect(unreadable.sort()).toEqual(predictedUnreadable(plan.predicted!, generation).slice(0, 1e6).sort());
  }
}

/** The counts of ids and the comparison with salvage, worked out anew with maps. */
function expectComparison({ table, plan }: ReturnType<typeof planned>): void {
  const records = [...expectedRecords(table, plan)];
  expect(plan.kept.ids).toBe(new Set(records.filter(({ row }) => row >= 0).map(({ id }) => id)).size);
  if (plan.compact) return;
  const served = new Map(records.map((record) => [record.id, record]));
  const intact = new Map<bigint, number>();
  for (let row = 0; row < table.rows; row++) {
    if (!table.isApplied(row)) continue;
    if (table.kind(row) === 'store') intact.set(table.id(row), row);
    else intact.delete(table.id(row));
  }
  const expected = { lost: [], stale: [], resurrected: [], repaired: [] } as Record<string, bigint[]>;
  for (const id of new Set([...served.keys(), ...intact.keys()])) {
    const record = served.get(id);
    const isLive = record?.kind === 'store';
    if (record?.row === -1) expected.repaired!.push(id);
    else if (!isLive && intact.has(id)) expected.lost!.push(id);
    else if (isLive && !intact.has(id)) expected.resurrected!.push(id);
    else if (isLive && intact.get(id) !== record.row) expected.stale!.push(id);
  }
  for (const [name, ids] of Object.entries(expected)) {
    const found = plan.predicted![name as 'lost' | 'stale' | 'resurrected' | 'repaired'].slice(0, 1e6);
    expect(found, name).toEqual(ids.sort((a, b) => Number(a - b)).map(String));
  }
}

const PROPERTY = { numRuns: 1000, verbose: 1 as const };

describe('the plan of a recovery', () => {
  it('of a mutated log keeps its promises under every policy, compacted or not, with candidates or without', () => {
    fc.assert(
      fc.property(
        mutatedLog,
        fc.constantFrom(...POLICIES_OF_RECOVERY),
        fc.boolean(),
        fc.boolean(),
        ({ bytes }, policy, compact, applyCandidates) => {
          const result = planned(bytes, { policy, compact, applyCandidates });
          if (result.plan.met) {
            expectPromises(result);
            expectComparison(result);
          } else {
            expect(['absolute', 'tolerate-tail']).toContain(policy);
            expect(result.plan).toMatchObject({ kept: { bytes: 0 }, leftOut: { bytes: 0 }, outputBytes: 0 });
            expect(result.plan.refusal).toMatch(/offset \d+/);
          }
        },
      ),
      PROPERTY,
    );
  });

  it('under salvage keeps every CRC record that nothing touched, unless it is listed as possible', () => {
    fc.assert(
      fc.property(mutatedLog, ({ bytes, untouched }) => {
        const { table, plan } = planned(bytes, { policy: 'salvage' });
        const possible = new Set(
          [...table.possible.values()].flatMap((list) => list.first()).map(({ offset }) => offset),
        );
        for (const { offset, length, crc } of untouched) {
          if (!crc || possible.has(offset)) continue;
          let range = 0;
          while (plan.ranges.offset(range) + plan.ranges.length(range) <= offset) range++;
          expect(plan.ranges.fate(range)).toBe('kept');
          expect(plan.ranges.offset(range) + plan.ranges.length(range)).toBeGreaterThanOrEqual(offset + length);
        }
      }),
      PROPERTY,
    );
  });

  it('under salvage, not compacted, loses nothing that is intact', () => {
    fc.assert(
      fc.property(mutatedLog, fc.boolean(), ({ bytes }, compact) => {
        const { plan, table } = planned(bytes, { policy: 'salvage', compact });
        const { lost, stale, resurrected, repaired, live } = plan.predicted!;
        expect([lost.length, stale.length, resurrected.length, repaired.length]).toEqual([0, 0, 0, 0]);
        expect(live).toBe(table.totals().live);
      }),
      PROPERTY,
    );
  });
});

const three = () => new LogBuilder().store(1, '{"a":1}').store(2, '{"b":2}').store(3, '{"c":3}');

describe('policies', () => {
  it('absolute copies an intact log as it is, and writes nothing where there is damage', () => {
    const log = three().bytes();
    expect(planned(log, { policy: 'absolute' }).output).toEqual(log);
    log[40]! ^= 1;
    const { plan } = planned(log, { policy: 'absolute' });
    expect(plan).toMatchObject({ met: false, damage: 1 });
    expect(plan.refusal).toContain('crc-mismatch, at offset 24');
  });

  it('a payload VelesDB cannot read is damage to absolute, and intact bytes to salvage', () => {
    const log = three().store(4, 'no json').store(5, '1e999').bytes();
    expect(planned(log, { policy: 'absolute' }).plan.met).toBe(false);
    const { plan, output } = planned(log, { policy: 'salvage' });
    expect(output).toEqual(log);
    expect(plan.predicted!.unreadable.slice(0, 9)).toEqual(['4', '5']);
  });

  it('says of each generation what it will not read', () => {
    // The largest double, rounded up: read by one of VelesDB's two readers only.
    const log = new LogBuilder().store(1, '1.7976931348623158e308').store(2, '1e999').bytes();
    const { predicted } = planned(log, { policy: 'salvage' }).plan;
    const of = (generation: (typeof GENERATIONS)[number]) => predictedUnreadable(predicted!, generation).slice(0, 9);
    expect(of('v3.12')).not.toEqual(of('v8.0'));
    for (const generation of GENERATIONS) expect(of(generation)).toContain('2');
  });

  it('tolerate-tail leaves out a torn tail, and nothing before it', () => {
    const log = three().bytes();
    const torn = planned(log.slice(0, -5), { policy: 'tolerate-tail' });
    expect(torn.output).toEqual(log.slice(0, 48));
    expect(torn.plan.leftOut).toMatchObject({ bytes: 19, pieces: 1, records: 0 });
    const damaged = log.slice(0, -5);
    damaged[30]! ^= 4;
    expect(planned(damaged, { policy: 'tolerate-tail' }).plan.refusal).toContain('before its tail');
  });

  it('tolerate-tail takes zeros, and a record whose rest reads as zeros, for a tail, and other bytes for damage', () => {
    const zeros = three().raw(new Uint8Array(40)).bytes();
    expect(planned(zeros, { policy: 'tolerate-tail' }).plan.leftOut.bytes).toBe(40);
    const half = encodeStore(4n, text('{"long":"value"}'), packageCrc32).slice(0, 20);
    const halfZero = three().raw(half).raw(new Uint8Array(64)).bytes();
    expect(planned(halfZero, { policy: 'tolerate-tail' }).plan.leftOut.bytes).toBe(84);
    expect(planned(three().raw([10]).bytes(), { policy: 'tolerate-tail' }).plan.met).toBe(false);
    // A whole record of bytes that nothing explains, and zeros that its claim does not reach.
    const unknown = three()
      .raw(encodeStore(4n, text('{"a":1}'), packageCrc32).fill(0x77, 15))
      .raw(new Uint8Array(9));
    expect(planned(unknown.bytes(), { policy: 'tolerate-tail' }).plan.met).toBe(false);
  });

  it('point-in-time keeps what stands before the first damage and says what that costs', () => {
    const log = new LogBuilder().store(1).store(2).store(9).store(1, '[1]').delete(2).store(3).bytes();
    log[48 + 15]! ^= 1;
    const { plan, output } = planned(log, { policy: 'point-in-time' });
    expect(output).toEqual(new LogBuilder().store(1).store(2).bytes());
    expect(plan.predicted!.stale.slice(0, 9)).toEqual(['1']);
    expect(plan.predicted!.resurrected.slice(0, 9)).toEqual(['2']);
    expect(plan.predicted!.lost.slice(0, 9)).toEqual(['3']);
    expect(plan.leftOut).toMatchObject({ records: 4, ids: 4, pieces: 2 });
  });

  it('compacting keeps the live records in file order and drops versions and deletes', () => {
    const log = new LogBuilder().store(2).legacyStore(1).store(2, '[2]').store(3).delete(3).delete(7).bytes();
    const { plan, output } = planned(log, { policy: 'salvage', compact: true });
    expect(output).toEqual(new LogBuilder().legacyStore(1).store(2, '[2]').bytes());
    expect(plan.kept).toMatchObject({ records: 2, ids: 2 });
    expect(plan.compactedAway.records).toBe(4);
    expect(plan.leftOut.bytes).toBe(0);
  });

  it('an empty log gives an empty one', () => {
    expect(planned(new Uint8Array(0), { policy: 'absolute' }).output).toEqual(new Uint8Array(0));
  });
});

describe('candidates in a plan', () => {
  it('the only one proven enters, and every byte it takes the place of is evidence', () => {
    const log = three().bytes();
    const damaged = log.slice();
    damaged[30]! ^= 8;
    const result = planned(damaged, { policy: 'salvage', applyCandidates: true });
    expect(result.output).toEqual(log);
    expect(result.plan).toMatchObject({ candidatesApplied: 1, kept: { bytes: 48 }, leftOut: { bytes: 24, pieces: 1 } });
    expect(result.plan.added).toEqual({ records: 1, bytes: 24 });
    expect(result.plan.predicted!.repaired.slice(0, 9)).toEqual(['2']);
    expect(planned(damaged, { policy: 'absolute', applyCandidates: true }).output).toEqual(log);
    expect(planned(damaged, { policy: 'salvage' }).plan.candidatesApplied).toBe(0);
  });

  it('a missing byte is put back only where a person accepted that', () => {
    const log = new LogBuilder().store(1, '{"text":"hello world"}').store(2).bytes();
    const damaged = Uint8Array.from([...log.slice(0, 25), ...log.slice(26)]);
    expect(planned(damaged, { policy: 'salvage', applyCandidates: true }).plan.candidatesApplied).toBe(0);
    const { source, table } = examined(damaged);
    const [best] = candidatesOfRow({ source, table }, 0)!.candidates;
    expect(best!.kind).toBe('dropped-byte');
    const accepted = planned(damaged, { policy: 'salvage', acceptedCandidates: new Map([[0, best!]]) });
    expect(accepted.output).toEqual(log);
    expectPromises(accepted);
  });

  it('a length that had grown over the next record gives back its own record', () => {
    const log = three().bytes();
    const damaged = log.slice();
    damaged[9] = 7 + 24; // The first record now ends where the second does.
    const result = planned(damaged, { policy: 'salvage', applyCandidates: true });
    expect(result.output).toEqual(log);
    expectPromises(result);
  });

  it('one that reaches over intact records is refused in words', () => {
    const damaged = three().bytes();
    damaged[30]! ^= 8;
    const { source, table } = examined(damaged);
    const [best] = candidatesOfRow({ source, table }, 1)!.candidates;
    const tooLong = { ...best!, length: best!.length + 9 };
    const { plan } = planned(damaged, { policy: 'salvage', acceptedCandidates: new Map([[1, tooLong]]) });
    expect(plan).toMatchObject({ met: false });
    expect(plan.refusal).toContain('reaches over what is intact');
    const healthy = planned(three().bytes(), { policy: 'salvage', acceptedCandidates: new Map([[1, best!]]) });
    expect(healthy.plan.refusal).toContain('is not damaged');
  });

  it('a repaired record that a newer one supersedes is compacted away, its damage kept as evidence', () => {
    const damaged = new LogBuilder().store(1, '{"v":1}').store(1, '{"v":2}').bytes();
    damaged[15]! ^= 2;
    const { plan, output } = planned(damaged, { policy: 'salvage', compact: true, applyCandidates: true });
    expect(output).toEqual(damaged.slice(24));
    expect(plan).toMatchObject({ candidatesApplied: 0, leftOut: { bytes: 24 }, compactedAway: { records: 0 } });
  });
});

describe('a repaired delete', () => {
  it('of a compacted log counts as applied where it takes an id out, though no record of it is written', () => {
    const log = new LogBuilder().store(7, '[false]').delete(7).bytes();
    log[24] = 0xc5;
    const { plan, output } = planned(log, { policy: 'salvage', compact: true, applyCandidates: true });
    expect(output).toEqual(new Uint8Array(0));
    expect(plan).toMatchObject({ candidatesApplied: 1, added: { records: 0 }, compactedAway: { records: 1 } });
    expect(plan.predicted!.repaired.slice(0, 9)).toEqual(['7']);
    const absent = new LogBuilder().store(1).delete(7).bytes();
    absent[25] = 0xc5;
    const nothing = planned(absent, { policy: 'salvage', compact: true, applyCandidates: true });
    expect(nothing.plan.candidatesApplied).toBe(0);
  });
});

describe('cutting a tail', () => {
  it('leaves every byte before it as it is, damage included', () => {
    const log = three().bytes().slice(0, -3);
    log[30]! ^= 1;
    const { source, table } = examined(log);
    const { plan, tail } = planTrim(source, table)!;
    expect(tail).toMatchObject({ offset: 48, length: 21, verdict: 'torn' });
    expect(outputOf(source, plan)).toEqual(log.slice(0, 48));
    expect(plan).toMatchObject({ kept: { records: 2, bytes: 48 }, leftOut: { bytes: 21, pieces: 1 } });
  });

  it('is not offered where there is none', () => {
    const whole = examined(three().bytes());
    expect(planTrim(whole.source, whole.table)).toBeNull();
    expect(findTail(new MemorySource(new Uint8Array(0)), examined(new Uint8Array(0)).table)).toBeNull();
  });
});

describe.skipIf(!goldenPresent)('golden cases', () => {
  for (const golden of goldenCases()) {
    it(`${golden.name}: salvage keeps every intact record, and every VelesDB opens the result`, () => {
      for (const compact of [false, true]) {
        for (const applyCandidates of [false, true]) {
          const result = planned(golden.log, { policy: 'salvage', compact, applyCandidates });
          expect(result.plan.met).toBe(true);
          expectPromises(result);
          if (compact) continue;
          let intact = 0;
          for (let row = 0; row < result.table.rows; row++) if (result.table.isApplied(row)) intact++;
          if (!applyCandidates) expect(result.plan.kept.records).toBe(intact);
          else expect(result.plan.kept.records).toBeGreaterThanOrEqual(intact);
        }
      }
      for (const policy of POLICIES_OF_RECOVERY) {
        const result = planned(golden.log, { policy });
        if (result.plan.met) expectPromises(result);
      }
    });
  }

  const tolerated = (name: string): RecoveryPlan => {
    const golden = goldenCases().find((one) => one.name === name)!;
    return planned(golden.log, { policy: 'tolerate-tail' }).plan;
  };

  it('every torn and zero-filled tail is tolerated, and other bytes at the end are not', () => {
    for (const { name } of goldenCases()) {
      if (/^(torn_|tail_zeros|tail_torn)/.test(name)) expect(tolerated(name), name).toMatchObject({ met: true });
    }
    expect(tolerated('tail_torn_then_zeros').leftOut.bytes).toBe(4226 - 110);
    expect(tolerated('tail_garbage_6').met).toBe(false);
    expect(tolerated('text_editor_newline').met).toBe(false);
    expect(tolerated('flip_payload_last').met).toBe(false);
  });
});
