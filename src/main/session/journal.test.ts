import { mkdtempSync, readdirSync, renameSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { TextEdit } from '../../core/json/edits.ts';
import { EditJournal } from './journal.ts';

let settings: string;
beforeEach(() => {
  settings = mkdtempSync(join(tmpdir(), 'velescope-journal-'));
});
afterEach(() => rmSync(settings, { recursive: true, force: true }));

const session = () => new EditJournal(settings, '/data');
const files = () => readdirSync(join(settings, 'drafts'));
const BASE = { offset: '9', text: '{"a":1,"b":2.50}' };
/** Displayed: {\n  "a": 1,\n  "b": 2.50\n} */
const begun = (journal: EditJournal) =>
  journal.begin({ document: 'd', id: '7', compact: true, opened: null, base: BASE });
const step = (journal: EditJournal, number: number, edits: TextEdit[], offset = '9') =>
  journal.step('d', number, edits, offset, () => ({ offset, text: 'rebased' }));
function left(journal = session()) {
  const refused: string[] = [];
  const drafts = journal.takeUp((id) => refused.push(id)).map(({ draft }) => draft);
  return { drafts, refused };
}

test('what an ended session had in no draft becomes one, stored compact as its record was, and is there once', () => {
  const journal = session();
  begun(journal);
  step(journal, 1, [[9, 10, '10']]);
  step(journal, 2, [[23, 23, '00']]);
  expect(left()).toEqual({ drafts: [], refused: [] });
  journal.close();
  const text = '{"a":10,"b":2.5000}';
  expect(left()).toEqual({ drafts: [{ id: '7', action: 'store', text, base: BASE }], refused: [] });
  expect(files()).toEqual([]);
});

test('changes count in the order of their numbers, as far as there is none missing', () => {
  const journal = session();
  begun(journal);
  step(journal, 2, [[10, 10, '2']]);
  step(journal, 1, [[9, 9, '3']]);
  step(journal, 4, [[0, 1, '']]);
  journal.close();
  expect(left().drafts).toMatchObject([{ text: '{"a":321,"b":2.50}' }]);
});

test('what is in a draft already, or was dropped, is left behind by nobody', () => {
  const journal = session();
  begun(journal);
  step(journal, 1, [[9, 10, '10']]);
  journal.keep('d', 1);
  journal.close();
  expect(files()).toEqual([]);

  const other = session();
  begun(other);
  step(other, 1, [[9, 10, '10']]);
  other.drop(['7']);
  expect(step(other, 2, [[9, 10, '11']])).toBe(false);
  other.close();
  expect(files()).toEqual([]);
});

test('edits that go on after their draft was written begin from the written record, with all that came before', () => {
  const journal = session();
  begun(journal);
  step(journal, 1, [[9, 10, '10']]);
  journal.keep('d', 1);
  step(journal, 2, [[9, 9, '5']], '80');
  journal.close();
  expect(left().drafts).toEqual([
    { id: '7', action: 'store', text: '{"a":510,"b":2.50}', base: { offset: '80', text: 'rebased' } },
  ]);
});

test('a draft that was opened is what its changes count in', () => {
  const journal = session();
  journal.begin({ document: 'd', id: '7', compact: false, opened: '{ "a" : 3 }', base: BASE });
  step(journal, 1, [[8, 9, '4']]);
  journal.close();
  expect(left().drafts).toMatchObject([{ text: '{ "a" : 4 }', base: BASE }]);
});

test('a draft is made of the changes up to one of them, where all are there and begin from the record that is meant', () => {
  const journal = session();
  begun(journal);
  journal.begin({ document: 'e', id: '8', compact: true, opened: null, displayed: '{"b" : 2}', base: null });
  step(journal, 1, [[9, 10, '10']]);
  step(journal, 2, [[9, 11, '99']]);
  step(journal, 4, [[0, 1, '']]);
  journal.step('e', 1, [[7, 8, '3']], null, () => null);
  const text = (number: number) => journal.draftAt('d', number, '9')?.text ?? null;
  expect([1, 2, 3, 4].map(text)).toEqual(['{"a":10,"b":2.50}', '{"a":99,"b":2.50}', null, null]);
  // Also again, when a later one was made.
  journal.keep('d', 2);
  expect(journal.draftAt('d', 1, '9')).toEqual({ id: '7', action: 'store', text: '{"a":10,"b":2.50}', base: BASE });
  expect(journal.draftAt('d', 1, '80')).toBeNull();
  expect(journal.draftAt('unknown', 1, '9')).toBeNull();
  expect(journal.draftAt('e', 1, null)).toEqual({ id: '8', action: 'store', text: '{"b":3}', base: null });
  expect(session().draftAt('d', 1, '9')).toBeNull();
});

test('a process that was killed in the middle of a line leaves all before it', () => {
  const journal = session();
  begun(journal);
  step(journal, 1, [[9, 10, '10']]);
  step(journal, 2, [[9, 11, '99']]);
  const [name] = files();
  const path = join(settings, 'drafts', name!);
  truncateSync(path, statSync(path).size - 5);
  // Of a process that is not there any more: no system gives this number.
  renameSync(path, path.replace(`.${process.pid}.`, '.2147483646.'));
  expect(left().drafts).toMatchObject([{ text: '{"a":10,"b":2.50}' }]);
});

test('changes that do not fit what they began from are said, and make no draft', () => {
  const journal = session();
  begun(journal);
  step(journal, 1, [[900, 901, 'x']]);
  journal.close();
  expect(left()).toEqual({ drafts: [], refused: ['7'] });
});
