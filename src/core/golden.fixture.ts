import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GENERATIONS, type Generation } from './generation.ts';

/** What the real engines answered: read where it is present, skipped loudly by name where it is not. */
export const GOLDEN_DIRECTORY = new URL('../../../shared/golden/', import.meta.url).pathname;
export const goldenPresent = existsSync(join(GOLDEN_DIRECTORY, 'INDEX.md'));
if (!goldenPresent) console.warn('SKIPPED: golden cases (the folder ../shared/golden is not there)');

/** The generations that have recorded answers. */
export const GOLDEN_GENERATIONS = GENERATIONS;

/** The column of recorded answers each generation is held to. 8.0.0 was asked the same questions: see `answersOf8`. */
export const GOLDEN_NAMES: Readonly<Record<Generation, string>> = {
  'v1.6': 'seed',
  'v1.16': 'v1.16',
  'v1.17': 'v1.18',
  'v3.12': 'latest',
  'v8.0': 'latest',
};

/** What the real 8.0.0 answered otherwise than the column `latest`: messages of single payloads, all else was equal. */
const ANSWERS_OF_8: { case: string; id: string; error: { kind: string; message: string } }[] = readFileSync(
  new URL('../../interop/fixtures/golden-8.0.0.ndjson', import.meta.url),
  'utf8',
)
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line));

function answersOf8(name: string, latest: GoldenAnswer): GoldenAnswer {
  const other = new Map(
    ANSWERS_OF_8.filter((answer) => answer.case === name).map(({ id, error }) => [id, { id, error }]),
  );
  return { ...latest, dump: latest.dump.map((line) => other.get(line.id) ?? line) };
}

export interface GoldenAnswer {
  replay:
    | { ok: true; count: number; index: [string, string][]; last_snapshot_wal_pos: number; used_snapshot: boolean }
    | { ok: false; kind: string; message: string; used_snapshot: boolean };
  dump: ({ id: string; payload_text: string } | { id: string; error: { kind: string; message: string } })[];
}

export interface GoldenCase {
  name: string;
  directory: string;
  log: Uint8Array;
  snapshot: Uint8Array | null;
  answers: Record<Generation, GoldenAnswer>;
}

export function goldenCases(): GoldenCase[] {
  if (!goldenPresent) return [];
  return readdirSync(GOLDEN_DIRECTORY, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => {
      const directory = join(GOLDEN_DIRECTORY, name);
      const read = (file: string) => (existsSync(join(directory, file)) ? readFileSync(join(directory, file)) : null);
      const expected = JSON.parse(read('expected.json')!.toString()) as Record<string, GoldenAnswer>;
      return {
        name,
        directory,
        log: new Uint8Array(read('payloads.log') ?? []),
        snapshot: read('payloads.snapshot'),
        answers: Object.fromEntries(
          Object.entries(GOLDEN_NAMES).map(([generation, key]) => [
            generation,
            generation === 'v8.0' ? answersOf8(name, expected[key]!) : expected[key]!,
          ]),
        ) as Record<Generation, GoldenAnswer>,
      };
    });
}
