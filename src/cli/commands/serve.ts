import { inspectDirectory } from '../../main/services/directory.ts';
import { type CommandLine, Exit } from '../command-line.ts';
import { reporting } from '../directories.ts';

export interface ServeCommandOptions {
  port?: number;
  host?: string;
  readOnly?: boolean;
  /** False with --no-open. */
  open: boolean;
}

/** `velescope serve`: the window in a browser, until a signal ends it. Prints one line, the address with its token. */
export function serveCommand(line: CommandLine, directory: string, options: ServeCommandOptions): Promise<Exit> {
  return reporting(line, directory, {}, async () => {
    // Before anything is started: a path that leads nowhere is told in the words of the other commands.
    inspectDirectory(line.files, directory);
    const { runServe } = await import('../../web/index.ts');
    await runServe({
      directory,
      open: options.open,
      readOnly: options.readOnly ?? false,
      ...(options.port === undefined ? {} : { port: options.port }),
      ...(options.host === undefined ? {} : { host: options.host }),
      print: (address) => {
        line.out.write(`${address}\n`);
        // Nobody may be reading: the server runs on all the same.
        line.out.flush().catch(() => {});
        if (!line.errors.isTerminal) return;
        line.errors.write('Ctrl+C ends it.\n');
        line.errors.flush().catch(() => {});
      },
      warn: (text) => {
        line.errors.write(`velescope: ${text}\n`);
        line.errors.flush().catch(() => {});
      },
    });
    return Exit.done;
  });
}
