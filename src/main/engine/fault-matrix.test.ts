import { describe, expect, it } from 'vitest';
import { type FaultCase, faultMatrix } from './fault-matrix.fixture.ts';

describe('every call site × every fault × every crash state', () => {
  // The rest of the scenarios without fsync runs with `npm run faults`.
  const cases: FaultCase[] = [...faultMatrix(5)];
  const states = cases.reduce((sum, { states }) => sum + states, 0);
  console.log(`fault matrix: ${cases.length} call sites and faults, ${states} disk states`);

  it('covers every kind of call the engine makes', () => {
    const kinds = new Set(cases.map(({ site }) => site.split(' ')[1]));
    for (const kind of [
      'open',
      'append',
      'read',
      'sync',
      'truncate',
      'rename',
      'syncDirectory',
      'readWhole',
      'hasSize',
    ]) {
      // A truncation happens only after another failure, so it is no call site of the sound run.
      if (kind !== 'truncate') expect(kinds).toContain(kind);
    }
    expect(states).toBeGreaterThan(10_000);
  });

  it('loses nothing', () => {
    expect(cases.filter(({ losses }) => losses.length > 0)).toEqual([]);
  });

  it('tells every failure by a code of ours', () => {
    expect(cases.filter(({ outcome }) => /FOREIGN|INTERNAL/.test(outcome))).toEqual([]);
  });

  it('is no fault at all in the sound run', () => {
    for (const { fault, outcome } of cases.filter(({ site }) => site === '(none)')) {
      expect(`${fault} ${outcome}`).toBe('none saved');
    }
  });
});
