import assert from 'node:assert/strict';
import { databaseTargets } from './database-targets.ts';
import { jsonTargets } from './json-targets.ts';
import { logTargets } from './log-targets.ts';
import type { Target } from './target.ts';

export function allTargets(): Target[] {
  const targets = [...logTargets(), ...databaseTargets(), ...jsonTargets()];
  assert.equal(new Set(targets.map(({ name }) => name)).size, targets.length);
  return targets;
}

/** How many of `cases` each target gets, by weight; the rest of the division goes to the first ones. */
export function shares(targets: readonly Target[], cases: number): number[] {
  const weights = targets.reduce((sum, { weight }) => sum + weight, 0);
  const counts = targets.map(({ weight }) => Math.floor((cases * weight) / weights));
  let rest = cases - counts.reduce((sum, count) => sum + count, 0);
  for (let at = 0; rest > 0; at++, rest--) counts[at % counts.length]!++;
  return counts;
}
