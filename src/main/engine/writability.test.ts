import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemorySource } from '../../core/byte-source.ts';
import { GENERATIONS, POLICIES } from '../../core/generation.ts';
import { goldenCases, goldenPresent } from '../../core/golden.fixture.ts';
import { LogBuilder } from '../../core/log-builder.fixture.ts';
import { replay } from '../../core/replay.ts';
import { encodeSnapshot, parseSnapshot, type Snapshot } from '../../core/snapshot.ts';
import { runToEnd } from '../../core/steps.ts';
import { crc32 } from './crc32.ts';
import { decideWritability, describeObstacle, type Writability, writingRefusal } from './writability.ts';

function decide(log: Uint8Array, snapshot: Snapshot | null = null): Writability {
  return runToEnd(decideWritability({ source: new MemorySource(log), crc32, snapshot }));
}

function kinds(answer: Writability): string[] {
  return answer.writable ? [] : answer.obstacles.map((obstacle) => obstacle.kind);
}

/** A snapshot as an engine would write it after the first `length` bytes of the log. */
function snapshotOf(log: Uint8Array, length: number, claimed = length): Snapshot {
  const source = new MemorySource(log.subarray(0, length));
  const result = runToEnd(replay({ source, crc32, generation: 'v1.6', snapshot: null }));
  if (!result.ok) throw new Error(result.message);
  const parsed = parseSnapshot(encodeSnapshot(claimed, result.index, crc32), crc32);
  if (!parsed.ok) throw new Error(parsed.error.message);
  return parsed.snapshot;
}

const sound = () => new LogBuilder().store(1).store(2).delete(1).legacyStore(3);

describe('whether a log may be written to', () => {
  it('is yes for whole records to the end, with or without a snapshot that agrees', () => {
    const log = sound().bytes();
    expect(decide(log)).toMatchObject({ writable: true });
    expect(decide(new Uint8Array())).toMatchObject({ writable: true });
    for (const offset of [...sound().offsets, log.length]) {
      const answer = decide(log, snapshotOf(log, offset));
      expect(answer).toMatchObject({ writable: true });
      if (answer.writable) expect(answer.index.size).toBe(2);
    }
  });

  it('is yes beside a CRC mismatch with sound framing', () => {
    const log = sound().bytes();
    log[15]! ^= 1;
    expect(decide(log)).toMatchObject({ writable: true });
  });

  it('is no behind a tear, and says which VelesDB does what', () => {
    const log = sound().store(4).bytes();
    const answer = decide(log.subarray(0, log.length - 3));
    expect(kinds(answer)).toEqual(['refuses', 'refuses', 'stops-early', 'stops-early', 'stops-early']);
    if (answer.writable) return;
    const at = sound().length;
    expect(describeObstacle(answer.obstacles[3]!)).toBe(`VelesDB 3.12 – 7.x ignores this log from offset ${at} on.`);
    const error = writingRefusal(answer.obstacles);
    expect(error.code).toBe('LOG_DAMAGED');
    expect(error.next).toMatch(/Repair/);
  });

  it('is no behind an unknown byte and behind a legacy record that runs past the end', () => {
    expect(kinds(decide(sound().raw(new Uint8Array(10)).bytes()))).toEqual(
      GENERATIONS.map((name) => (POLICIES[name].unknownMarker === 'refuse' ? 'refuses' : 'stops-early')),
    );
    const log = sound().legacyStore(5).bytes();
    expect(kinds(decide(log.subarray(0, log.length - 1)))).toEqual(
      GENERATIONS.map((name) => {
        if (POLICIES[name].indexesLegacyPastEnd) return 'runs-past-end';
        return POLICIES[name].pastEnd === 'refuse-length' ? 'refuses' : 'stops-early';
      }),
    );
  });

  it('is no beside a snapshot that is ahead of the log, in the middle of a record, or of another log', () => {
    const log = sound().bytes();
    expect(kinds(decide(log, snapshotOf(log, log.length, log.length + 1)))).toEqual(['snapshot-ahead']);
    const second = sound().offsets[1]!;
    expect(kinds(decide(log, snapshotOf(log, second, second + 5)))).toContain('snapshot-disagrees');
    const other = new LogBuilder().store(7).store(2).delete(7).legacyStore(3).bytes();
    const answer = decide(log, snapshotOf(other, second));
    expect(kinds(answer)).toEqual(['snapshot-disagrees']);
    if (!answer.writable) {
      expect(writingRefusal(answer.obstacles)).toMatchObject({ code: 'SNAPSHOT_DISAGREES' });
      expect(writingRefusal(answer.obstacles).next).toMatch(/removing payloads.snapshot/);
      // It goes through every door: a position of a snapshot is u64, and its bigint would end the process that sends it as JSON.
      const { data } = writingRefusal(answer.obstacles);
      expect(JSON.parse(JSON.stringify(data))).toEqual({
        obstacles: [expect.objectContaining({ kind: 'snapshot-disagrees', position: String(second) })],
      });
    }
  });

  it('is the same as asking every generation, whatever the bytes are', () => {
    const piece = fc.oneof(
      fc.record({ id: fc.nat(3), type: fc.constantFrom('store', 'delete', 'legacyStore', 'legacyDelete') }),
      fc.uint8Array({ maxLength: 12 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), fc.nat(30), fc.nat(400), (pieces, cut, flip) => {
        const builder = new LogBuilder();
        for (const part of pieces) {
          if (part instanceof Uint8Array) builder.raw(part);
          else builder[part.type as 'store'](part.id);
        }
        const log = builder.bytes().slice(0, Math.max(0, builder.length - (cut > 20 ? cut - 20 : 0)));
        if (flip < log.length) log[flip]! ^= 1 << (flip & 7);
        const everyGeneration = GENERATIONS.every((generation) => {
          const result = runToEnd(replay({ source: new MemorySource(log), crc32, generation, snapshot: null }));
          return result.ok && result.endedAt === log.length;
        });
        expect(decide(log).writable).toBe(everyGeneration);
      }),
      { numRuns: 2000 },
    );
  });

  it.skipIf(!goldenPresent)(
    'is no for every golden case whose answer differs between generations or from a full replay',
    () => {
      for (const golden of goldenCases()) {
        const parsed = golden.snapshot === null ? null : parseSnapshot(golden.snapshot, crc32);
        const snapshot = parsed?.ok ? parsed.snapshot : null;
        const answer = decide(golden.log, snapshot);
        const answers = GENERATIONS.map((generation) => {
          const { replay: expected } = golden.answers[generation];
          return JSON.stringify(expected.ok ? expected.index : expected.message);
        });
        if (new Set(answers).size > 1 || !golden.answers['v1.6'].replay.ok) {
          expect(`${golden.name} ${answer.writable}`).toBe(`${golden.name} false`);
        }
        if (golden.name.startsWith('ok_')) expect(`${golden.name} ${answer.writable}`).toBe(`${golden.name} true`);
        if (answer.writable) continue;
        for (const obstacle of answer.obstacles) expect(describeObstacle(obstacle)).not.toContain('undefined');
      }
    },
  );
});
