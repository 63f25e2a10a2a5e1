import fc from 'fast-check';

/** One thing that is fuzzed: how its cases are made, and what has to hold for each of them. */
export interface Target {
  name: string;
  /** Its share of the cases. */
  weight: number;
  /** Makes a case. Its type is the target's own affair. */
  cases: fc.Arbitrary<unknown>;
  /** Throws where something that has to hold does not. Synchronous, so that a case that hangs can be told by its silence. */
  check: (value: unknown) => void;
}

/** Ties a check to the cases it takes. */
export function target<Case>(
  name: string,
  weight: number,
  cases: fc.Arbitrary<Case>,
  check: (value: Case) => void,
): Target {
  return { name, weight, cases, check: check as (value: unknown) => void };
}

/** How often a failed case is tried smaller: beyond it gains are small, and a large case has millions of smaller ones. */
const MOST_ATTEMPTS = 2000;

/** What came of a target's cases. */
export interface Outcome {
  cases: number;
  /** Null where everything held. */
  failure: { path: string; message: string; example: string } | null;
}

/**
 * Runs a target's cases, or the one at `path` and what it shrinks to. `started` is told the number of each case before it
 * runs; numbers from `cases` on are attempts to make a failed one smaller.
 */
export function runTarget(
  { cases: arbitrary, check }: Target,
  options: { cases: number; seed: number; path?: string; started?: (number: number) => void },
): Outcome {
  let number = -1;
  let attempts = -1;
  const details = fc.check(
    fc.property(arbitrary, (value) => {
      options.started?.(++number);
      if (attempts >= 0 && ++attempts > MOST_ATTEMPTS) return;
      try {
        check(value);
      } catch (thrown) {
        attempts = Math.max(attempts, 0);
        throw thrown;
      }
    }),
    {
      seed: options.seed,
      numRuns: options.path === undefined ? options.cases : 1,
      ...(options.path === undefined ? {} : { path: options.path, endOnFailure: true }),
    },
  );
  return {
    cases: details.numRuns,
    failure: details.failed
      ? {
          path: details.counterexamplePath ?? '0',
          message: messageOf(details.errorInstance),
          example: fc.stringify(details.counterexample?.[0]),
        }
      : null,
  };
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
}
