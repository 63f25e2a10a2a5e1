import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemorySource } from '../../core/byte-source.ts';
import { IdIndex } from '../../core/id-index.ts';
import { LogBuilder } from '../../core/log-builder.fixture.ts';
import { mutate, mutations, originalLog } from '../../core/mutated-log.fixture.ts';
import { isSound } from '../../core/outcomes.ts';
import { replay } from '../../core/replay.ts';
import { encodeSnapshot } from '../../core/snapshot.ts';
import { runToEnd } from '../../core/steps.ts';
import { crc32 } from '../engine/crc32.ts';
import { MemoryFiles } from '../engine/memory-files.ts';
import { decideWritability } from '../engine/writability.ts';
import { CollectionState } from './collection.ts';
import { DamageList, describeDamages } from './damage.ts';
import { describeOutcomes, describeSnapshot } from './summary.ts';

const DIRECTORY = '/c';

/** Operations on few ids, so that they overwrite and delete each other. */
const operation = fc.record({ id: fc.integer({ min: 1, max: 6 }), deletes: fc.boolean() });
type Operation = { id: number; deletes: boolean };

function add(log: LogBuilder, operations: readonly Operation[]): void {
  for (const { id, deletes } of operations) {
    if (deletes) log.delete(id);
    else log.store(id);
  }
}

/** The snapshot that VelesDB would write of these operations. */
function snapshotOf(log: LogBuilder, operations: readonly Operation[]): Uint8Array {
  const index = new IdIndex();
  for (const [at, { id, deletes }] of operations.entries()) {
    if (deletes) index.delete(id, 0);
    else index.set(id, 0, log.offsets[at]! + 9);
  }
  return encodeSnapshot(log.length, index, crc32);
}

function read(files: MemoryFiles): CollectionState {
  const state = new CollectionState(files, DIRECTORY);
  state.open();
  runToEnd(state.scanOn());
  runToEnd(state.examine(0));
  return state;
}

/** What a session says that rests on the snapshot. */
const said = (state: CollectionState) => ({
  snapshot: describeSnapshot(state),
  outcomes: describeOutcomes(state),
  damage: runToEnd(describeDamages(state, runToEnd(new DamageList(state).rows(0)), () => false)),
});

describe('the entries of a snapshot that agrees', () => {
  it('are given up, and what is said of a log that grows is what a fresh look says', () => {
    fc.assert(
      fc.property(
        fc.array(operation, { maxLength: 12 }),
        fc.array(fc.oneof(fc.array(operation, { maxLength: 4 }), fc.uint8Array({ minLength: 1, maxLength: 40 })), {
          minLength: 1,
          maxLength: 4,
        }),
        (before, growth) => {
          const files = new MemoryFiles();
          const log = new LogBuilder();
          add(log, before);
          files.put(`${DIRECTORY}/payloads.log`, log.bytes());
          files.put(`${DIRECTORY}/payloads.snapshot`, snapshotOf(log, before));
          const state = read(files);
          state.releaseEntries();
          expect(state.snapshot).toMatchObject({ state: 'read', snapshot: null, check: { state: 'valid' } });
          const file = files.open(`${DIRECTORY}/payloads.log`, 'append');
          for (const more of growth) {
            const from = log.length;
            if (more instanceof Uint8Array) log.raw(more);
            else add(log, more);
            const bytes = log.bytes().subarray(from);
            if (bytes.length === 0) continue;
            file.append(bytes, 0, bytes.length);
            expect(state.lookAgain()).toBe('grew');
            const row = state.forgetTail();
            runToEnd(state.scanOn());
            runToEnd(state.examine(row));
            state.releaseEntries();
            const fresh = read(files);
            expect(said(state)).toEqual(said(fresh));
            fresh.close();
          }
          file.close();
          state.close();
        },
      ),
      { numRuns: 200 },
    );
  });

  it('stay while the snapshot disagrees, and where there is damage that they may hide', () => {
    const files = new MemoryFiles();
    const log = new LogBuilder().store(1).store(2);
    const honest = snapshotOf(log, [
      { id: 1, deletes: false },
      { id: 2, deletes: false },
    ]);
    files.put(`${DIRECTORY}/payloads.snapshot`, honest);
    files.put(`${DIRECTORY}/payloads.log`, log.store(1).bytes().subarray(0, -3));
    const torn = read(files);
    torn.releaseEntries();
    expect(torn.snapshot).toMatchObject({ snapshot: { count: 2 }, check: { state: 'valid' } });
    files.put(`${DIRECTORY}/payloads.log`, new LogBuilder().store(1).store(3).bytes());
    const disagreeing = read(files);
    disagreeing.releaseEntries();
    expect(disagreeing.snapshot).toMatchObject({ snapshot: { count: 2 }, check: { state: 'disagrees' } });
  });
});

