import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { GENERATIONS } from '../../core/generation.ts';
import { GOLDEN_DIRECTORY, goldenCases, goldenPresent } from '../../core/golden.fixture.ts';
import { LogBuilder } from '../../core/log-builder.fixture.ts';
import { nodeFiles } from '../../main/engine/node-files.ts';
import { fingerprint } from '../fingerprint.fixture.ts';
import { type Printed, runHere } from '../run.fixture.ts';

const RESOURCES = join(import.meta.dirname, '..', '..', '..', 'resources');

describe.skipIf(!goldenPresent)('verify over the golden cases', () => {
  let before: Record<string, string>;
  beforeAll(() => {
    before = fingerprint(GOLDEN_DIRECTORY);
  });
  afterAll(() => {
    expect(fingerprint(GOLDEN_DIRECTORY), 'looking changed a file').toEqual(before);
  });

  for (const golden of goldenCases()) {
    it(`${golden.name}: segments tile the log, totals add up, every generation is as it was`, async () => {
      const words = ['verify', golden.directory, '--json', '--segments', '--ids'];
      const { lines, status } = await runHere(words);
      expect(lines).toHaveLength(1);
      const [report] = lines;
      let end = 0;
      let damagedBytes = 0;
      for (const segment of report.segments) {
        expect(segment.offset).toBe(String(end));
        end += segment.length;
        if (segment.verdict !== 'ok' && segment.verdict !== 'unprotected') damagedBytes += segment.length;
      }
      expect(end).toBe(golden.log.length);
      expect(report.log).toMatchObject({ bytes: golden.log.length, damagedBytes });
      expect(report.damage.map(({ offset }: { offset: string }) => offset)).toEqual(
        report.segments
          .filter(({ verdict }: { verdict: string }) => verdict !== 'ok' && verdict !== 'unprotected')
          .map(({ offset }: { offset: string }) => offset),
      );
      for (const generation of GENERATIONS) {
        const { replay, dump } = golden.answers[generation];
        const found = report.generations[generation];
        if (!replay.ok) {
          const error = { kind: replay.kind, message: replay.message };
          const none = { live: null, unreadable: null, lost: null, stale: null, resurrected: null, wrong: null };
          expect(found).toEqual({ opens: false, error, ...none });
          continue;
        }
        const unreadable = dump.filter((answer) => 'error' in answer).map(({ id }) => id);
        expect(found).toMatchObject({ opens: true, live: replay.count, unreadable: unreadable.length });
        expect(found.ids.live).toEqual(replay.index.map(([id]) => id));
        expect(found.ids.unreadable).toEqual(unreadable);
        for (const name of ['lost', 'stale', 'resurrected', 'wrong']) {
          expect(found.ids[name]).toHaveLength(found[name]);
        }
      }
      const { snapshot } = report;
      const sound = damagedBytes === 0 && ['absent', 'valid'].includes(snapshot.state);
      expect(status).toBe(sound ? 0 : 3);
      if (golden.snapshot === null) expect(snapshot).toEqual({ state: 'absent', disagreements: [] });
    });
  }
});

