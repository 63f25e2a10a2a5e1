// Sees to a Chromium for the end-to-end tests.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];
const FIXED_PLACES = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];

/** The system's Chromium, or null. */
function systemChromium() {
  for (const directory of (process.env.PATH ?? '').split(delimiter)) {
    for (const name of NAMES) {
      const path = join(directory, name);
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {}
    }
  }
  return FIXED_PLACES.find((path) => existsSync(path)) ?? null;
}

/** The Chromium that Playwright downloaded, or null. */
function playwrightChromium() {
  try {
    const { chromium } = createRequire(import.meta.url)('playwright');
    const path = chromium.executablePath();
    return existsSync(path) ? path : null;
  } catch {
    return null;
  }
}

/** The Chromium that is there: named by VELESCOPE_CHROMIUM, the system's, or Playwright's. Null when there is none. */
export function findChromium() {
  const named = process.env.VELESCOPE_CHROMIUM;
  if (named && existsSync(named)) return named;
  return systemChromium() ?? playwrightChromium();
}

/** Finds a Chromium, or gets one, saying so: Playwright's download, else as root on Debian the package. Null when it cannot. */
export function provideChromium(say) {
  const found = findChromium();
  if (found) {
    say(`Chromium: ${found}`);
    return found;
  }
  say('Chromium: none here; downloading the one of Playwright');
  const cli = join(import.meta.dirname, '..', 'node_modules', 'playwright', 'cli.js');
  spawnSync(process.execPath, [cli, 'install', 'chromium'], {
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: 300_000,
  });
  const downloaded = playwrightChromium();
  if (downloaded) return downloaded;
  if (process.getuid?.() === 0 && existsSync('/etc/debian_version')) {
    say('Chromium: the download failed; installing the package "chromium" with apt-get');
    const options = {
      stdio: ['ignore', 'inherit', 'inherit'],
      timeout: 600_000,
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    };
    if (spawnSync('apt-get', ['install', '-y', 'chromium'], options).status !== 0) {
      spawnSync('apt-get', ['update'], options);
      spawnSync('apt-get', ['install', '-y', 'chromium'], options);
    }
    return systemChromium();
  }
  return null;
}
