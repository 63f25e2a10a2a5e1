import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import packageFile from '../../package.json' with { type: 'json' };
import { DEFAULT_GENERATION, GENERATIONS, VIEWS } from '../core/generation.ts';
import { POLICIES_OF_RECOVERY } from '../core/recovery/plan.ts';
import { parseU64 } from '../core/u64.ts';
import { escapeInvisible } from '../core/visible.ts';
import { DURABILITIES } from '../main/engine/log-writer.ts';
import { toErrorValue } from '../shared/errors.ts';
import { type CommandLine, Exit, UsageError } from './command-line.ts';
import { batchCommand } from './commands/batch.ts';
import { dumpCommand } from './commands/dump.ts';
import { historyCommand } from './commands/history.ts';
import { openCommand } from './commands/open.ts';
import { recoverCommand } from './commands/recover.ts';
import { replayCommand } from './commands/replay.ts';
import { serveCommand } from './commands/serve.ts';
import { verifyCommand } from './commands/verify.ts';
import { OutputClosed } from './output.ts';

/**
 * Runs one command line to its end and returns the exit status; everything printed has been taken by then.
 *
 * @param words what follows the program's name
 */
export async function run(line: CommandLine, words: readonly string[]): Promise<Exit> {
  let status: Exit = Exit.done;
  const program = describeProgram(line, (result) => {
    status = result;
  });
  try {
    await program.parseAsync(words as string[], { from: 'user' });
    await line.out.flush();
    await line.errors.flush();
    return status;
  } catch (thrown) {
    return await explain(line, thrown);
  }
}

async function explain(line: CommandLine, thrown: unknown): Promise<Exit> {
  // Whoever read the output has seen enough of it.
  if (thrown instanceof OutputClosed) return Exit.done;
  let status: Exit;
  if (thrown instanceof CommanderError) {
    // Commander has printed its message already. Help and version, asked for, are answers.
    status = thrown.exitCode === 0 ? Exit.done : Exit.usage;
  } else if (thrown instanceof UsageError) {
    line.errors.write(`velescope: ${thrown.message}\n`);
    status = Exit.usage;
  } else {
    line.errors.write(`velescope: ${escapeInvisible(toErrorValue(thrown).message)}\n`);
    status = Exit.failed;
  }
  try {
    await line.out.flush();
  } catch (failure) {
    if (!(failure instanceof OutputClosed)) status = Exit.failed;
  }
  await line.errors.flush().catch(() => {});
  return status;
}

