import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import envPaths from 'env-paths';
import { createServices } from '../main/services/index.ts';
import { VelescopeError } from '../shared/errors.ts';
import { openInBrowser } from './open-in-browser.ts';
import { isLoopback, type RunningServer, serve } from './serve.ts';

export interface ServeDirectoryOptions {
  /** The directory that is served; nothing outside it is ever opened. */
  directory: string;
  port?: number;
  /** Anything but loopback is warned about. */
  host?: string;
  readOnly?: boolean;
  /** Where settings and drafts are kept; the system's place for it unless told otherwise. */
  settingsDirectory?: string;
}

/** Starts the browser door on a directory: services, bundle and server together. */
export async function serveDirectory(options: ServeDirectoryOptions): Promise<RunningServer> {
  const directory = resolve(options.directory);
  const bundleDirectory = findBundle(import.meta.dirname);
  const services = createServices({
    door: 'browser',
    readOnly: options.readOnly ?? false,
    root: directory,
    initial: directory,
    ports: {},
    settingsDirectory: options.settingsDirectory ?? envPaths('velescope', { suffix: '' }).config,
  });
  try {
    return await serve({
      services,
      bundleDirectory,
      ...(options.port === undefined ? {} : { port: options.port }),
      ...(options.host === undefined ? {} : { host: options.host }),
    });
  } catch (error) {
    await services.close();
    throw error;
  }
}

/**
 * The whole life of `velescope serve`: prints the one line with the address, opens it if asked to, and resolves once a signal
 * (SIGINT, SIGTERM) ended it and locks and connections are let go. Rejects when it could not start.
 *
 * @param print takes the line for standard output
 * @param warn takes lines for standard error
 */
export async function runServe(
  options: ServeDirectoryOptions & { open: boolean; print(line: string): void; warn(line: string): void },
): Promise<void> {
  const { host } = options;
  if (host !== undefined && !isLoopback(host)) {
    options.warn(
      `warning: listening on ${host}: anybody who can reach this address and sees the token can read and change this data, and nothing on the way is encrypted. A tunnel to 127.0.0.1 (ssh -L) has neither problem.`,
    );
  }
  const running = await serveDirectory(options);
  const signalled = new Promise<void>((done) => {
    // Only the first: a second one finds no handler and ends the process at once.
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => done());
  });
  options.print(running.url);
  if (options.open) openInBrowser(running.url);
  await signalled;
  await running.close();
}

/** The built renderer, from wherever the build put this module, or from the sources. */
function findBundle(from: string): string {
  for (let directory = from; ; directory = dirname(directory)) {
    for (const candidate of [join(directory, 'renderer'), join(directory, 'out', 'renderer')]) {
      // The source directory has an index.html as well; only the built one has assets.
      if (existsSync(join(candidate, 'assets')) && existsSync(join(candidate, 'index.html'))) return candidate;
    }
    if (dirname(directory) === directory) break;
  }
  throw new VelescopeError('NOT_FOUND', 'The window of Velescope is not built.', { next: 'Run: npm run build' });
}
