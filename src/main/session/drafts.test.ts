import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { VelescopeError } from '../../shared/errors.ts';
import type { Draft } from '../../shared/protocol.ts';
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

test('a file of drafts that cannot be read is moved aside, not written over', () => {
  window().put([draft('1', '"work"')]);
  const folder = join(settings, 'drafts');
  const [name] = readdirSync(folder);
  writeFileSync(join(folder, name!), '{"cut');
  const store = window();
  expect(store.list()).toEqual([]);
  store.put([draft('2', '"more"')]);
  const aside = readdirSync(folder).find((entry) => entry.includes('unreadable'));
  expect(readFileSync(join(folder, aside!), 'utf8')).toBe('{"cut');
});
