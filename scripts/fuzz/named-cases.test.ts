import { expect, it } from 'vitest';
import { namedCases } from './named-cases.ts';

// The logs of one repeated byte are 256 alike; a few stand for them here, all of them run with `npm run fuzz`.
const cases = namedCases().filter(({ name }) => !/byte (?!00|01|02|c3|c4|ff)/.test(name));

it('holds the lengths, bytes and counts that ask for everything', () => {
  const names = cases.map(({ name }) => name);
  expect(names).toContain('a record of marker c3 that claims 4 GiB');
  expect(names).toContain('a log of the byte c3 alone');
  expect(names).toContain(`a snapshot of one entry that claims ${2n ** 60n}`);
});

// Bounds are counted inside each case: bytes read and hashed, steps taken, memory held; a broken one throws.
it.each(cases)('ends in bounded work and memory: $name', ({ run }) => {
  expect(run).not.toThrow();
});
