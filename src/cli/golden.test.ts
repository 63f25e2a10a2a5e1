import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GENERATIONS } from '../core/generation.ts';
import { GOLDEN_DIRECTORY, goldenCases, goldenPresent } from '../core/golden.fixture.ts';
import { canonicalize } from '../core/json/canonicalize.ts';
import { fingerprint } from './fingerprint.fixture.ts';
import { runHere } from './run.fixture.ts';

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

/**
 * Operations whose log is known to the byte: those that store each id once are in expected.json; for the others the description
 * tells what came between.
 */
const REBUILT: Record<string, (stores: string[]) => string[]> = {
  ok_single: (stores) => stores,
  ok_scalars: (stores) => stores,
  ok_id_extremes: (stores) => stores,
  ok_payload_100k: (stores) => stores,
  // "store then delete": id 2, of the three records that many cases share, is gone.
  ok_deletes: ([first, third]) => [
    first!,
    '{"id":"2","payload":{"t":"beta","id":2}}',
    third!,
    '{"op":"delete","id":"2"}',
  ],
  // "deleted id comes back": the shared first record, its delete, and what is there now.
  ok_delete_then_store: ([again]) => [
    '{"id":"1","payload":{"t" : "alpha", "id" : 1}}',
    '{"op":"delete","id":"1"}',
    again!,
  ],
};

describe.skipIf(!goldenPresent)('batch --canonical', () => {
  for (const golden of goldenCases()) {
    const operationsOf = REBUILT[golden.name];
    if (operationsOf === undefined) continue;
    it(`writes ${golden.name} byte for byte as VelesDB did`, async () => {
      const { replay: expected, dump } = golden.answers['v1.6'];
      if (!expected.ok) throw new Error('this case opens');
      const order = expected.index.toSorted(([, a], [, b]) => Number(BigInt(a) - BigInt(b))).map(([id]) => id);
      const stores = order.map((id) => {
        const answer = dump.find((one) => one.id === id)!;
        if (!('payload_text' in answer)) throw new Error('every record of this case can be read');
        return `{"op":"store","id":"${id}","payload":${disarranged(answer.payload_text)}}`;
      });
      const directory = mkdtempSync(join(tmpdir(), 'velescope-golden-'));
      try {
        const ran = await runHere(['batch', directory, '--canonical'], { input: operationsOf(stores).join('\n') });
        expect(ran.status).toBe(0);
        expect(readFileSync(join(directory, 'payloads.log')).equals(golden.log)).toBe(true);
      } finally {
        rmSync(directory, { recursive: true });
      }
    });
  }

  it('has all the cases it means to rebuild', () => {
    expect(Object.keys(REBUILT).filter((name) => !goldenCases().some((golden) => golden.name === name))).toEqual([]);
  });
});

/** The same payload as nobody's engine would write it: members backwards, white space between. */
function disarranged(text: string): string {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return ` ${text} `;
  const members = Object.entries(value).reverse();
  return `{ ${members.map(([key, member]) => `${JSON.stringify(key)} : ${JSON.stringify(member)}`).join(' ,\t')} }`;
}

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
