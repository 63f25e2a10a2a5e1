import type { Files } from '../main/engine/files.ts';
import type { Output } from './output.ts';

/** What a command has of the process it runs in; tests put their own in its place. */
export interface CommandLine {
  readonly out: Output;
  readonly errors: Output;
  readonly input: AsyncIterable<Uint8Array>;
  readonly files: Files;
}

/** Exit statuses (docs/contract.md, "Command line"). */
export const Exit = {
  /** Healthy, or done. */
  done: 0,
  /** Could not. */
  failed: 1,
  usage: 2,
  /** Done, but there is damage, or something was left out. */
  found: 3,
} as const;
export type Exit = (typeof Exit)[keyof typeof Exit];

/** The status of several: could not, if any could not; else found, if any. */
export function worse(a: Exit, b: Exit): Exit {
  const order: readonly Exit[] = [Exit.done, Exit.found, Exit.failed, Exit.usage];
  return order.indexOf(a) > order.indexOf(b) ? a : b;
}

/** The words on the command line make no sense; nothing was done. */
export class UsageError extends Error {}
