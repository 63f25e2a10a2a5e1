import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Generation } from './generation.ts';

/** What the real engines answered: read where it is present, skipped loudly by name where it is not. */
export const GOLDEN_DIRECTORY = new URL('../../../shared/golden/', import.meta.url).pathname;
export const goldenPresent = existsSync(join(GOLDEN_DIRECTORY, 'INDEX.md'));
if (!goldenPresent) console.warn('SKIPPED: golden cases (the folder ../shared/golden is not there)');

export const GOLDEN_NAMES: Readonly<Record<Generation, string>> = {
  'v1.6': 'seed',
  'v1.16': 'v1.16',
  'v1.17': 'v1.18',
  'v3.12': 'latest',
};

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
          Object.entries(GOLDEN_NAMES).map(([generation, key]) => [generation, expected[key]!]),
        ) as Record<Generation, GoldenAnswer>,
      };
    });
}
