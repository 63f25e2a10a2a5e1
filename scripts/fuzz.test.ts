import { describe, expect, it } from 'vitest';
import { runTarget } from './fuzz/target.ts';
import { allTargets, shares } from './fuzz/targets.ts';

const seed = Number(process.env.VELESCOPE_SEED ?? 20_260_101);
const cases = Number(process.env.VELESCOPE_RUNS ?? 800);
console.info(`fuzz: VELESCOPE_SEED=${seed} VELESCOPE_RUNS=${cases}; more of it: npm run fuzz`);

describe(`a short run of the fuzzer, seed ${seed}`, () => {
  const targets = allTargets();
  const counts = shares(targets, cases);

  it('gives every case asked for to a target', () => {
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(cases);
    expect(Math.min(...counts)).toBeGreaterThan(0);
  });

  for (const [at, target] of targets.entries()) {
    it(`${target.name}: no case breaks what has to hold`, () => {
      const { cases: ran, failure } = runTarget(target, { cases: counts[at]!, seed });
      expect(failure).toBeNull();
      expect(ran).toBe(counts[at]);
    });
  }
});