function describeProgram(line: CommandLine, finish: (status: Exit) => void): Command {
  const program = new Command('velescope')
    .description('Inspector and editor for VelesDB payload logs: browse, edit, verify, recover.')
    .version(packageFile.version)
    .configureOutput({
      writeOut: (text) => line.out.write(text),
      writeErr: (text) => line.errors.write(text),
      outputError: (text, write) =>
        write(`velescope: ${escapeInvisible(text.trimEnd()).replaceAll('\\u000a', '\n')}\n`),
      getOutHasColors: () => line.out.colour,
      getErrHasColors: () => line.errors.colour,
    })
    .exitOverride()
    .showHelpAfterError('(velescope COMMAND --help tells more)')
    .addHelpText(
      'after',
      '\nExit status: 0 healthy or done; 3 done, but there is damage, or something was\nleft out; 1 could not; 2 usage.\n\nStart with: velescope verify DIR',
    );

  // The help named is the command's own, because that is where the words that were missing stand.
  const helpful = (one: Command, choices = '') =>
    one.showHelpAfterError(`(${choices}velescope ${one.name()} --help tells more)`);
  const directories = () => new Argument('<DIR...>', 'collections, or database roots whose collections are meant');
  const directory = () => new Argument('<DIR>', 'a collection');
  const json = () => new Option('--json', 'one JSON object a line, failures included');
  const command = (name: string, description: string) =>
    helpful(program.command(name).description(description).addOption(json()));

  command('verify', 'what is damaged, what the snapshot is worth, and what each VelesDB makes of it')
    .addArgument(directories())
    .option('--segments', 'every segment of the log as well')
    .option('--ids', 'the ids behind the counts of each VelesDB as well')
    .option('--framing', 'do not read payloads: faster, and nothing is said about what is unreadable')
    .action(async (paths, options) => finish(await verifyCommand(line, paths, options)));

  helpful(
    command('replay', 'the index one VelesDB generation builds when it opens a log, as JSON'),
    `--as ${GENERATIONS.join('|')}; `,
  )
    .addArgument(directories())
    .addOption(
      new Option('--as <GENERATION>', 'which VelesDB; has to be given').choices(GENERATIONS).makeOptionMandatory(),
    )
    .action(async (paths, options) => finish(await replayCommand(line, paths, options)));

  helpful(
    command('dump', 'every record of a view by id, one JSON object a line, payload text as stored'),
    `--as ${VIEWS.join('|')}; `,
  )
    .addArgument(directories())
    .addOption(
      new Option('--as <VIEW>', 'which VelesDB, or salvage: everything intact; has to be given')
        .choices(VIEWS)
        .makeOptionMandatory(),
    )
    .action(async (paths, options) => finish(await dumpCommand(line, paths, options)));

  command('history', 'every version and delete of an id, oldest first, one JSON object a line')
    .addArgument(directory())
    .addArgument(new Argument('<ID>', 'a decimal u64').argParser(parseId))
    .addOption(new Option('--as <VIEW>', 'whose live record is marked').choices(VIEWS).default(DEFAULT_GENERATION))
    .action(async (path, id, options) => finish(await historyCommand(line, path, id, options)));

  command('batch', 'stores and deletes from standard input, one JSON operation a line')
    .addArgument(new Argument('<DIR>', 'a collection, or an existing directory that becomes one'))
    .addOption(
      new Option('--durability <MODE>', 'what a write survives: loss of power, the end of this process, nothing')
        .choices(DURABILITIES)
        .default('fsync'),
    )
    .option('--canonical', 'write payloads byte for byte as VelesDB would, instead of as they stand in the line')
    .addHelpText('after', BATCH_HELP)
    .action(async (path, options) => finish(await batchCommand(line, path, options)));

  helpful(
    command('recover', 'everything that can be got back, in a new directory; the original is only read'),
    `--to NEWDIR --policy ${POLICIES_OF_RECOVERY.join('|')}; `,
  )
    .addArgument(new Argument('<DIR>', 'a collection, or a database root: then each collection, in NEWDIR/NAME'))
    .addOption(
      new Option('--to <NEWDIR>', 'where the result goes: a directory that is not there, or empty; has to be given')
        .argParser(parseTarget)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('--policy <POLICY>', 'what is kept; has to be given')
        .choices(POLICIES_OF_RECOVERY)
        .makeOptionMandatory(),
    )
    .option('--dry-run', 'write nothing, say what would be written')
    .option('--apply-candidates', 'repair records where the CRC proves one repair and leaves no choice')
    .option('--compact', 'keep live records only')
    .addHelpText('after', RECOVER_HELP)
    .action(async (path, options) => finish(await recoverCommand(line, path, options)));

  helpful(program.command('serve'))
    .description('the window in a browser, on this machine; prints the address, runs until a signal ends it')
    .addArgument(new Argument('<DIR>', 'a collection, a database root, or a directory that holds some'))
    .addOption(new Option('--port <NUMBER>', 'any free port unless told').argParser(parsePort))
    .addOption(new Option('--host <ADDRESS>', '127.0.0.1 unless told; for others, a tunnel is safer'))
    .option('--read-only', 'refuse every write')
    .option('--no-open', 'do not open a browser')
    .action(async (path, options) => finish(await serveCommand(line, path, options)));

  helpful(program.command('open'))
    .description('the desktop application; where it cannot run, the window in a browser')
    .addArgument(new Argument('<DIR>', 'a collection or a database root'))
    .action(async (path) => finish(await openCommand(line, path)));

  return program;
}

const RECOVER_HELP = `
Policies:
  absolute       any damage: write nothing
  tolerate-tail  as absolute, but a torn or zero-filled tail is left out
  point-in-time  everything before the first damage
  salvage        every intact record, whatever lies between`;

const BATCH_HELP = `
Lines:
  {"op":"store","id":"1","payload":{"any":"JSON"}}   also without "op", as dump prints it
  {"op":"delete","id":"1"}
  {"op":"batch","entries":[["1",{}],["2",null]]}
  {"op":"snapshot"}
  {"op":"flush"}
The first refused line ends the run; the lines before it stay.`;

function parseId(text: string): bigint {
  const id = parseU64(text);
  if (id === null) throw new InvalidArgumentError('An id is a whole number from 0 to 18446744073709551615.');
  return id;
}

/** An unset variable in a script; taken for a path it would name the working directory. */
function parseTarget(text: string): string {
  if (text === '') throw new InvalidArgumentError('NEWDIR has no name.');
  return text;
}

function parsePort(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) throw new InvalidArgumentError('A port is 0 to 65535.');
  return Number(text);
}
