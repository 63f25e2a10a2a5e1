// node scripts/make-samples.mjs
//
// Writes resources/sample and resources/damaged anew, the same bytes every time.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runnerImport } from 'vite';

const root = join(import.meta.dirname, '..');
const { module } = await runnerImport(join(import.meta.dirname, 'make-samples.ts'));
const files = module.makeSamples();
for (const name of ['sample', 'damaged']) rmSync(join(root, 'resources', name), { recursive: true, force: true });
let bytes = 0;
for (const [path, content] of files) {
  const target = join(root, 'resources', path);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, content);
  bytes += content.length;
}
console.log(`${files.size} files, ${bytes} bytes`);
