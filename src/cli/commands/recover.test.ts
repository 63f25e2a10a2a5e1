import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { goldenCases, goldenPresent } from '../../core/golden.fixture.ts';
import { LogBuilder } from '../../core/log-builder.fixture.ts';
import type { OpenFile } from '../../main/engine/files.ts';
import { findHolder } from '../../main/engine/lock-holder.ts';
import { nodeFiles } from '../../main/engine/node-files.ts';
import { holderWords } from '../../main/services/in-flight.ts';
import { fingerprint } from '../fingerprint.fixture.ts';
import { type Printed, runHere } from '../run.fixture.ts';

const DAMAGED = join(import.meta.dirname, '..', '..', '..', 'resources', 'damaged');
const POLICIES = ['absolute', 'tolerate-tail', 'point-in-time', 'salvage'] as const;

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'velescope-recover-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Kept, left out and compacted away, in bytes. */
function accountedFor({ kept, leftOut, compactedAway }: Printed): number {
  const left = leftOut.reduce((sum: number, piece: Printed) => sum + piece.length, 0);
  return kept.bytes + left + (compactedAway?.bytes ?? 0);
}

describe('recover', () => {
  it('says what it would write, and writes it', async () => {
    const source = join(DAMAGED, 'crc_mismatch');
    const before = fingerprint(source);
    const target = join(directory, 'new');
    const words = ['recover', source, '--to', target, '--policy', 'salvage', '--json'];
    const dry = await runHere([...words, '--dry-run']);
    expect(existsSync(target)).toBe(false);
    const ran = await runHere(words);
    expect(fingerprint(source)).toEqual(before);
    expect([dry.status, ran.status]).toEqual([3, 3]);
    const log = readFileSync(join(source, 'payloads.log'));
    expect(ran.lines).toEqual([
      {
        directory: source,
        target,
        policy: 'salvage',
        kept: { records: 21, ids: 21, bytes: 1603 },
        leftOut: [
          [1525, 78],
          [1603, 13],
          [1616, 77],
        ].map(([offset, length]) => ({
          offset: String(offset),
          length,
          verdict: 'crc-mismatch',
          sha256: sha256(log.subarray(offset!, offset! + length!)),
        })),
        candidatesApplied: 0,
        evidence: join(target, 'evidence'),
        inputSha256: sha256(log),
        outputSha256: sha256(readFileSync(join(target, 'payloads.log'))),
        verified: true,
        steps: expect.arrayContaining([expect.stringContaining('velescope verify')]),
      },
    ]);
    const { verified: _, steps: __, ...written } = ran.lines[0];
    const { steps: ___, ...planned } = dry.lines[0];
    expect(planned).toEqual(written);
    expect((await runHere(['verify', target])).status).toBe(0);
  });

  it('repairs what the CRC proves, when asked', async () => {
    const target = join(directory, 'new');
    const words = ['recover', join(DAMAGED, 'crc_mismatch'), '--to', target, '--policy', 'absolute', '--json'];
    expect((await runHere(words)).lines[0].error.code).toBe('POLICY_NOT_MET');
    const ran = await runHere([...words, '--apply-candidates']);
    expect(ran.lines[0]).toMatchObject({ candidatesApplied: 3, verified: true });
    const { lines } = await runHere(['dump', target, '--as', 'v1.6']);
    expect(lines.find((line) => line.id === '7').payload.state).toBe('shipped');
    expect(lines.map((line) => line.id)).not.toContain('9');
    expect(lines.map((line) => line.id)).toContain('21');
  });

  it.each([
    // log, exit status under each policy in order
    ['healthy', new LogBuilder().store(1).store(2), [0, 0, 0, 0]],
    ['torn', new LogBuilder().store(1).raw([0xc3, 1, 2]), [1, 3, 3, 3]],
    ['damaged in the middle', new LogBuilder().store(1).raw(new Array(20).fill(0x55)).store(2), [1, 1, 3, 3]],
  ])('meets a policy or writes nothing: %s', async (_name, log, statuses) => {
    writeFileSync(join(directory, 'payloads.log'), log.bytes());
    const outside = mkdtempSync(join(tmpdir(), 'velescope-recovered-'));
    try {
      const found: number[] = [];
      for (const policy of POLICIES) {
        const target = join(outside, policy);
        const ran = await runHere(['recover', directory, '--to', target, '--policy', policy, '--json']);
        found.push(ran.status);
        if (ran.status === 1) {
          expect(ran.lines).toEqual([{ directory, error: { code: 'POLICY_NOT_MET', message: expect.any(String) } }]);
          expect(existsSync(target)).toBe(false);
        } else {
          expect(accountedFor(ran.lines[0])).toBe(log.length);
        }
      }
      expect(found).toEqual(statuses);
    } finally {
      rmSync(outside, { recursive: true });
    }
  });

  it('of a root writes each collection under its name', async () => {
    const target = join(directory, 'new');
    const ran = await runHere(['recover', DAMAGED, '--to', target, '--policy', 'salvage', '--compact', '--json']);
    expect(ran.status).toBe(3);
    expect(readdirSync(target)).toEqual(readdirSync(DAMAGED).filter((name) => name !== 'velesdb.lock'));
    for (const line of ran.lines) {
      const name = line.directory.slice(DAMAGED.length + 1);
      expect(line).toMatchObject({ target: join(target, name), verified: true });
      expect(accountedFor(line)).toBe(readFileSync(join(DAMAGED, name, 'payloads.log')).length);
    }
    const { lines } = await runHere(['verify', ...ran.lines.map((line) => line.target), '--json', '--framing']);
    expect(lines).toHaveLength(ran.lines.length);
    for (const { damage } of lines) {
      expect(damage.filter((one: Printed) => !one.verdict.startsWith('payload-'))).toEqual([]);
    }
  });

  it('refuses a target in or around its source, or one that is not empty', async () => {
    const source = join(directory, 'db', 'items');
    const root = join(directory, 'db');
    const files = async (words: string[]) =>
      (await runHere(['recover', ...words, '--policy', 'salvage', '--json'])).lines;
    writeFileSync(join(directory, 'occupied'), '');
    await runHere(['recover', join(DAMAGED, 'torn_tail'), '--to', source, '--policy', 'salvage']);
    for (const [words, code] of [
      [[source, '--to', source], 'TARGET_IS_SOURCE'],
      [[source, '--to', join(source, 'new')], 'TARGET_IS_SOURCE'],
      [[source, '--to', root], 'TARGET_IS_SOURCE'],
      [[source, '--to', DAMAGED], 'TARGET_NOT_EMPTY'],
      [[source, '--to', join(directory, 'occupied')], 'NOT_A_DIRECTORY'],
      [[DAMAGED, '--to', join(DAMAGED, 'new')], 'TARGET_IS_SOURCE'],
      [[join(directory, 'missing'), '--to', join(directory, 'new')], 'NOT_FOUND'],
    ] as const) {
      expect(await files([...words]), words.join(' ')).toEqual([
        { directory: words[0], error: { code, message: expect.any(String) } },
      ]);
    }
  });

  it('tells people the same, and what to do next', async () => {
    const ran = await runHere([
      'recover',
      join(DAMAGED, 'zero_hole'),
      '--to',
      join(directory, 'new'),
      '--policy',
      'salvage',
    ]);
    expect(ran.status).toBe(3);
    expect(ran.stdout).toContain('kept        22 records of 22 ids, 1,683 bytes');
    expect(ran.stdout).toContain('zero-filled at offset 512, 512 bytes');
    expect(ran.stdout).toMatch(/verified .*as planned/);
    expect(ran.stdout).toMatch(/^ {4}1\. Stop every program/m);
  });

  it.each([
    ['no target', ['recover', '.', '--policy', 'salvage']],
    ['no policy', ['recover', '.', '--to', 'x']],
    ['a policy that is none', ['recover', '.', '--to', 'x', '--policy', 'best']],
  ])('calls it misuse: %s', async (_name, words) => {
    expect((await runHere(words)).status).toBe(2);
  });
});

