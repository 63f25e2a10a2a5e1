import { describe, expect, it } from 'vitest';
import { MemorySource } from './byte-source.ts';
import { GENERATIONS } from './generation.ts';
import { goldenCases, goldenPresent } from './golden.fixture.ts';
import { LogBuilder, packageCrc32 } from './log-builder.fixture.ts';
import { outcomeOf, outcomesOf, salvageOutcome } from './outcomes.ts';
import { checkPayloads } from './payload-check.ts';
import { scan } from './scan.ts';
import { parseSnapshot } from './snapshot.ts';
import { runToEnd } from './steps.ts';

function outcomes(log: Uint8Array, snapshotBytes: Uint8Array | null = null) {
  const source = new MemorySource(log);
  const table = runToEnd(scan({ source, crc32: packageCrc32 }));
  table.link();
  runToEnd(checkPayloads({ source, table }));
  const parsed = snapshotBytes ? parseSnapshot(snapshotBytes, packageCrc32) : null;
  const snapshot = parsed?.ok ? parsed.snapshot : null;
  const of = (generation: (typeof GENERATIONS)[number]) => {
    const outcome = runToEnd(
      outcomeOf({ source, crc32: packageCrc32, table, snapshot, snapshotAgrees: false, payloads: true, generation }),
    );
    if (!outcome.opens) return { opens: false, error: outcome.error.kind };
    const { lists } = outcome;
    return {
      opens: true,
      live: outcome.live,
      unreadable: lists.unreadable!.slice(0, 99),
      lost: lists.lost.slice(0, 99),
      stale: lists.stale.slice(0, 99),
      resurrected: lists.resurrected.slice(0, 99),
      wrong: lists.wrong.slice(0, 99),
    };
  };
  return { of, salvage: runToEnd(salvageOutcome(table, true)) };
}

const clean = { opens: true, unreadable: [], lost: [], stale: [], resurrected: [], wrong: [] };

describe('outcomes of a generation against salvage', () => {
  it('all generations agree with salvage on an intact log', () => {
    const log = new LogBuilder().store(1).store(2).delete(1).bytes();
    for (const generation of GENERATIONS) expect(outcomes(log).of(generation)).toEqual({ ...clean, live: 1 });
  });

  it('a CRC mismatch with sound framing is skipped by all alike', () => {
    const log = new LogBuilder().store(1, '{"v":1}').store(1, '{"v":2}').store(2).bytes();
    log[24 + 14]! ^= 1;
    for (const generation of GENERATIONS) expect(outcomes(log).of(generation)).toEqual({ ...clean, live: 2 });
  });

  it('records behind an unknown marker are lost to the newest and refused by the others', () => {
    const log = new LogBuilder().store(1).raw([0x99, 1, 2, 3, 4, 5, 6, 7, 8, 9]).store(2).bytes();
    expect(outcomes(log).of('v3.12')).toEqual({ ...clean, live: 1, lost: ['2'] });
    expect(outcomes(log).of('v1.17')).toEqual({ opens: false, error: 'InvalidData' });
  });

  it('an overwrite and a delete behind damage leave a stale and a resurrected id', () => {
    const log = new LogBuilder()
      .store(1)
      .store(2)
      .raw([0x99, 1, 2, 3, 4, 5, 6, 7, 8])
      .store(1, '[1]')
      .delete(2)
      .bytes();
    expect(outcomes(log).of('v3.12')).toEqual({ ...clean, live: 2, stale: ['1'], resurrected: ['2'] });
  });

  it('are worked out in steps: nobody waits for all ids to be looked up', () => {
    const log = new LogBuilder();
    for (let id = 0; id < 100_000; id++) log.store(id, '1');
    const source = new MemorySource(log.raw([0x99]).bytes());
    const table = runToEnd(scan({ source, crc32: packageCrc32 }));
    table.link();
    let lookedUp = 0;
    let most = 0;
    const liveRow = table.liveRow.bind(table);
    table.liveRow = (low, high) => {
      lookedUp++;
      return liveRow(low, high);
    };
    const steps = outcomesOf({
      source,
      crc32: packageCrc32,
      table,
      snapshot: null,
      snapshotAgrees: false,
      payloads: true,
    });
    for (let step = steps.next(); !step.done; step = steps.next()) {
      most = Math.max(most, lookedUp);
      lookedUp = 0;
    }
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThan(50_000);
  });

  it('payloads that only one JSON reader reads are unreadable to the generations of the other', () => {
    const onlyApproximate = '179769313486231581e291';
    const onlyExact = '[1.7976931348623158e308]';
    const log = new LogBuilder().store(1, onlyApproximate).store(2, onlyExact).store(3, '1e999').store(4).bytes();
    for (const damaged of [log, new LogBuilder().raw(log).raw([0x99]).bytes()]) {
      const { of, salvage } = outcomes(damaged);
      expect(of('v3.12')).toEqual({ ...clean, live: 4, unreadable: ['2', '3'] });
      expect(of('v8.0')).toEqual({ ...clean, live: 4, unreadable: ['1', '3'] });
      expect(salvage.opens && salvage.lists.unreadable?.slice(0, 9)).toEqual(['2', '3']);
    }
  });

  it('all at once are the same as each alone, with and without what the JSON readers differ in', () => {
    const rumour = [0x99, 1, 2, 3, 4, 5, 6, 7, 8, 9];
    for (const text of ['1', '179769313486231581e291']) {
      for (const log of [
        new LogBuilder().store(1, text).store(2).bytes(),
        new LogBuilder().store(1, text).raw(rumour).store(2).bytes(),
        new LogBuilder().store(1).store(2, text).raw(rumour).store(3).bytes(),
      ]) {
        const source = new MemorySource(log);
        const table = runToEnd(scan({ source, crc32: packageCrc32 }));
        table.link();
        runToEnd(checkPayloads({ source, table }));
        const options = { source, crc32: packageCrc32, table, snapshot: null, snapshotAgrees: false, payloads: true };
        const together = runToEnd(outcomesOf(options));
        for (const generation of GENERATIONS) {
          expect(together[generation]).toEqual(runToEnd(outcomeOf({ ...options, generation })));
        }
        expect(together['v8.0'] === together['v3.12']).toBe(text === '1');
      }
    }
  });
});

describe.skipIf(!goldenPresent)('golden cases', () => {
  const cases = new Map(goldenCases().map((golden) => [golden.name, golden]));
  const of = (name: string, generation: (typeof GENERATIONS)[number]) => {
    const golden = cases.get(name)!;
    return outcomes(golden.log, golden.snapshot).of(generation);
  };

  it('payloads swapped by a snapshot are wrong, both of them', () => {
    expect(of('snap_offsets_swapped', 'v3.12')).toMatchObject({ live: 3, wrong: ['1', '2'], lost: [] });
  });

  it('an empty snapshot at the end hides every record', () => {
    expect(of('snap_pos_end_empty', 'v1.6')).toMatchObject({ live: 0, lost: ['1', '2', '3'] });
  });

  it('live and unreadable counts are what each engine answered', () => {
    for (const golden of cases.values()) {
      for (const generation of GENERATIONS) {
        const expected = golden.answers[generation];
        const outcome = of(golden.name, generation);
        const name = `${golden.name} ${generation}`;
        if (!expected.replay.ok) {
          expect(outcome, name).toEqual({ opens: false, error: expected.replay.kind });
          continue;
        }
        expect(outcome, name).toMatchObject({
          opens: true,
          live: expected.replay.count,
          unreadable: expected.dump.filter((line) => 'error' in line).map((line) => line.id),
        });
      }
    }
  });
});
