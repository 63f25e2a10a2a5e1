import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { rangeName } from './outcomes-text.ts';
import { runHere } from './run.fixture.ts';

const RESOURCES = join(import.meta.dirname, '../../resources');
const DAMAGED = join(RESOURCES, 'damaged');
const SAMPLE = join(RESOURCES, 'sample');

describe('what verify tells people', () => {
  it('fits into a terminal of 80 columns, but for what somebody will copy', async () => {
    const { stdout } = await runHere(['verify', DAMAGED], { terminal: true, columns: 80 });
    const long = stripVTControlCharacters(stdout)
      .split('\n')
      .filter((line) => line.length > 80 && !line.includes(DAMAGED));
    expect(long).toEqual([]);
  });

  it('is the same words in a pipe, a finding a line', async () => {
    const words = (text: string) => stripVTControlCharacters(text).split(/\s+/);
    const pipe = await runHere(['verify', DAMAGED]);
    const terminal = await runHere(['verify', DAMAGED], { terminal: true, columns: 80 });
    expect(words(pipe.stdout)).toEqual(words(terminal.stdout));
    expect(pipe.stdout).toMatch(
      /^ +The last record, a store of id 16 .*trimmed before anything is written behind it\.$/m,
    );
  });

  it('says in one line that every release holds the same', async () => {
    const { stdout } = await runHere(['verify', join(SAMPLE, 'people')]);
    expect(stdout).toContain('every release opens it and holds everything intact: 17 live');
    expect(stdout).not.toContain('resurrected');
    const framing = await runHere(['verify', '--framing', join(SAMPLE, 'people')]);
    expect(framing.stdout).toContain('17 live; payloads were not read');
  });

  it('tells releases that answer alike together, and those that differ apart', async () => {
    const { stdout } = await runHere(['verify', join(DAMAGED, 'torn_tail')]);
    expect(stdout).toMatch(/^ {2}1\.6 – 1\.15 +does not open: UnexpectedEof/m);
    expect(stdout).toMatch(/^ {2}1\.16 +does not open: InvalidData/m);
    expect(stdout).toMatch(/^ {2}1\.17 and later +15 +0/m);
    expect([rangeName('v1.6', 'v1.17'), rangeName('v1.16', 'v3.12'), rangeName('v1.6', 'v8.0')]).toEqual([
      '1.6 – 3.11',
      '1.16 – 7.x',
      '1.6 and later',
    ]);
  });

  it('names the next step where there is something to get back, and only there', async () => {
    const step = `velescope recover ${join(DAMAGED, 'torn_tail')} --to NEWDIR --policy salvage --dry-run`;
    expect((await runHere(['verify', join(DAMAGED, 'torn_tail')])).stdout).toContain(step);
    expect((await runHere(['verify', SAMPLE])).stdout).not.toContain('--dry-run');
  });

  it('counts several collections at the end, and one not', async () => {
    const all = await runHere(['verify', SAMPLE, DAMAGED]);
    expect(all.stdout).toMatch(/^\d+ collections: \d+ healthy, \d+ to look at$/m);
    expect((await runHere(['verify', join(SAMPLE, 'people')])).stdout).not.toContain('1 collection');
  });
});