describe('verify over the shipped samples', () => {
  it('finds the healthy one healthy', async () => {
    const { lines, status } = await runHere(['verify', join(RESOURCES, 'sample'), '--json']);
    expect(status).toBe(0);
    expect(lines.map((line) => line.directory)).toEqual(
      ['_episodic_memory', '_semantic_memory', 'articles', 'empty', 'imported', 'people', 'products', 'upgraded'].map(
        (name) => join(RESOURCES, 'sample', name),
      ),
    );
    for (const { damage, snapshot, generations } of lines) {
      expect(damage).toEqual([]);
      expect(['absent', 'valid']).toContain(snapshot.state);
      expect(generations.salvage).toMatchObject({ unreadable: 0, lost: 0, stale: 0, resurrected: 0, wrong: 0 });
      for (const generation of GENERATIONS) expect(generations[generation]).toEqual(generations.salvage);
    }
  });

  it('finds in the damaged one what was done to it', async () => {
    const { lines, status } = await runHere(['verify', join(RESOURCES, 'damaged'), '--json', '--ids']);
    expect(status).toBe(3);
    const found: Printed = Object.fromEntries(
      lines.map((line) => [
        line.directory.split('/').at(-1),
        { ...line, verdicts: line.damage.map((one: Printed) => one.verdict) },
      ]),
    );
    expect(Object.fromEntries(Object.entries<Printed>(found).map(([name, { verdicts }]) => [name, verdicts]))).toEqual({
      broken_config: [],
      crc_mismatch: ['crc-mismatch', 'crc-mismatch', 'crc-mismatch'],
      legacy: ['payload-not-json', 'unknown-bytes'],
      length_damaged: ['unknown-bytes', 'unknown-bytes'],
      line_endings: expect.arrayContaining(['unknown-bytes']),
      missing_config: [],
      record_in_payload: ['crc-mismatch'],
      schema_too_new: [],
      stale_snapshot: [],
      torn_tail: ['torn'],
      unknown_marker: ['unknown-bytes'],
      unreadable: [...Array(3).fill('payload-unreadable'), ...Array(6).fill('payload-not-json')],
      zero_hole: ['unknown-bytes', 'zero-filled', 'unknown-bytes'],
      zero_tail: ['zero-filled'],
    });
    expect(found.crc_mismatch.damage.map((one: Printed) => one.candidates[0])).toEqual(
      Array(3).fill(expect.objectContaining({ kind: 'bit-flip', provenByCrc: true })),
    );
    expect(found.record_in_payload.damage[0].possible).toEqual([expect.objectContaining({ id: '666' })]);
    expect(found.stale_snapshot.snapshot).toMatchObject({ state: 'disagrees' });
    expect(found.stale_snapshot.generations['v3.12'].ids).toMatchObject({
      wrong: ['2', '4', '5', '6', '7'],
      unreadable: ['1', '8'],
    });
    expect(found.unknown_marker.generations['v3.12'].ids).toMatchObject({ stale: ['2'] });
    expect(found.torn_tail.generations['v1.6']).toMatchObject({ opens: false, error: { kind: 'UnexpectedEof' } });
    for (const { damage } of lines) for (const one of damage) expect(one.explanation).not.toBe('');
  });
});

describe('verify', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'velescope-verify-'));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });
  const put = (name: string, content: Uint8Array | string) => writeFileSync(join(directory, name), content);

  it('leaves payloads unread with --framing', async () => {
    put('payloads.log', new LogBuilder().store(1, '{"cut":').store(2).bytes());
    const framing = await runHere(['verify', directory, '--json', '--framing']);
    expect(framing.status).toBe(0);
    expect(framing.lines[0].log).toMatchObject({ records: 2, damagedBytes: 0 });
    expect(framing.lines[0].generations['v3.12']).toMatchObject({ opens: true, live: 2, unreadable: null });
    const whole = await runHere(['verify', directory, '--json']);
    expect(whole.status).toBe(3);
    expect(whole.lines[0].damage).toEqual([expect.objectContaining({ id: '1', verdict: 'payload-not-json' })]);
    expect(whole.lines[0].generations['v3.12']).toMatchObject({ live: 2, unreadable: 1 });
  });

  it('has no payload verdict with --framing, also where the scan read a legacy payload to believe its length', async () => {
    put('payloads.log', new LogBuilder().store(1).legacyStore(2, '{"cut":').store(3).bytes());
    const framing = await runHere(['verify', directory, '--json', '--framing', '--segments']);
    expect(framing.status).toBe(0);
    expect(framing.lines[0].log).toMatchObject({ records: 3, legacy: 1, gaps: 0, damagedBytes: 0 });
    expect(framing.lines[0].damage).toEqual([]);
    expect(framing.lines[0].segments.map(({ verdict }: { verdict: string }) => verdict)).toEqual([
      'ok',
      'unprotected',
      'ok',
    ]);
    const whole = await runHere(['verify', directory, '--json']);
    expect(whole.status).toBe(3);
    expect(whole.lines[0].damage).toEqual([expect.objectContaining({ id: '2', verdict: 'payload-not-json' })]);
    expect(framing.lines[0].generations.salvage.live).toBe(whole.lines[0].generations.salvage.live);
  });

  it('names ids and offsets as decimal strings beyond what a number holds', async () => {
    const log = new LogBuilder().store(2n ** 64n - 1n).store(2n ** 53n + 1n);
    put('payloads.log', log.bytes());
    const { lines, stdout } = await runHere(['verify', directory, '--json', '--segments']);
    expect(lines[0].segments).toEqual([
      {
        offset: '0',
        length: log.offsets[1],
        kind: 'store',
        format: 'crc',
        id: '18446744073709551615',
        verdict: 'ok',
        foundBySearch: false,
      },
      {
        offset: String(log.offsets[1]),
        length: log.length - log.offsets[1]!,
        kind: 'store',
        format: 'crc',
        id: '9007199254740993',
        verdict: 'ok',
        foundBySearch: false,
      },
    ]);
    expect(stdout.endsWith('\n')).toBe(true);
  });

  it('cannot where nothing says that there should be a log', async () => {
    const { lines, status } = await runHere(['verify', directory, '--json']);
    expect(lines).toEqual([{ directory, error: { code: 'NOT_FOUND', message: expect.any(String) } }]);
    expect(status).toBe(1);
  });

  it('finds a log missing where config.json or a snapshot speaks for it', async () => {
    put('config.json', '{"name":"x"}');
    const { lines, status } = await runHere(['verify', directory, '--json']);
    expect(lines[0]).toMatchObject({ directory, log: { bytes: 0, records: 0 } });
    expect(status).toBe(3);
    const human = await runHere(['verify', directory]);
    expect(human.stdout).toContain('the log is missing');
  });

  it('says why VelesDB ignores a snapshot', async () => {
    put('payloads.log', new LogBuilder().store(1).bytes());
    put('payloads.snapshot', 'VSNP');
    const { lines, status } = await runHere(['verify', directory, '--json']);
    expect(lines[0].snapshot).toEqual({ state: 'invalid', reason: 'Snapshot too small', disagreements: [] });
    expect(status).toBe(3);
  });
});

