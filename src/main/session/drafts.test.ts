import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { VelescopeError } from '../../shared/errors.ts';
import type { Draft } from '../../shared/protocol.ts';
import { bundle } from '../engine/bundle.fixture.ts';
import { nodeFiles } from '../engine/node-files.ts';
import { DraftStore } from './drafts.ts';

let settings: string;
let warnings: VelescopeError[];
beforeEach(() => {
  settings = mkdtempSync(join(tmpdir(), 'velescope-drafts-'));
  warnings = [];
});
afterEach(() => rmSync(settings, { recursive: true, force: true }));

const window = () => new DraftStore(settings, '/data', (warning) => warnings.push(warning));
const draft = (id: string, text: string): Draft => ({ id, action: 'store', text, base: null });
const texts = (store: DraftStore) => store.list().map(({ id, text }) => [id, text]);

test('two windows on one directory keep each the drafts of the other', () => {
  const one = window();
  const two = window();
  one.put([draft('1', '"one"')]);
  two.put([draft('2', '"two"')]);
  one.put([draft('1', '"one again"')]);
  const all = [
    ['1', '"one again"'],
    ['2', '"two"'],
  ];
  expect(texts(one)).toEqual(all);
  expect(texts(two)).toEqual(all);
  expect(texts(window())).toEqual(all);
  two.drop(['1']);
  expect(one.get('1')).toBeUndefined();
  one.drop(['2']);
  expect(two.list()).toEqual([]);
  expect(warnings).toEqual([]);
});

test('drafts that the disk does not take hold until the end, and it is said once until it takes them again', () => {
  const store = window();
  const folder = join(settings, 'drafts');
  writeFileSync(folder, 'in the way');
  store.put([draft('1', '"kept here"')]);
  store.put([draft('2', '"too"')]);
  expect(store.get('1')).toMatchObject({ text: '"kept here"' });
  expect(warnings).toMatchObject([{ code: 'IO_ERROR', message: expect.stringContaining('could not be kept') }]);
  rmSync(folder);
  mkdirSync(folder);
  store.drop(['1']);
  expect(texts(window())).toEqual([['2', '"too"']]);
  expect(warnings).toHaveLength(1);
});

test('a file of drafts that cannot be read is moved aside, not written over, and it is said', () => {
  window().put([draft('1', '"work"')]);
  const folder = join(settings, 'drafts');
  const name = readdirSync(folder).find((entry) => entry.endsWith('.json'));
  writeFileSync(join(folder, name!), '{"cut');
  const store = window();
  expect(store.list()).toEqual([]);
  expect(warnings).toMatchObject([{ code: 'IO_ERROR', next: expect.stringContaining('.unreadable-') }]);
  store.put([draft('2', '"more"')]);
  const aside = readdirSync(folder).find((entry) => entry.includes('unreadable'));
  expect(readFileSync(join(folder, aside!), 'utf8')).toBe('{"cut');
});

test('a file of drafts that cannot be read at the moment is said, and not written over', () => {
  window().put([draft('1', '"work"')]);
  const folder = join(settings, 'drafts');
  const path = join(folder, readdirSync(folder).find((entry) => entry.endsWith('.json'))!);
  renameSync(path, `${path}.away`);
  mkdirSync(path);
  const store = window();
  expect(warnings).toMatchObject([{ code: 'IO_ERROR', message: expect.stringContaining('could not be read') }]);
  store.put([draft('2', '"more"')]);
  rmdirSync(path);
  renameSync(`${path}.away`, path);
  expect(texts(window())).toEqual([['1', '"work"']]);
  expect(texts(store)).toEqual([
    ['1', '"work"'],
    ['2', '"more"'],
  ]);
});

test('what the disk did not take is kept later, without taking what another window kept meanwhile', () => {
  const folder = join(settings, 'drafts');
  writeFileSync(folder, 'in the way');
  const store = window();
  store.put([draft('1', '"one"')]);
  rmSync(folder);
  const other = window();
  other.put([draft('2', '"two"'), draft('3', '"three"')]);
  store.drop(['3']);
  expect(texts(other)).toEqual([
    ['2', '"two"'],
    ['1', '"one"'],
  ]);
});

