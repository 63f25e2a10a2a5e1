import { escapeInvisible } from '../core/visible.ts';
import { LOG_FILE } from '../main/engine/lock.ts';
import { quoted } from '../main/engine/recovery-steps.ts';
import { type CollectionEntry, inspectDirectory } from '../main/services/directory.ts';
import { type ErrorValue, toErrorValue, VelescopeError } from '../shared/errors.ts';
import { type CommandLine, Exit, UsageError, worse } from './command-line.ts';
import { JsonLines } from './json-lines.ts';
import { OutputClosed, OutputFailed } from './output.ts';

/** A collection that a command is to work on. */
export interface Target {
  /** As given; for a collection of a root, joined with its name. */
  directory: string;
  /** Its name where it was reached through a root, else null. */
  collection: string | null;
  /** What its names tell; null where the directory is no collection, which VelesDB would open as an empty one. */
  entry: CollectionEntry | null;
}

/**
 * Runs `work` on every collection the directories name: a collection itself, or each of a root's. All are done even if one fails; a
 * failure is printed for its directory. Returns the worst status.
 */
export async function eachCollection(
  line: CommandLine,
  directories: readonly string[],
  options: { json?: boolean | undefined },
  work: (target: Target) => Promise<Exit>,
): Promise<Exit> {
  let status: Exit = Exit.done;
  const attempt = async (directory: string, action: () => Promise<Exit>) => {
    const result = await reporting(line, directory, options, action);
    status = worse(status, result);
  };
  for (const directory of directories) {
    await attempt(directory, async () => {
      const inspected = inspectDirectory(line.files, directory);
      if (inspected.kind === 'root') {
        for (const entry of inspected.collections) {
          await attempt(entry.path, () => work({ directory: entry.path, collection: entry.name, entry }));
        }
        return Exit.done;
      }
      const entry = inspected.kind === 'collection' ? inspected.collection : null;
      return work({ directory, collection: null, entry });
    });
  }
  return status;
}

/**
 * The collection's entry, for commands that need something to look at. NOT_FOUND where the directory is no collection, and where its names
 * are links that lead nowhere: a log that is missing beside neither a config.json nor a snapshot (docs/contract.md, "Exit status").
 */
export function requireCollection(directory: string, entry: CollectionEntry | null): CollectionEntry {
  if (entry === null) {
    throw new VelescopeError('NOT_FOUND', `${directory} holds no ${LOG_FILE}, and nothing says that it should`, {
      next: 'Name the directory of a collection, or of a database.',
    });
  }
  // Nothing is known of what may not be looked into: that is told in the system's words when it is opened.
  const isLookedInto = entry.problem?.code !== 'UNREADABLE_DIRECTORY';
  if (isLookedInto && !entry.hasLog && !entry.hasSnapshot && !entry.hasConfig) {
    throw new VelescopeError('NOT_FOUND', `What ${directory} holds are links that lead nowhere`, {
      next: 'Mount the disk that they lead to, or name the directory that holds the log.',
    });
  }
  return entry;
}

/** The one collection a command works on. UsageError for a root: the command would not know which. */
export function oneCollection(line: CommandLine, directory: string, command: string): Target {
  const inspected = inspectDirectory(line.files, directory);
  if (inspected.kind === 'root') {
    const example = inspected.collections[0];
    const hint = example ? `\n  Name one of its collections, as ${escapeInvisible(quoted(example.path))}` : '';
    throw new UsageError(
      `${command} works on one collection, and ${escapeInvisible(directory)} is a database root${hint}`,
    );
  }
  return { directory, collection: null, entry: inspected.kind === 'collection' ? inspected.collection : null };
}

/** Runs an action; what it throws is printed for the directory and becomes status 1. Usage errors and those of the output pass. */
export async function reporting(
  line: CommandLine,
  directory: string,
  options: { json?: boolean | undefined },
  action: () => Promise<Exit>,
): Promise<Exit> {
  try {
    return await action();
  } catch (thrown) {
    const isOfOutput = thrown instanceof OutputClosed || thrown instanceof OutputFailed;
    if (isOfOutput || thrown instanceof UsageError) throw thrown;
    await printFailure(line, directory, toErrorValue(thrown), options);
    return Exit.failed;
  }
}

/** Prints a failure: with --json as a line on stdout, else for people on stderr. */
export async function printFailure(
  line: CommandLine,
  directory: string,
  error: ErrorValue,
  options: { json?: boolean | undefined },
  more: object = {},
): Promise<void> {
  if (options.json) {
    new JsonLines(line.out).line({ directory, ...more, error: { code: error.code, message: error.message } });
    await line.out.settle();
    return;
  }
  const next = error.next === undefined ? '' : `\n  ${error.next}`;
  line.errors.write(`velescope: ${escapeInvisible(directory)}: ${escapeInvisible(error.message)} (${error.code})`);
  line.errors.write(`${escapeInvisible(next).replace('\\u000a', '\n')}\n`);
  await line.errors.flush();
}
