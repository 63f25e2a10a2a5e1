/**
 * Every figure of speed and memory that Velescope is held to, beside its limit, measured in one run. Generates its data with fixed
 * seeds into a temporary directory, prints a table, and writes the figures to bench/results/.
 *
 *   npm run bench                    everything (a few gigabytes of disk)
 *   npm run bench -- --quick         a tenth of the data
 *   npm run bench -- --only open     one of: open, search, storage, session
 *
 * Compare ratios of one run, not figures of two: a machine that does something else beside is slower in all of them. The workers
 * are those of the last build.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { LogPayloadStorage } from '../src/main/engine/log-payload-storage.ts';
import { writeLog } from './data.ts';
import { type Figure, figures } from './measure.ts';
import { benchOpening, benchSearch } from './open.ts';
import { benchSession } from './session.ts';
import { benchReading, benchWriting } from './storage.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    keep: { type: 'boolean', default: false },
    /** For the processes that this one starts. */
    session: { type: 'string' },
    settings: { type: 'string' },
    records: { type: 'string' },
    'with-snapshot': { type: 'boolean', default: false },
  },
});
if (values.session !== undefined) {
  await benchSession(values.session, values.settings!, Number(values.records), values['with-snapshot']);
  writeSync(3, JSON.stringify(figures));
  process.exit(0);
}
const scale = values.quick ? 0.1 : 1;
const rounds = Number(values.rounds);
const wanted = (part: string) => values.only === undefined || values.only === part;

const root = mkdtempSync(join(tmpdir(), 'velescope-bench-'));
process.on('exit', () => {
  if (!values.keep) rmSync(root, { recursive: true, force: true });
});
const makeCollection = (name: string, recordSize: number, records: number) => {
  const directory = join(root, name);
  mkdirSync(directory, { recursive: true });
  const path = join(directory, 'payloads.log');
  return { directory, path, bytes: writeLog(path, { recordSize, records: Math.round(records), seed: recordSize }) };
};

const processor = `${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} threads`;
console.log(`Velescope benchmarks: Node ${process.version}, ${process.platform}, ${processor}, seed fixed\n`);

if (wanted('open') || wanted('search')) {
  for (const [label, recordSize, goal] of [
    ['160 B', 160, 0.4],
    ['1 KB', 1024, 0.8],
    ['16 KB', 16_384, 1.0],
  ] as const) {
    const { directory, path, bytes } = makeCollection(label.replace(' ', '-'), recordSize, (1e9 * scale) / recordSize);
    if (wanted('open')) await benchOpening(path, label, bytes, goal, rounds);
    if (recordSize === 1024 && wanted('search')) await benchSearch(directory, path, bytes, rounds);
    rmSync(directory, { recursive: true });
  }
}
if (wanted('storage')) {
  const { directory } = makeCollection('storage', 300, 1e6 * scale);
  await benchReading(directory);
  rmSync(directory, { recursive: true });
  await benchWriting(root);
}
if (wanted('session')) {
  const records = Math.round(10e6 * scale);
  const settings = join(root, 'settings');
  mkdirSync(settings);
  const { directory } = makeCollection('session', 120, records);
  // In processes of their own: what was measured before would count as their memory.
  const alone = (...more: string[]) => {
    const parameters = ['--session', directory, '--settings', settings, '--records', String(records), ...more];
    const child = spawnSync(process.execPath, [process.argv[1]!, ...parameters], {
      stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
      encoding: 'utf8',
    });
    if (child.status !== 0) throw new Error(`The session's process ended with ${child.status}`);
    figures.push(...(JSON.parse(child.output[3]!) as Figure[]));
  };
  alone();
  const writer = LogPayloadStorage.open(directory, { writable: true, automaticSnapshotBytes: Number.MAX_SAFE_INTEGER });
  writer.createSnapshot();
  writer.close();
  alone('--with-snapshot');
}

const results = resolve('bench/results');
mkdirSync(results, { recursive: true });
const file = join(results, `${new Date().toISOString().replaceAll(':', '-')}.json`);
writeFileSync(
  file,
  `${JSON.stringify({ node: process.version, platform: process.platform, processor, scale, figures }, null, 2)}\n`,
);
const missed = figures.filter((figure) => figure.met === false);
console.log(`\n${figures.length} figures, ${missed.length} goals missed. Written to ${file}`);
