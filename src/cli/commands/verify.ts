import { type CommandLine, Exit } from '../command-line.ts';
import { eachCollection } from '../directories.ts';
import { JsonLines } from '../json-lines.ts';
import { examine, statusOf } from '../verification.ts';
import { printJson, type VerificationParts } from '../verification-json.ts';
import { printInAll, printText } from '../verification-text.ts';

export interface VerifyCommandOptions extends Partial<VerificationParts> {
  framing?: boolean;
  json?: boolean;
}

/** `velescope verify`: what is damaged, what the snapshot is worth, and what each VelesDB makes of it. */
export async function verifyCommand(
  line: CommandLine,
  directories: readonly string[],
  options: VerifyCommandOptions,
): Promise<Exit> {
  const json = new JsonLines(line.out);
  const parts = { segments: options.segments ?? false, ids: options.ids ?? false };
  const found = { healthy: 0, troubled: 0, unread: 0 };
  const status = await eachCollection(line, directories, options, async (target) => {
    // Until it was looked at to its end.
    found.unread++;
    const verification = await examine(line.files, target, { framing: options.framing ?? false });
    try {
      const { skippedCandidates } = options.json
        ? await printJson(json, verification, parts)
        : await printText(line.out, verification, parts);
      await line.out.settle();
      if (skippedCandidates > 0) {
        line.errors.write(`velescope: no repairs were looked for in the last ${skippedCandidates} damaged segments\n`);
        await line.errors.flush();
      }
      const status = statusOf(verification);
      found.unread--;
      found[status === Exit.done ? 'healthy' : 'troubled']++;
      return status;
    } finally {
      verification.state.close();
    }
  });
  if (!options.json) printInAll(line.out, found);
  return status;
}