describe('what is known of a log that has been read', () => {
  const entriesOf = (index: IdIndex): string[] => {
    const entries: string[] = [];
    index.forEach((low, high, offset) => {
      entries.push(`${high}:${low}@${offset}`);
    });
    return entries.sort();
  };
  const mutated = fc.tuple(originalLog, mutations);

  it('is, where it may be written to as it stands, the index that replay under the lock would build', () => {
    let sound = 0;
    fc.assert(
      fc.property(mutated, fc.boolean(), ([original, changes], withSnapshot) => {
        const { log } = mutate(original, changes);
        const files = new MemoryFiles();
        files.put(`${DIRECTORY}/payloads.log`, log);
        if (withSnapshot) files.put(`${DIRECTORY}/payloads.snapshot`, replayedSnapshotOf(log));
        const state = read(files);
        const known = isSound(state.table) ? state.knownLog() : null;
        if (known !== null) {
          sound++;
          const snapshot = state.snapshot.state === 'read' ? state.snapshot.snapshot : null;
          const decided = runToEnd(decideWritability({ source: new MemorySource(log), crc32, snapshot }));
          if (!decided.writable) throw new Error(`not writable: ${decided.obstacles[0]!.kind}`);
          expect(entriesOf(runToEnd(known.index()))).toEqual(entriesOf(decided.index));
        }
        state.close();
      }),
      { numRuns: 500 },
    );
    expect(sound).toBeGreaterThan(20);
  });

  it('is nothing once the log grew, and where the snapshot disagrees or is ignored', () => {
    const files = new MemoryFiles();
    files.put(`${DIRECTORY}/payloads.log`, new LogBuilder().store(1).store(2).bytes());
    const state = read(files);
    expect(state.knownLog()).toMatchObject({ snapshot: null, log: { size: 2 * (17 + 8) } });
    const file = files.open(`${DIRECTORY}/payloads.log`, 'append');
    const more = new LogBuilder().store(3).bytes();
    file.append(more, 0, more.length);
    state.lookAgain();
    expect(state.knownLog()).toBeNull();
    const row = state.forgetTail();
    runToEnd(state.scanOn());
    runToEnd(state.examine(row));
    expect(state.knownLog()).toBeNull();
    state.close();
    for (const snapshot of [encodeSnapshot(25, new IdIndex(), crc32), Uint8Array.of(1, 2, 3)]) {
      files.put(`${DIRECTORY}/payloads.snapshot`, snapshot);
      const other = read(files);
      expect(other.knownLog()).toBeNull();
      other.close();
    }
  });
});

/** The snapshot that VelesDB would write after replaying the log; an empty one where it refuses. */
function replayedSnapshotOf(log: Uint8Array): Uint8Array {
  const source = new MemorySource(log);
  const replayed = runToEnd(replay({ source, crc32, generation: 'v1.6', snapshot: null }));
  return encodeSnapshot(replayed.ok ? log.length : 0, replayed.ok ? replayed.index : new IdIndex(), crc32);
}
