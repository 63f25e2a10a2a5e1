import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { POLICIES } from '../../src/core/generation.ts';
import { canonicalize } from '../../src/core/json/canonicalize.ts';
import { POLICIES_OF_RECOVERY, planRecovery } from '../../src/core/recovery/plan.ts';
import { runToEnd } from '../../src/core/steps.ts';
import { crc32 } from '../../src/main/engine/crc32.ts';
import { LogPayloadStorage, type Operation } from '../../src/main/engine/log-payload-storage.ts';
import { nodeFiles } from '../../src/main/engine/node-files.ts';
import { recoverTo } from '../../src/main/engine/recovery.ts';
import { readForRecovery } from '../../src/main/engine/recovery-read.ts';
import { damagedLog } from './damage.ts';
import { comparePrediction, requireHealthy, verify } from './prediction.ts';
import { Random } from './random.ts';
import type { Release } from './release.ts';
import type { Tally } from './tally.ts';
import { VelescopeWindow } from './window.ts';

const ENGINE = 'Velescope writes';
const WINDOW = 'Velescope writes through its window';
const RECOVERY = 'Velescope recovers';

/** id → the text given for it, stored as it stands. */
type Model = Map<string, string>;

interface Options {
  seed: number;
  rounds: number;
  scratch: string;
}

/** The engine writes at random: every release opens the result and reads the values that were given, with and without the snapshot. */
export async function checkWrittenByVelescope(tally: Tally, releases: Release[], options: Options): Promise<void> {
  const random = new Random(options.seed);
  for (let round = 0; round < options.rounds; round++) {
    const directory = join(options.scratch, 'by-velescope');
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory, { recursive: true });
    const model: Model = new Map();
    const large = round === options.rounds - 1;
    let operations = 0;
    for (let opening = 0; opening < 4; opening++) {
      const storage = LogPayloadStorage.open(directory, {
        writable: true,
        durability: large ? 'flush' : random.pick(['fsync', 'flush', 'none']),
        // Small, so that automatic snapshots are among what is tried; the large round waits for the real 10 MiB.
        ...(large ? {} : { automaticSnapshotBytes: 600 }),
      });
      operations += writeAtRandom(storage, random, model, large ? 45 : 20 + random.below(20), large);
      if (random.chance(0.3)) storage.createSnapshot();
      storage.close();
    }
    await compareEverywhere(tally, ENGINE, releases, directory, model, operations);
  }
}

function writeAtRandom(
  storage: LogPayloadStorage,
  random: Random,
  model: Model,
  count: number,
  large: boolean,
): number {
  const accepted = () => (large ? ` {"n" : ${random.payload()},\n"filler":"${'x'.repeat(90_000)}"}` : random.payload());
  for (let made = 0; made < count; made++) {
    const kind = random.below(10);
    const id = random.id();
    if (kind < 5) {
      const payload = accepted();
      storage.store(id, payload);
      model.set(String(id), payload);
    } else if (kind < 7) {
      storage.delete(id);
      model.delete(String(id));
    } else if (kind < 9) {
      const operations: Operation[] = [];
      for (let at = random.below(8); at > 0; at--) {
        const target = random.id();
        if (random.chance(0.7)) {
          const payload = accepted();
          operations.push({ type: 'store', id: target, payload });
          model.set(String(target), payload);
        } else {
          operations.push({ type: 'delete', id: target });
          model.delete(String(target));
        }
      }
      storage.apply(operations);
    } else if (random.chance(0.3)) storage.createSnapshot();
    else storage.flush();
  }
  return count;
}

/** Edits and drafts as a person makes them, in a database that a release made, with snapshots in between. */
export async function checkWrittenThroughWindow(
  tally: Tally,
  maker: Release,
  releases: Release[],
  options: Options,
): Promise<void> {
  const random = new Random(options.seed);
  const root = join(options.scratch, 'window');
  const database = join(root, 'database');
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root, { recursive: true });
  await maker.must('database.open', { root: database });
  await maker.must('database.createMetadata', { collection: 'notes' });
  const model: Model = new Map();
  const reader = POLICIES[maker.generation].jsonReader;
  for (let point = 0; point < 20; point++) {
    const id = String(random.id());
    const text = `{"v":${random.payload()}}`;
    await maker.must('database.upsert', { collection: 'notes', points: [{ id, text }] });
    const printed = canonicalize(new TextEncoder().encode(text), reader);
    if (!printed.ok) throw new Error(printed.check.message);
    model.set(id, new TextDecoder().decode(printed.bytes));
  }
  await maker.must('database.close');

  const window = new VelescopeWindow(database, join(root, 'settings'));
  let operations = 0;
  try {
    const notes = await window.open('notes');
    tally.same(maker.version, WINDOW, 'writing can be turned on', null, await notes.setWriting(true));
    for (let batch = 0; batch < 6; batch++) {
      const changes = new Map<string, string | null>();
      for (let at = 0; at < 1 + random.below(8); at++) {
        const id = random.chance(0.5) && model.size > 0 ? random.pick([...model.keys()]) : String(random.id());
        const isDelete = random.chance(0.25) && model.has(id);
        changes.set(id, isDelete ? null : random.payload());
      }
      await notes.write([...changes].map(([id, text]) => ({ id, text })));
      operations += changes.size;
      for (const [id, text] of changes) {
        if (text === null) model.delete(id);
        else model.set(id, text);
      }
      if (random.chance(0.4)) await notes.client.call('snapshot.create', { session: notes.session });
    }
    await notes.setWriting(false);
    await notes.close();
  } finally {
    await window.close();
  }
  await compareEverywhere(tally, WINDOW, releases, join(database, 'notes'), model, operations);
}

