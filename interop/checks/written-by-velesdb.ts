import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { POLICIES } from '../../src/core/generation.ts';
import { canonicalize } from '../../src/core/json/canonicalize.ts';
import { StateCode } from '../../src/core/record-table.ts';
import { comparePrediction, requireHealthy, verify } from './prediction.ts';
import { Random } from './random.ts';
import type { Release } from './release.ts';
import type { Tally } from './tally.ts';

const CHECK = 'VelesDB writes';
const MEBIBYTE = 1 << 20;

/**
 * A release writes at random and Velescope reads: every payload byte for byte what that release prints of the text it was given, no
 * damage, a snapshot that agrees, and the same ids in every generation. The last round of a release goes past 10 MiB, where it
 * takes a snapshot of its own. Then every release opens what this one wrote, and answers what was predicted of it.
 */
export async function checkWrittenByVelesdb(
  tally: Tally,
  writer: Release,
  releases: Release[],
  options: { seed: number; rounds: number; scratch: string },
): Promise<void> {
  const random = new Random(options.seed);
  for (let round = 0; round < options.rounds; round++) {
    const directory = join(options.scratch, 'by-velesdb');
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory, { recursive: true });
    const large = round === options.rounds - 1;
    const model = await write(tally, writer, random, directory, large);
    await compare(tally, writer, model, directory, large);
    const verification = await verify(directory);
    try {
      for (const release of releases) await comparePrediction(tally, CHECK, release, verification);
      // Last, because it replaces the snapshot.
      await comparePrediction(tally, CHECK, writer, verification, { index: true });
    } finally {
      verification.state.close();
    }
  }
}

/** id → the text that was given for it. */
type Model = Map<string, string>;

async function write(tally: Tally, writer: Release, random: Random, directory: string, large: boolean): Promise<Model> {
  const model: Model = new Map();
  const { version, abilities } = writer;
  const open = () =>
    writer.must('storage.open', { directory, durability: random.pick(large ? ['flush'] : ['fsync', 'flush', 'none']) });
  await open();
  const entries = (count: number): [string, string][] =>
    Array.from({ length: count }, () => [String(random.id()), large ? bulk(random) : random.payload()]);
  const remember = (written: [string, string][]) => {
    for (const [id, text] of written) model.set(id, text);
  };
  const operations = large ? 190 : 60 + random.below(60);
  for (let operation = 0; operation < operations; operation++) {
    tally.operation(version);
    const kind = random.below(12);
    if (kind < 5) {
      const [[id, text]] = entries(1) as [[string, string]];
      await writer.must('storage.store', { id, text });
      remember([[id, text]]);
    } else if (kind === 5 && abilities.storeBatch) {
      const written = entries(random.below(8));
      await writer.must('storage.batch', { entries: written });
      remember(written);
    } else if (kind === 6 && abilities.deferredBatch) {
      const written = entries(random.below(8));
      await writer.must('storage.deferredBatch', { entries: written });
      remember(written);
    } else if (kind === 7 || kind === 8) {
      const id = String(random.id());
      await writer.must('storage.delete', { id });
      model.delete(id);
    } else if (kind === 9 && abilities.deleteBatch) {
      const ids = Array.from({ length: random.below(5) }, () => String(random.id()));
      await writer.must('storage.deleteBatch', { ids });
      for (const id of ids) model.delete(id);
    } else if (kind === 10) {
      await writer.must(random.chance(0.7) || large ? 'storage.flush' : 'storage.snapshot');
    } else if (kind === 11) {
      await writer.must('storage.close');
      await open();
    }
  }
  await writer.must('storage.close');
  return model;
}

/** About 100 KB, so that some hundred of them pass 10 MiB. */
function bulk(random: Random): string {
  return JSON.stringify({ n: random.next(), filler: 'x'.repeat(90_000 + random.below(20_000)) });
}

async function compare(tally: Tally, writer: Release, model: Model, directory: string, large: boolean): Promise<void> {
  const { version } = writer;
  const { jsonReader } = POLICIES[writer.generation];
  const verification = await verify(directory);
  const { state, outcomes } = verification;
  try {
    requireHealthy(tally, CHECK, version, verification);
    const { table, source } = state;
    const found = new Map<string, string>();
    for (let row = 0; row < table.rows; row++) {
      if (table.states[row] !== StateCode.live) continue;
      const bytes = source.read(table.offsets[row]! + 13, table.length(row) - 17);
      found.set(String(table.id(row)), new TextDecoder().decode(bytes));
    }
    const expected = new Map<string, string>();
    for (const [id, text] of model) {
      const printed = canonicalize(new TextEncoder().encode(text), jsonReader);
      expected.set(id, printed.ok ? new TextDecoder().decode(printed.bytes) : printed.check.message);
    }
    tally.of(version).operations += found.size;
    tally.same(version, CHECK, 'stored text', sorted(found), sorted(expected), directory);
    const live = outcomes.salvage.opens ? outcomes.salvage.live : -1;
    tally.same(version, CHECK, 'live ids', model.size, live, directory);
    if (large) {
      const grown = source.size > 10 * MEBIBYTE;
      tally.same(version, CHECK, 'a snapshot past 10 MiB', grown, state.snapshot.state === 'read', directory);
    }
  } finally {
    state.close();
  }
}

function sorted(values: Map<string, string>): [string, string][] {
  return [...values].sort(([a], [b]) => (BigInt(a) < BigInt(b) ? -1 : 1));
}
