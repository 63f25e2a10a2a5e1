/**
 * Long pure work is a generator: it yields its progress every few hundred kilobytes and returns its result. The caller
 * decides how to run it: straight to the end (command line, tests), or in slices between which messages and
 * cancellations arrive (a session's worker). A callback for progress would leave no place to stop.
 */
export type Steps<Result, Progress = WorkProgress> = Generator<Progress, Result, void>;

/** How far a pass has come, in bytes of the log (or items, where the pass says so). */
export interface WorkProgress {
  done: number;
  total: number;
}

/** Runs the steps without a pause and returns the result. */
export function runToEnd<Result, Progress>(steps: Steps<Result, Progress>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}
