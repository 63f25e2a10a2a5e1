import { isAbsolute, resolve } from 'node:path';
import { z } from 'zod';

/** What a second instance hands to the first: checked, because any program of this user can claim to be one. */
const launchSchema = z.strictObject({
  directory: z
    .string()
    .min(1)
    .max(4096)
    .refine((path) => isAbsolute(path) && !path.includes('\0'), 'not an absolute path')
    .nullable(),
});
export type Launch = z.infer<typeof launchSchema>;

/**
 * The directory named on the command line: `velescope DIR` or `velescope open DIR`. Switches are left out; Chromium adds some of
 * its own, and none of ours takes a value.
 *
 * @param argv as the process got it
 * @param packaged false when argv also holds the path of the application (`electron . DIR`)
 * @param workingDirectory what a relative path is relative to
 */
export function readArguments(argv: readonly string[], packaged: boolean, workingDirectory: string): Launch {
  const words = argv.slice(packaged ? 1 : 2).filter((word) => !word.startsWith('-'));
  if (words[0] === 'open') words.shift();
  const launch = parseLaunch({ directory: words[0] === undefined ? null : resolve(workingDirectory, words[0]) });
  return launch ?? { directory: null };
}

/** Checks what a second instance sent. Null when it is anything but a launch. */
export function parseLaunch(value: unknown): Launch | null {
  const parsed = launchSchema.safeParse(value);
  return parsed.success ? parsed.data : null;
}
