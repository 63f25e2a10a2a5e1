import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'velescope-layers-'));
  write('package.json', '{"dependencies":{"zod":"4","crc-32":"1","react":"19","ws":"8"}}');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

function check() {
  const script = join(import.meta.dirname, 'check-layers.mjs');
  return spawnSync(process.execPath, [script, root], { encoding: 'utf8' });
}

describe('an import against the direction is reported with file and line', () => {
  test.each([
    ['src/core/x.ts', `import { readFileSync } from 'node:fs';`],
    ['src/core/x.ts', `import fs from 'fs';`],
    ['src/core/x.ts', `import { z } from 'zod';`],
    ['src/core/x.ts', `import type { Row } from '../shared/protocol.ts';`],
    ['src/core/x.ts', `export { app } from 'electron';`],
    ['src/core/x.ts', `const fs = await import('node:fs');`],
    ['src/core/x.ts', `const worker = new URL('../main/worker.ts', import.meta.url);`],
    ['src/shared/x.ts', `import { scan } from '../core/scan.ts';`],
    ['src/shared/x.ts', `import { x } from '../main/x.ts';`],
    ['src/shared/x.ts', `import 'node:path';`],
    ['src/renderer/x.tsx', `import { x } from '../main/x.ts';`],
    ['src/renderer/x.tsx', `import { readFile } from 'node:fs/promises';`],
    ['src/renderer/x.tsx', `import WebSocket from 'ws';`],
    ['src/renderer/x.tsx', `import { ipcRenderer } from 'electron';`],
    ['src/renderer/x.tsx', `import { send } from '../preload/index.ts';`],
    ['src/main/x.ts', `import { x } from '../renderer/x.ts';`],
    ['src/main/x.ts', `import { x } from '../cli/x.ts';`],
    ['src/main/engine/x.ts', `import { app } from 'electron';`],
    ['src/main/x.ts', `import _ from 'lodash';`],
    ['src/main/x.ts', `import { x } from './x.test.ts';`],
    ['src/main/x.ts', `import { x } from './x.fixture.ts';`],
    ['src/main/x.ts', `import {\n  one,\n  two,\n} from '../web/x.ts';`],
    ['src/web/x.ts', `import { app } from 'electron';`],
    ['src/cli/x.ts', `import { x } from '../../scripts/x.ts';`],
    ['src/other/x.ts', ''],
  ])('%s: %s', (path, text) => {
    write(path, `${text}\n`);
    const run = check();
    expect(run.status).toBe(1);
    expect(run.stderr).toContain(path);
  });
});

describe('an import along the direction passes', () => {
  test.each([
    ['src/core/x.ts', `import crc from 'crc-32';\nimport { y } from './y.ts';`],
    ['src/shared/x.ts', `import { z } from 'zod';\nimport type { Row } from '../core/row.ts';`],
    ['src/shared/x.ts', `import { VIEWS } from '../core/generation.ts';`],
    ['src/renderer/x.tsx', `import 'react';\nimport { x } from '../shared/x.ts';\nimport './x.css';`],
    ['src/main/x.ts', `import { app } from 'electron';\nimport { y } from '../core/y.ts';\nimport 'node:fs';`],
    ['src/cli/x.ts', `import { y } from '../web/y.ts';\nimport { z } from '../main/services/index.ts';`],
    ['src/core/x.test.ts', `import { readFileSync } from 'node:fs';`],
    ['src/core/x.ts', `// import 'node:fs' would be wrong\n/* import x from 'electron'; */`],
  ])('%s: %s', (path, text) => {
    write(path, `${text}\n`);
    const run = check();
    expect(run.stderr).toBe('');
    expect(run.status).toBe(0);
  });
});

test('the project itself holds the direction', () => {
  const script = join(import.meta.dirname, 'check-layers.mjs');
  const run = spawnSync(process.execPath, [script], { encoding: 'utf8' });
  expect(run.stderr).toBe('');
  expect(run.stdout).toMatch(/^layers: [1-9][0-9]* files, [1-9][0-9]* imports, 0 against the direction$/m);
});
