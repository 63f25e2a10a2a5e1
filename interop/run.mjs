// npm run interop: builds the release programs and the checks where they are missing or old, then runs the checks.
// Exit status: 0 no disagreement, 1 a disagreement or a failure, 2 usage, 4 something that is needed is not there.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'vite';

const MISSING = 4;
const here = import.meta.dirname;
const root = join(here, '..');
const bundle = join(here, 'target', 'checks');

const usage = `npm run interop -- [options]
  --quick              fewer rounds and directories; a few minutes less
  --seed N             where random choices begin; printed by every run
  --releases A,B       only these, e.g. 1.7.2,8.0.0
  --only A,B           only these checks: written, damage, together, speed
  --rounds N           rounds of random operations for each release and direction
  --directories N      mutated directories
  --help`;

let options;
try {
  options = parseArgs({
    options: {
      quick: { type: 'boolean' },
      help: { type: 'boolean' },
      seed: { type: 'string' },
      releases: { type: 'string' },
      only: { type: 'string' },
      rounds: { type: 'string' },
      directories: { type: 'string' },
    },
  }).values;
} catch (error) {
  console.error(`${error.message}\n\n${usage}`);
  process.exit(2);
}
if (options.help) {
  console.log(usage);
  process.exit(0);
}

const known = readdirSync(join(here, 'releases')).map((name) => name.replace(/^v/, ''));
const wanted = options.releases === undefined ? known : options.releases.split(',');
for (const release of wanted) {
  if (known.includes(release)) continue;
  console.error(`There is no release ${release} in interop/releases. There are: ${known.join(', ')}`);
  process.exit(2);
}

const missing = wanted.filter((release) => !buildProgram(release));
if (missing.length > 0) process.exit(MISSING);
await buildChecks();
const run = spawnSync(process.execPath, [join(bundle, 'run', 'run.js'), ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});
process.exit(run.status ?? 1);

/** Cargo's own cache decides what is old; here only what cargo would look at is compared, to start without it where it can be. */
function buildProgram(release) {
  const name = `velesdb-v${release.replaceAll('.', '-')}`;
  const manifest = join(here, 'releases', `v${release}`, 'Cargo.toml');
  const program = join(here, 'target', 'release', process.platform === 'win32' ? `${name}.exe` : name);
  const sources = [manifest, ...readdirSync(join(here, 'source')).map((file) => join(here, 'source', file))];
  if (existsSync(program)) {
    const built = statSync(program).mtimeMs;
    if (sources.every((path) => statSync(path).mtimeMs <= built)) return true;
  }
  const cargo = spawnSync('cargo', ['--version'], { encoding: 'utf8' });
  if (cargo.status !== 0) {
    console.error(
      `Missing: cargo, to build VelesDB ${release}. Install Rust 1.90 or newer (https://rustup.rs), or leave the release out.`,
    );
    return false;
  }
  console.log(`Building VelesDB ${release} (${cargo.stdout.trim()}); the first time this takes minutes …`);
  const built = spawnSync('cargo', ['build', '--release', '--quiet', '--manifest-path', manifest], {
    // Where cargo looks for its settings: .cargo/config.toml beside this file names the shared target directory.
    cwd: here,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (built.status === 0) {
    // Cargo leaves a program alone that would come out the same; without this it would be asked again every time.
    utimesSync(program, new Date(), new Date());
    return true;
  }
  console.error(
    `Missing: VelesDB ${release} could not be built (see above). It needs Rust 1.90 or newer and, the first time, the crates registry.`,
  );
  return false;
}

/** Bundled every time: it takes a second, and a stale bundle would prove something about yesterday's code. */
async function buildChecks() {
  mkdirSync(bundle, { recursive: true });
  await build({
    configFile: false,
    root,
    logLevel: 'error',
    build: {
      ssr: true,
      outDir: bundle,
      emptyOutDir: true,
      minify: false,
      rollupOptions: {
        // Beside each other, because the services look for their worker in ../worker.
        input: {
          'run/run': join(here, 'checks', 'run.ts'),
          'worker/session': join(root, 'src/main/session/worker.ts'),
        },
        output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' },
      },
    },
  });
}
