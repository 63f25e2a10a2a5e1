import { spawn } from 'node:child_process';

/**
 * Asks the system to show an address. Says whether there was anything to ask: on a machine without a display the address on
 * standard output is all there is. The address is an argument of its own, never part of a shell's line.
 */
export function openInBrowser(address: string, platform = process.platform, environment = process.env): boolean {
  const command = openerOf(platform, environment);
  if (!command) return false;
  const [program, ...leading] = command;
  const child = spawn(program!, [...leading, address], { stdio: 'ignore', detached: true });
  // No such program: the address was printed.
  child.on('error', () => {});
  child.unref();
  return true;
}

/** The program that opens an address, with its leading arguments; null where nothing could show it. */
export function openerOf(platform: NodeJS.Platform, environment: NodeJS.ProcessEnv): string[] | null {
  if (platform === 'darwin') return ['open'];
  if (platform === 'win32') return ['rundll32', 'url.dll,FileProtocolHandler'];
  return environment.DISPLAY || environment.WAYLAND_DISPLAY ? ['xdg-open'] : null;
}
