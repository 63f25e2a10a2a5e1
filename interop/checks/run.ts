/** Runs the checks against every release (docs/interop.md) and prints what was compared. Started by run.mjs, which builds what is needed. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { checkDamage, checkKept } from './damage.ts';
import { Release } from './release.ts';
import { measureSpeed, type SpeedResult, speedTable } from './speed.ts';
import { Tally } from './tally.ts';
import { checkTogether } from './together.ts';
import { checkRecovered, checkWrittenByVelescope, checkWrittenThroughWindow } from './written-by-velescope.ts';
import { checkWrittenByVelesdb } from './written-by-velesdb.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    seed: { type: 'string' },
    releases: { type: 'string' },
    only: { type: 'string' },
    rounds: { type: 'string' },
    directories: { type: 'string' },
  },
});

const interop = resolve('interop');
const results = join(interop, 'results');
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(values.seed);
const rounds = Number(values.rounds ?? (values.quick ? 3 : 12));
const directories = Number(values.directories ?? (values.quick ? 300 : 3000));
const checks = values.only?.split(',') ?? ['written', 'damage', 'together', 'speed'];
const versions = (
  values.releases?.split(',') ?? readdirSync(join(interop, 'releases')).map((name) => name.slice(1))
).sort(byVersion);

rmSync(results, { recursive: true, force: true });
mkdirSync(results, { recursive: true });
const scratch = mkdtempSync(join(tmpdir(), 'velescope-interop-'));
const tally = new Tally(results);
const releases: Release[] = [];
for (const version of versions) releases.push(await Release.start(version, join(interop, 'target', 'release')));
const started = Date.now();
console.log(`seed ${seed}, ${rounds} rounds, ${directories} mutated directories, releases ${versions.join(', ')}`);

let speed: SpeedResult | null = null;
try {
  if (checks.includes('written')) {
    for (const release of releases) {
      await part(`VelesDB ${release.version} writes, everybody reads`, () =>
        checkWrittenByVelesdb(tally, release, releases, { seed: seed + 1, rounds, scratch }),
      );
    }
    await part('Velescope writes, every release reads', () =>
      checkWrittenByVelescope(tally, releases, { seed: seed + 2, rounds: rounds * 2, scratch }),
    );
    for (const release of releases) {
      await part(`Velescope edits through its window what VelesDB ${release.version} made`, async () => {
        for (let round = 0; round < Math.ceil(rounds / 4); round++) {
          await checkWrittenThroughWindow(tally, release, releases, { seed: seed + 3 + round * 1000, rounds, scratch });
        }
      });
    }
    await part('Velescope recovers, every release reads', () =>
      checkRecovered(tally, releases, { seed: seed + 4, rounds: rounds * 10, scratch }),
    );
  }
  if (checks.includes('damage')) {
    await part('cases that are kept', () => checkKept(tally, releases, join(interop, 'fixtures', 'damage'), scratch));
    await part('damage', () =>
      checkDamage(tally, releases, {
        seed: seed + 5,
        directories,
        scratch,
        golden: resolve('..', 'shared', 'golden'),
        resources: resolve('resources'),
      }),
    );
  }
  if (checks.includes('together')) {
    for (const release of releases) {
      const other = release === releases.at(-1) ? releases[0]! : releases.at(-1)!;
      await part(`living together with VelesDB ${release.version}`, () =>
        checkTogether(tally, release, other, scratch),
      );
    }
  }
  if (checks.includes('speed')) {
    // The newest, and the newest of the reference engine's generation.
    const oldest = releases.findLast(({ generation }) => generation === 'v1.6');
    const measured = [...new Set([oldest, releases.at(-1)])].filter((release) => release !== undefined);
    speed = await part('speed', () =>
      measureSpeed(measured, {
        seed: seed + 6,
        records: values.quick ? 20_000 : 100_000,
        quick: values.quick,
        scratch,
      }),
    );
  }
} finally {
  for (const release of releases) await release.end();
  rmSync(scratch, { recursive: true, force: true });
}

const rows = versions.map((version) => ({ release: version, generation: generationOf(version), ...tally.of(version) }));
console.log('');
console.log(
  ['release', 'generation', 'operations compared', 'directories compared', 'disagreements'].map(column).join(''),
);
for (const row of rows) {
  const line = [row.release, row.generation, row.operations, row.directories, row.disagreements];
  console.log(line.map((value, at) => column(String(value), at)).join(''));
}
if (speed !== null) console.log(`\n${speedTable(speed)}`);
const seconds = Math.round((Date.now() - started) / 1000);
const disagreements = rows.reduce((sum, row) => sum + row.disagreements, 0);
const machine = { platform: process.platform, cpu: cpus()[0]?.model ?? 'unknown', node: process.version };
tally.write('results.json', {
  seed,
  rounds,
  directories,
  seconds,
  machine,
  releases: rows,
  notes: tally.notes,
  disagreements: tally.disagreements,
  speed,
});
console.log(`\n${disagreements} disagreements, seed ${seed}, ${seconds} s. Written to interop/results/results.json`);
process.exitCode = disagreements === 0 ? 0 : 1;

async function part<Result>(title: string, work: () => Promise<Result>): Promise<Result> {
  const begin = Date.now();
  console.log(title);
  const result = await work();
  console.log(`  ${((Date.now() - begin) / 1000).toFixed(1)} s`);
  return result;
}

function generationOf(version: string): string {
  return releases.find((release) => release.version === version)!.generation;
}

function byVersion(a: string, b: string): number {
  const first = a.split('.').map(Number);
  const second = b.split('.').map(Number);
  for (let at = 0; at < 3; at++) if (first[at] !== second[at]) return first[at]! - second[at]!;
  return 0;
}

function column(text: string, at: number): string {
  const width = [10, 12, 22, 22, 16][at]!;
  return at < 2 ? text.padEnd(width) : text.padStart(width);
}
