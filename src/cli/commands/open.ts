import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { inspectDirectory } from '../../main/services/directory.ts';
import { type CommandLine, Exit } from '../command-line.ts';
import { reporting } from '../directories.ts';
import { findDesktopRuntime } from '../electron-runtime.ts';
import { serveCommand } from './serve.ts';

/** `velescope open`: the desktop application; where it cannot run, says why in one line and opens the browser door. */
export async function openCommand(line: CommandLine, directory: string): Promise<Exit> {
  const runtime = findDesktopRuntime(import.meta.dirname);
  if (typeof runtime === 'string') {
    line.errors.write(`velescope: opening in the browser, not on the desktop: ${runtime}\n`);
    await line.errors.flush();
    return serveCommand(line, directory, { open: true });
  }
  return reporting(line, directory, {}, async () => {
    inspectDirectory(line.files, directory);
    const child = spawn(runtime.executable, [runtime.application, 'open', resolve(directory)], { stdio: 'inherit' });
    return new Promise<Exit>((done, fail) => {
      child.on('error', fail);
      child.on('exit', (status) => done(status === 0 ? Exit.done : Exit.failed));
    });
  });
}
