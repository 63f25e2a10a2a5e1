import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GENERATIONS } from '../core/generation.ts';
import { GOLDEN_DIRECTORY, goldenCases, goldenPresent } from '../core/golden.fixture.ts';
import { canonicalize } from '../core/json/canonicalize.ts';
import { runHere } from './run.fixture.ts';

/** Size, times and hash of every file, and the times of every directory. */
function fingerprint(directory: string): Record<string, string> {
  const entries: Record<string, string> = {};
  const note = (path: string) => {
    const status = statSync(path, { bigint: true });
    const hash = status.isFile() ? createHash('sha256').update(readFileSync(path)).digest('hex') : 'directory';
    entries[path] = `${hash} ${status.mtimeNs} ${status.ctimeNs} ${status.size}`;
    if (status.isDirectory()) for (const name of readdirSync(path)) note(join(path, name));
  };
  note(directory);
  return entries;
}

describe.skipIf(!goldenPresent)('the golden cases through the commands', () => {
  let before: Record<string, string>;
  beforeAll(() => {
    before = fingerprint(GOLDEN_DIRECTORY);
  });
  afterAll(() => {
    expect(fingerprint(GOLDEN_DIRECTORY), 'looking changed a file').toEqual(before);
  });

  for (const golden of goldenCases()) {
    for (const generation of GENERATIONS) {
      const { replay: expected, dump } = golden.answers[generation];

      it(`replay ${golden.name} --as ${generation}`, async () => {
        const { lines, status } = await runHere(['replay', golden.directory, '--as', generation, '--json']);
        const head = { directory: golden.directory, ok: expected.ok, usedSnapshot: expected.used_snapshot };
        expect(lines).toEqual([
          expected.ok
            ? {
                ...head,
                lastSnapshotWalPosition: String(expected.last_snapshot_wal_pos),
                count: expected.count,
                index: expected.index,
              }
            : { ...head, kind: expected.kind, message: expected.message },
        ]);
        expect(status).toBe(expected.ok ? 0 : 3);
      });

      it(`dump ${golden.name} --as ${generation}`, async () => {
        const { stdout, status } = await runHere(['dump', golden.directory, '--as', generation, '--json']);
        if (!expected.ok) {
          expect(JSON.parse(stdout)).toEqual({ ok: false, kind: expected.kind, message: expected.message });
          expect(status).toBe(3);
          return;
        }
        const answers = stdout.split('\n').slice(0, -1).map(readLine);
        expect(answers).toEqual(dump);
        expect(status).toBe(dump.some((answer) => 'error' in answer) ? 3 : 0);
      });
    }
  }
});

/** A line of `dump` in the words of expected.json, where the payload is what VelesDB prints after reading it. */
function readLine(line: string): unknown {
  const { id, error } = JSON.parse(line);
  if (error) return { id, error };
  const start = `{"id":"${id}","payload":`;
  expect(line.startsWith(start)).toBe(true);
  const canonical = canonicalize(new TextEncoder().encode(line.slice(start.length, -1)));
  if (!canonical.ok) throw new Error(`VelesDB would not read what was printed: ${canonical.check.message}`);
  return { id, payload_text: new TextDecoder().decode(canonical.bytes) };
}
