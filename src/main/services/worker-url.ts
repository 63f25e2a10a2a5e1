import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Where a worker's bundle is. All Node code is built into out/, one level below it (out/cli, out/main, out/chunks); when this module
 * runs from its source, as in tests, the built worker of the project is used.
 */
export function workerUrl(name: 'session' | 'log'): URL {
  for (const candidate of [`../worker/${name}.js`, `../../../out/worker/${name}.js`]) {
    const url = new URL(candidate, import.meta.url);
    if (existsSync(fileURLToPath(url))) return url;
  }
  throw new Error(`The worker "${name}" is not built. Run npm run build.`);
}