/** Results of recoveries of damaged logs, under every policy, compacted and not. */
export async function checkRecovered(tally: Tally, releases: Release[], options: Options): Promise<void> {
  const random = new Random(options.seed);
  for (let round = 0; round < options.rounds; round++) {
    const directory = join(options.scratch, 'damaged');
    const target = join(options.scratch, 'recovered');
    for (const path of [directory, target]) rmSync(path, { recursive: true, force: true });
    damagedLog(random, directory);
    const read = runToEnd(readForRecovery(nodeFiles, directory));
    try {
      const { source, table } = read;
      const policy = random.pick(POLICIES_OF_RECOVERY);
      const compact = random.chance(0.4);
      const plan = runToEnd(
        planRecovery({ source, table, crc32, policy, compact, applyCandidates: random.chance(0.5) }),
      );
      if (!plan.met) continue;
      runToEnd(recoverTo({ ...read, plan }, target));
    } finally {
      read.close();
    }
    const verification = await verify(target);
    try {
      for (const release of releases) await comparePrediction(tally, RECOVERY, release, verification);
      const { state, outcomes } = verification;
      for (const release of releases) {
        const outcome = outcomes[release.generation];
        const framing = state.table.totals().byVerdict;
        const unsound =
          (framing['unknown-bytes'] ?? 0) +
          (framing.torn ?? 0) +
          (framing['zero-filled'] ?? 0) +
          (framing['crc-mismatch'] ?? 0);
        tally.same(
          release.version,
          RECOVERY,
          'nothing of the damage is left',
          { opens: outcome.opens, unsound },
          { opens: true, unsound: 0 },
          target,
        );
      }
    } finally {
      verification.state.close();
    }
    for (const release of releases) await withoutSnapshot(tally, release, target, options.scratch);
  }
}

/** Every release reads what was given, through the canonical form of its own reader; once more without the snapshot. */
async function compareEverywhere(
  tally: Tally,
  check: string,
  releases: Release[],
  directory: string,
  model: Model,
  operations: number,
): Promise<void> {
  const verification = await verify(directory);
  try {
    for (const release of releases) {
      tally.of(release.version).operations += operations;
      requireHealthy(tally, check, release.version, verification);
      await comparePrediction(tally, check, release, verification);
      const { jsonReader } = POLICIES[release.generation];
      const expected = [...model]
        .sort(([a], [b]) => (BigInt(a) < BigInt(b) ? -1 : 1))
        .map(([id, text]) => {
          const printed = canonicalize(new TextEncoder().encode(text), jsonReader);
          return { id, text: printed.ok ? new TextDecoder().decode(printed.bytes) : printed.check.message };
        });
      await release.must('storage.open', { directory });
      const { items } = await release.must('storage.dump');
      await release.must('storage.close');
      tally.of(release.version).operations += items.length;
      tally.same(release.version, check, 'values', items, expected, directory);
    }
  } finally {
    verification.state.close();
  }
  for (const release of releases) await withoutSnapshot(tally, release, directory, join(directory, '..'));
}

/** The snapshot of a directory says what its log says: a release that has to replay everything finds the same, where it was. */
async function withoutSnapshot(tally: Tally, release: Release, directory: string, scratch: string): Promise<void> {
  if (!existsSync(join(directory, 'payloads.snapshot'))) return;
  const copy = join(scratch, 'without-snapshot');
  rmSync(copy, { recursive: true, force: true });
  mkdirSync(copy, { recursive: true });
  cpSync(join(directory, 'payloads.log'), join(copy, 'payloads.log'));
  const dump = async (path: string) => {
    await release.must('storage.open', { directory: path });
    const { items } = await release.must('storage.dump');
    await release.must('storage.close');
    return items;
  };
  const withIt = await dump(directory);
  tally.directory(release.version);
  tally.same(release.version, 'Velescope snapshots', 'values with and without it', await dump(copy), withIt, directory);
  rmSync(copy, { recursive: true, force: true });
}
