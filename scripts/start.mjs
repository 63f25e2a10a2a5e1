// npm start [-- DIR] [--browser] [--no-open]
//
// Builds if needed and opens DIR, or the sample database, in the desktop application; where that cannot run, says why in one line
// and opens the browser door instead.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build, isStale } from './build-if-stale.mjs';
import { electronExecutable, fetchElectron, hasDisplay } from './electron-runtime.mjs';

const FETCH_MILLISECONDS = 120_000;
const PARENT_LOOK_MILLISECONDS = 500;
const parent = process.ppid;
const root = join(import.meta.dirname, '..');
const words = process.argv.slice(2);
const switches = new Set(words.filter((word) => word.startsWith('-')));
const unknown = [...switches].filter((word) => word !== '--browser' && word !== '--no-open');
const given = words.find((word) => !word.startsWith('-'));
// npm changes the working directory to the package's; INIT_CWD is where the person stands.
const directory = given ? resolve(process.env.INIT_CWD ?? process.cwd(), given) : join(root, 'resources', 'sample');

if (unknown.length > 0) fail(2, `unknown option ${unknown[0]}; npm start -- [DIR] [--browser] [--no-open]`);
if (!existsSync(directory)) fail(1, `there is no directory ${directory}`);
if (isStale()) {
  console.log('Building Velescope.');
  const status = build();
  if (status !== 0) fail(status, 'the build failed');
}

const obstacle = desktopObstacle();
if (obstacle === null) await runDesktop();
else await runBrowserDoor(obstacle);

/** Why the desktop application cannot run here, or null. Fetches Electron's runtime when that is all that is missing. */
function desktopObstacle() {
  if (switches.has('--browser')) return 'asked for';
  if (!hasDisplay()) return 'there is no display';
  // Chromium's sandbox does not work for root, and Velescope does not run without it.
  if (process.platform === 'linux' && process.getuid?.() === 0) return 'Electron is sandboxed and does not run as root';
  if (electronExecutable()) return null;
  console.log("Fetching Electron's runtime, once; at most two minutes.");
  const failure = fetchElectron(FETCH_MILLISECONDS);
  return failure === null ? null : `Electron's runtime is not here (${failure})`;
}

async function runDesktop() {
  console.log(`Velescope (desktop): ${directory}`);
  const started = Date.now();
  const { status, signal } = await run(electronExecutable(), [root, 'open', directory]);
  // Ending badly at once is a runtime that cannot run here: a library that is missing, a display that refuses.
  if (status !== 0 && signal === null && Date.now() - started < 5_000) {
    await runBrowserDoor(`Electron ended with status ${status} as it started`);
  } else process.exitCode = status ?? 1;
}

async function runBrowserDoor(reason) {
  console.log(`Velescope in the browser, not on the desktop: ${reason}. Open this address (Ctrl+C ends it):`);
  const options = switches.has('--no-open') ? ['--no-open'] : [];
  const { status } = await run(process.execPath, [
    join(root, 'out', 'cli', 'index.js'),
    'serve',
    directory,
    ...options,
  ]);
  process.exitCode = status ?? 1;
}

/** Runs a program to its end, handing on the signals that would end this one. */
function run(program, parameters) {
  return new Promise((done) => {
    const child = spawn(program, parameters, { stdio: 'inherit' });
    const hand = (signal) => child.kill(signal);
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    for (const signal of signals) process.on(signal, hand);
    // npm hands a signal to the shell it runs this script in; many a shell ends by it and hands nothing on. That the parent is
    // gone is all that is left of the signal.
    const look = setInterval(() => {
      if (process.env.npm_lifecycle_event && process.ppid !== parent) child.kill('SIGTERM');
    }, PARENT_LOOK_MILLISECONDS);
    const end = (status, signal) => {
      clearInterval(look);
      for (const signal of signals) process.removeListener(signal, hand);
      done({ status, signal });
    };
    child.on('error', () => end(1, null));
    child.on('exit', end);
  });
}

function fail(status, text) {
  console.error(`velescope: ${text}`);
  process.exit(status);
}
