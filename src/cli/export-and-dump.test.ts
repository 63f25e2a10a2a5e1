import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VIEWS, type View } from '../core/generation.ts';
import { goldenCases, goldenPresent } from '../core/golden.fixture.ts';
import { nodeFiles } from '../main/engine/node-files.ts';
import { createSessionHandlers } from '../main/session/handlers.ts';
import { Session } from '../main/session/session.ts';
import { runHere } from './run.fixture.ts';

const RESOURCES = join(import.meta.dirname, '..', '..', 'resources');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'velescope-export-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** What the window exports as everything that a view holds; the code of the refusal where it does not. */
async function exported(directory: string, view: View): Promise<string> {
  const session = new Session({
    name: 'test',
    files: nodeFiles,
    directory,
    collectionName: 'things',
    settingsDirectory: join(folder, 'settings'),
    readOnly: true,
    view,
    emit: () => {},
  });
  session.start();
  try {
    await session.settled();
    const path = join(folder, 'records.ndjson');
    const context = { signal: new AbortController().signal, onPeerClosed: () => {}, progress: () => {} };
    const params = { session: 'test', query: null, rows: null };
    const made = await createSessionHandlers(session)['export.records'](params, context, { path });
    const text = readFileSync(path, 'utf8');
    expect(made).toMatchObject({ records: text.split('\n').length - 1, bytes: Buffer.byteLength(text) });
    return text;
  } catch (thrown) {
    if (!(thrown instanceof Error && 'code' in thrown)) throw thrown;
    return String(thrown.code);
  } finally {
    session.close();
  }
}

async function compare(directory: string): Promise<number> {
  let refused = 0;
  for (const view of VIEWS) {
    const dump = await runHere(['dump', directory, '--as', view]);
    const refuses = dump.lines[0]?.ok === false;
    if (refuses) refused++;
    expect(await exported(directory, view), `${directory} as ${view}`).toBe(refuses ? 'NOT_ALLOWED' : dump.stdout);
  }
  return refused;
}

describe('everything that a view holds is exported byte for byte as dump prints it', () => {
  for (const root of ['sample', 'damaged']) {
    it(`of the shipped database: ${root}`, async () => {
      const names = readdirSync(join(RESOURCES, root)).filter((name) =>
        existsSync(join(RESOURCES, root, name, 'payloads.log')),
      );
      expect(names.length).toBeGreaterThan(3);
      let refused = 0;
      for (const name of names) refused += await compare(join(RESOURCES, root, name));
      // A log that a generation refuses is no empty file.
      if (root === 'damaged') expect(refused).toBeGreaterThan(0);
    });
  }

  it.skipIf(!goldenPresent)('of the golden cases', async () => {
    for (const { directory } of goldenCases()) await compare(directory);
  });
});
