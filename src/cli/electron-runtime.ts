import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What starting the desktop application takes. */
export interface DesktopRuntime {
  executable: string;
  /** The directory of Velescope's package.json, which Electron is given to run. */
  application: string;
}

/**
 * The Electron runtime beside an installed Velescope, or why the desktop application cannot run here, in a few words. Never loads the
 * electron package: that would fetch the runtime, and it declares a newer Node than the command line needs.
 *
 * @param from a directory inside the installed package
 */
export function findDesktopRuntime(
  from: string,
  environment: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
  user: number | undefined = process.getuid?.(),
): DesktopRuntime | string {
  if (platform === 'linux' && !environment.DISPLAY && !environment.WAYLAND_DISPLAY) return 'there is no display';
  if (platform === 'linux' && user === 0) return 'Electron is sandboxed and does not run as root';
  const application = ancestorWith(from, 'package.json');
  const electron = ancestorWith(from, join('node_modules', 'electron', 'package.json'));
  if (application === null || electron === null) return 'the electron package is not installed';
  const directory = join(electron, 'node_modules', 'electron');
  let name: string | null = null;
  try {
    name = readFileSync(join(directory, 'path.txt'), 'utf8').trim();
  } catch {
    // Written by Electron's installer, with the runtime.
  }
  const override = environment.ELECTRON_OVERRIDE_DIST_PATH;
  const executable = override ? join(override, name ?? 'electron') : name && join(directory, 'dist', name);
  if (!executable || !existsSync(executable)) return "Electron's runtime was never fetched (npm start does)";
  return { executable, application };
}

function ancestorWith(from: string, path: string): string | null {
  for (let directory = from; ; directory = dirname(directory)) {
    if (existsSync(join(directory, path))) return directory;
    if (dirname(directory) === directory) return null;
  }
}
