// Reads the fuses back from packaged applications and compares them with what electron-builder.yml asks for.
//
//   node scripts/read-fuses.mjs EXECUTABLE…     (or APP.app)
//
// Ends with status 1 when one differs, or when there is nothing to read.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(import.meta.url);
// Both come with electron-builder, whose configuration this is.
const builder = createRequire(require.resolve('app-builder-lib'));
const { getCurrentFuseWire, FuseV1Options } = builder('@electron/fuses');
const yaml = builder('js-yaml');

/** What stands in the binary for each fuse; the package keeps these to itself. */
const FuseState = { DISABLE: 48, ENABLE: 49, 48: 'off', 49: 'on', 114: 'removed', 144: 'left as it was' };

const configuration = yaml.load(readFileSync(join(import.meta.dirname, '..', 'electron-builder.yml'), 'utf8'));
const wanted = Object.entries(configuration.electronFuses);
const paths = process.argv.slice(2);
let wrong = paths.length === 0 ? 1 : 0;
if (paths.length === 0) console.error('read-fuses: no application named');

for (const path of paths) {
  const wire = await getCurrentFuseWire(path);
  for (const [name, on] of wanted) {
    const option = FuseV1Options[name[0].toUpperCase() + name.slice(1)];
    const state = wire[option];
    const good = state === (on ? FuseState.ENABLE : FuseState.DISABLE);
    if (!good) wrong += 1;
    console.log(
      `${good ? 'ok   ' : 'WRONG'} ${path}: ${name} is ${FuseState[state] ?? 'not there'}, asked for ${on ? 'on' : 'off'}`,
    );
  }
}
process.exitCode = wrong === 0 ? 0 : 1;
