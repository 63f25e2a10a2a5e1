import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundle } from './bundle.fixture.ts';
import { torture } from './torture.fixture.ts';

describe('a writer killed at a random moment', () => {
  let child: Awaited<ReturnType<typeof bundle>>;
  beforeAll(async () => {
    child = await bundle('src/main/engine/torture-child.fixture.ts');
  });
  afterAll(() => child.remove());

  it('loses nothing that was acknowledged, and leaves a log that opens', async () => {
    const seed = Date.now() >>> 0;
    const directory = mkdtempSync(join(tmpdir(), 'velescope-torture-'));
    const report = await torture({ rounds: 25, seed, directory, child: child.program });
    console.log(`torture, seed ${seed}:`, JSON.stringify(report));
    expect(report.losses).toEqual([]);
    expect(report.rounds).toBe(25);
    expect(report.acknowledged).toBeGreaterThan(25);
  });
});
