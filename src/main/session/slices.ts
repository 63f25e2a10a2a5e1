import type { Steps, WorkProgress } from '../../core/steps.ts';
import { VelescopeError } from '../../shared/errors.ts';

/**
 * How long one slice of a long pass may hold the worker. Page fetches and cancellations wait at most this long; much shorter,
 * and the turns of the event loop would show in the pass.
 */
const SLICE_MILLISECONDS = 8;

/**
 * Runs steps to their result, letting messages in between slices. Throws CANCELLED when the signal says so. `milliseconds` is how long a
 * slice is, if not as long as usual: of two passes side by side, the one with longer slices is through sooner.
 */
export async function runSliced<Result>(
  steps: Steps<Result>,
  options: { signal?: AbortSignal; onProgress?: (progress: WorkProgress) => void; milliseconds?: number } = {},
): Promise<Result> {
  try {
    for (;;) {
      const until = performance.now() + (options.milliseconds ?? SLICE_MILLISECONDS);
      let progress: WorkProgress | null = null;
      do {
        if (options.signal?.aborted) throw new VelescopeError('CANCELLED', 'The work was cancelled.');
        const step = steps.next();
        if (step.done) return step.value;
        progress = step.value;
      } while (performance.now() < until);
      if (progress) options.onProgress?.(progress);
      await nextTurn();
    }
  } finally {
    // Steps given up in the middle close their files, release their locks and take back what they wrote. Nothing, when they ended.
    steps.return(undefined as never);
  }
}

/** Lets messages that have arrived be handled first. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Calls `run` at most once per `milliseconds`, the last call never lost. */
export function throttled(milliseconds: number, run: () => void): { (): void; flush(): void } {
  let last = 0;
  let timer: NodeJS.Timeout | null = null;
  const fire = () => {
    if (timer) clearTimeout(timer);
    timer = null;
    last = performance.now();
    run();
  };
  const call = () => {
    if (timer) return;
    const wait = last + milliseconds - performance.now();
    if (wait <= 0) fire();
    else {
      timer = setTimeout(fire, wait);
      timer.unref();
    }
  };
  return Object.assign(call, { flush: fire });
}