if (process.platform !== 'linux')
  console.warn('SKIPPED: recover beside a running VelesDB (only Linux tells who holds a lock)');
describe.skipIf(process.platform !== 'linux')('recover beside a running VelesDB', () => {
  const intact = new LogBuilder().store(1).bytes();
  const next = new LogBuilder().store(2, '{"second":true}').bytes();
  const words = `The record at offset ${intact.length} is incomplete because a running VelesDB is writing it: `;
  let collection: string;
  let lock: OpenFile;
  const recover = async (policy: string, name: string) => {
    const to = join(directory, name);
    return runHere(['recover', collection, '--to', to, '--policy', policy, '--json']);
  };
  const put = (...parts: Uint8Array[]) => writeFileSync(join(collection, 'payloads.log'), Buffer.concat(parts));
  beforeEach(() => {
    collection = join(directory, 'items');
    mkdirSync(collection);
    writeFileSync(join(collection, 'config.json'), '{"name":"items"}');
    put(intact, next.slice(0, 20));
    lock = nodeFiles.open(join(directory, 'velesdb.lock'), 'append');
    expect(lock.tryLock(true)).toBe(true);
  });
  afterEach(() => lock.close());

  it('says who is writing, not that the log is damaged', async () => {
    const { status, lines } = await recover('absolute', 'new');
    expect(status).toBe(1);
    expect(lines[0].error.code).toBe('POLICY_NOT_MET');
    expect(lines[0].error.message).toBe(`${words}${holderWords(findHolder(lock.path)!)} holds the lock.`);
  });

  it('says both where there is other damage as well', async () => {
    put(intact, new Uint8Array(20).fill(0x55), intact, next.slice(0, 20));
    const { lines } = await recover('absolute', 'new');
    expect(lines[0].error.message).toMatch(
      /2 damaged segments.* is incomplete because a running VelesDB is writing it/,
    );
  });

  it('leaves the record out where the policy does, and the first step says what it is', async () => {
    const { status, lines } = await recover('salvage', 'new');
    expect(status).toBe(3);
    expect(lines[0]).toMatchObject({ kept: { records: 1 }, leftOut: [{ verdict: 'torn', length: 20 }] });
    expect(lines[0].steps[0]).toContain(words);
    expect(lines[0].steps[0]).toContain('Stop that process and run this again.');
  });

  it('keeps the record where it is finished a moment later', async () => {
    setTimeout(() => put(intact, next), 50);
    const { status, lines } = await recover('absolute', 'new');
    expect(status).toBe(0);
    expect(lines[0]).toMatchObject({ kept: { records: 2 }, leftOut: [] });
  });

  it('calls the same bytes torn once nobody holds the lock', async () => {
    lock.close();
    const { lines } = await recover('absolute', 'new');
    expect(lines[0].error.message).toContain('1 damaged segment, torn');
  });
});

describe.skipIf(!goldenPresent)('recover over the golden cases', () => {
  for (const golden of goldenCases()) {
    it(`${golden.name}: salvage keeps every intact record and accounts for every byte`, async () => {
      const before = fingerprint(golden.directory);
      const target = join(directory, 'new');
      const ran = await runHere(['recover', golden.directory, '--to', target, '--policy', 'salvage', '--json']);
      expect(fingerprint(golden.directory)).toEqual(before);
      const [line] = ran.lines;
      expect(line).toMatchObject({ verified: true, inputSha256: sha256(golden.log) });
      expect(accountedFor(line)).toBe(golden.log.length);
      const salvaged = await runHere(['dump', golden.directory, '--as', 'salvage']);
      // Whatever VelesDB opens the result, it serves what was intact in the original, and nothing else.
      for (const generation of ['v1.6', 'v3.12']) {
        expect((await runHere(['dump', target, '--as', generation])).stdout).toBe(salvaged.stdout);
      }
    });
  }
});