test('a draft that changed since it was written is not dropped with what was written', () => {
  const [written] = window().put([draft('1', '"written"')]);
  window().put([draft('1', '"typed meanwhile"')]);
  const store = window();
  store.dropUnchanged([written!]);
  expect(texts(store)).toEqual([['1', '"typed meanwhile"']]);
});

test('drafts are for the user alone', () => {
  window().put([draft('1', '"secret"')]);
  const folder = join(settings, 'drafts');
  if (process.platform === 'win32') return;
  expect(statSync(folder).mode & 0o077).toBe(0);
  for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o077).toBe(0);
});

test('what another process keeps or drops is told', async () => {
  const store = window();
  let told = 0;
  const end = store.follow(nodeFiles, () => told++);
  try {
    store.put([draft('1', '"mine"')]);
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(told).toBe(0);
    window().put([draft('2', '"of another"')]);
    await expect.poll(() => told, { timeout: 10_000 }).toBe(1);
    window().drop(['1', '2']);
    await expect.poll(() => told, { timeout: 10_000 }).toBe(2);
    expect(texts(store)).toEqual([]);
  } finally {
    end();
  }
});

describe('processes on one directory', () => {
  let program: Awaited<ReturnType<typeof bundle>>;
  beforeAll(async () => {
    program = await bundle('src/main/session/drafts-child.fixture.ts');
  }, 60_000);
  afterAll(() => program.remove());

  /** A process that keeps `count` drafts from the id `first` on, and what it said was kept. */
  function child(first: number, count: number): { process: ChildProcess; kept(): Map<string, boolean> } {
    const args = [program.program, settings, '/data', String(first), String(count)];
    const started = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    started.stdout.on('data', (piece) => {
      output += piece;
    });
    const kept = () => {
      const lines = output.slice(0, output.lastIndexOf('\n') + 1).split('\n');
      return new Map(lines.filter(Boolean).map((line) => [line.replace('-', ''), !line.startsWith('-')]));
    };
    return { process: started, kept };
  }

  test('that change drafts in the same instants lose none of them', async () => {
    const children = [1_000, 2_000, 3_000].map((first) => child(first, 60));
    const ends = await Promise.all(children.map(async (each) => (await once(each.process, 'close'))[0]));
    expect(ends).toEqual([0, 0, 0]);
    const expected = children.flatMap(({ kept }) => [...kept()].filter(([, isThere]) => isThere).map(([id]) => id));
    expect(expected).toHaveLength(120);
    expect(
      window()
        .list()
        .map(({ id }) => id)
        .sort(),
    ).toEqual(expected.sort());
    expect(readdirSync(join(settings, 'drafts')).filter((name) => !/^([0-9a-f]+\.json|lock)$/.test(name))).toEqual([]);
  }, 60_000);

  test('that are killed at any moment leave what they had kept, and nobody locked out', async () => {
    for (let round = 0; round < 6; round++) {
      const children = [10_000, 20_000].map((first) => child(first + round * 1_000, 1_000));
      const ends = children.map((each) => once(each.process, 'close'));
      await Promise.all(children.map((each) => once(each.process.stdout!, 'data')));
      await new Promise((resolve) => setTimeout(resolve, 40 + round * 17));
      for (const each of children) each.process.kill('SIGKILL');
      await Promise.all(ends);
      const there = new Set(
        window()
          .list()
          .map(({ id }) => id),
      );
      for (const each of children) {
        const kept = [...each.kept()];
        expect(kept.length).toBeGreaterThan(0);
        // The last one may have been dropped without the word for it having got out.
        const missing = kept.slice(0, -1).filter(([id, isThere]) => there.has(id) !== isThere);
        expect(missing).toEqual([]);
      }
      window().put([draft(String(round), '"after"')]);
    }
    expect(warnings).toEqual([]);
  }, 60_000);
});
