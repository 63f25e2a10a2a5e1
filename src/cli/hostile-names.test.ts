import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LogBuilder } from '../core/log-builder.fixture.ts';
import { runHere } from './run.fixture.ts';

/** A name that would write a line of its own, clear the screen, set the window's title and turn the text around. */
const NAME = 'a\nFORGED: 0 damaged\r\n\u001b[2J\u001b]0;x\u0007\u202e\u009b31m`|<img src=x>';
/** Everything a terminal takes for more than a character, but the line feed that ends our own lines. */
const RAW = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'velescope-names-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** A damaged collection of that name, in a database of its own. */
function hostileDatabase(): { root: string; collection: string } {
  const root = join(home, 'db');
  const collection = join(root, NAME);
  mkdirSync(collection, { recursive: true });
  writeFileSync(join(root, 'velesdb.lock'), '');
  writeFileSync(join(collection, 'config.json'), JSON.stringify({ name: NAME, metadata_only: true }));
  const log = new LogBuilder().store(1, '{"a":1}').store(2, '{"b":"\\u001b[2J"}').store(3).bytes();
  log[40]! ^= 1;
  writeFileSync(join(collection, 'payloads.log'), log);
  return { root, collection };
}

describe.skipIf(process.platform === 'win32')('a collection whose name is an attack on who reads it', () => {
  it.each([false, true])('writes no line and no control character of its own (terminal: %s)', async (terminal) => {
    const { root, collection } = hostileDatabase();
    const target = join(home, NAME);
    for (const words of [
      ['verify', root],
      ['verify', root, '--segments', '--ids'],
      ['verify', collection],
      ['history', collection, '2'],
      ['replay', root, '--as', 'v3.12'],
      ['dump', root, '--as', 'salvage'],
      ['recover', collection, '--to', target, '--policy', 'absolute'],
      ['recover', collection, '--to', target, '--policy', 'salvage', '--dry-run'],
      ['recover', collection, '--to', collection, '--policy', 'salvage'],
      ['verify', join(root, `${NAME}/gone`)],
      ['batch', root],
    ]) {
      const ran = await runHere(words, { terminal });
      const shown = ran.stdout + ran.stderr;
      expect(shown, words[0]).not.toBe('');
      const ours = terminal ? shown.replace(/\u001b\[\d+m/g, '') : shown;
      for (const line of ours.split('\n')) {
        // A line of JSON into a pipe is exact text for a program; JSON itself has escaped what could end the line.
        if (!terminal && line.startsWith('{')) expect(line, words[0]).not.toMatch(/[\u0000-\u001f]/);
        else expect(line, words[0]).not.toMatch(RAW);
        expect(line, words[0]).not.toMatch(/^FORGED/);
      }
    }
  });

  it('is one string of the JSON, exact, on one line', async () => {
    const { root, collection } = hostileDatabase();
    const ran = await runHere(['verify', root, '--json'], { terminal: true });
    expect(ran.lines.map(({ directory }) => directory)).toEqual([collection]);
    expect(ran.stdout).not.toMatch(RAW);
    const dumped = await runHere(['dump', root, '--as', 'salvage', '--json']);
    for (const line of dumped.lines) expect(line.collection).toBe(NAME);
  });

  it('stays inside one piece of code in the Markdown of a recovery', async () => {
    const { collection } = hostileDatabase();
    const target = join(home, 'result');
    expect((await runHere(['recover', collection, '--to', target, '--policy', 'salvage'])).status).toBe(3);
    const report = readFileSync(join(target, 'recovery-report.md'), 'utf8');
    expect(report).not.toMatch(RAW);
    expect(report).not.toMatch(/^FORGED/m);
    // The name holds a backtick, so the piece of code is fenced by two.
    const [source] = report.match(/^- Source: .*$/m)!;
    expect(source).toMatch(/^- Source: `` .*`\|<img src=x> ``$/);
    // Nowhere else does markup of the name stand bare.
    for (const line of report.split('\n')) {
      const bare = line.replace(/(`+)(?!`).*?[^`]\1(?!`)/g, '');
      expect(bare).not.toMatch(/(?<!\\)<img/);
    }
    const json = JSON.parse(readFileSync(join(target, 'recovery-report.json'), 'utf8'));
    expect(json.source ?? json.directory).toBe(collection);
  });
});