if (process.platform !== 'linux')
  console.warn('SKIPPED: verify beside a running VelesDB (only Linux tells who holds a lock)');
describe.skipIf(process.platform !== 'linux')('verify beside a running VelesDB', () => {
  const intact = new LogBuilder().store(1).bytes();
  const next = new LogBuilder().store(2, '{"second":true}').bytes();
  let release = () => {};
  let directory: string;
  let collection: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'velescope-verify-'));
    collection = join(directory, 'items');
    mkdirSync(collection);
    writeFileSync(join(collection, 'config.json'), '{"name":"items"}');
    writeFileSync(join(collection, 'payloads.log'), Buffer.concat([intact, next.slice(0, 20)]));
    const lock = nodeFiles.open(join(directory, 'velesdb.lock'), 'append');
    expect(lock.tryLock(true)).toBe(true);
    release = () => lock.close();
  });
  afterEach(() => {
    release();
    rmSync(directory, { recursive: true });
  });

  it('does not count a record that is being written as damage', async () => {
    const { lines, status } = await runHere(['verify', collection, '--json']);
    expect(lines[0].damage).toEqual([
      expect.objectContaining({ offset: String(intact.length), verdict: 'torn', inFlight: true, candidates: [] }),
    ]);
    expect(lines[0].log).toMatchObject({ records: 1, damagedBytes: 0 });
    expect(status).toBe(0);
    const human = await runHere(['verify', collection]);
    expect(human.stdout).toContain('being written');
  });

  it('sees the record whole where it is finished a moment later', async () => {
    setTimeout(() => appendFileSync(join(collection, 'payloads.log'), next.slice(20)), 50);
    const { lines, status } = await runHere(['verify', collection, '--json']);
    expect(lines[0]).toMatchObject({ log: { records: 2, bytes: intact.length + next.length }, damage: [] });
    expect(status).toBe(0);
  });

  it('calls the same bytes torn once nobody holds the lock', async () => {
    release();
    const { lines, status } = await runHere(['verify', collection, '--json']);
    expect(lines[0].damage[0].inFlight).toBeUndefined();
    expect(lines[0].log.damagedBytes).toBe(20);
    expect(status).toBe(3);
  });
});
