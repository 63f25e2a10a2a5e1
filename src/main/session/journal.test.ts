import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { fingerprintOf } from '../../core/fingerprint.ts';
import type { TextEdit } from '../../core/json/edits.ts';
import { runToEnd } from '../../core/steps.ts';
import type { Draft } from '../../shared/protocol.ts';
import { EditJournal, type TakesUp } from './journal.ts';

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
function left(journal = session(), { isKept = true, isOvertaken = false } = {}) {
  const warnings: string[] = [];
  const drafts: Draft[] = [];
  const by: TakesUp = {
    isOvertaken: () => isOvertaken,
    keep(edits) {
      drafts.push(...edits.map(({ draft }) => draft));
      return isKept;
    },
    warn: (words) => warnings.push(words),
  };
  runToEnd(journal.takeUp(by));
  return { drafts, warnings };
}
/** The session ends as it does when its process is killed: the system gives its lock back, and nothing is tidied up. */
function kill(): string {
  const [name] = files();
  const path = join(settings, 'drafts', name!);
  // A copy has another number, and with it no lock.
  copyFileSync(path, `${path}.copy`);
  renameSync(`${path}.copy`, path);
  return path;
}

test('what an ended session had in no draft becomes one, stored compact as its record was, and is there once', () => {
  const journal = session();
  begun(journal);
  step(journal, 1, [[9, 10, '10']]);
  step(journal, 2, [[23, 23, '00']]);
  expect(left()).toEqual({ drafts: [], warnings: [] });
  journal.close();
  const text = '{"a":10,"b":2.5000}';
  expect(left()).toEqual({ drafts: [{ id: '7', action: 'store', text, base: BASE }], warnings: [] });
  expect(files()).toEqual([]);
});

test('changes count in the order of their numbers, as far as there is none missing', () => {
  const journal = session();
  begun(journal);
  step(journal, 2, [[10, 10, '2']]);
  step(journal, 1, [[9, 9, '3']]);
  step(journal, 4, [[0, 1, '']]);
  journal.close();
  const { drafts, warnings } = left();
  expect(drafts).toMatchObject([{ text: '{"a":321,"b":2.50}' }]);
  expect(warnings).toEqual([expect.stringContaining('id 7 some never arrived')]);
  expect(files()).toEqual([expect.stringContaining('.unreadable-')]);
});

test('what the disk did not take goes before the next change, once it takes some', () => {
  const folder = join(settings, 'drafts');
  writeFileSync(folder, 'where a folder should be');
  const journal = session();
  expect(() => begun(journal)).toThrow();
  expect(() => step(journal, 1, [[9, 10, '10']])).toThrow();
  expect(runToEnd(journal.draftAt('d', 1, '9', fingerprintOf('{"a":10,"b":2.50}')))).not.toBeNull();
  rmSync(folder);
  expect(step(journal, 2, [[9, 11, '99']])).toBe(true);
  kill();
  expect(left()).toMatchObject({ drafts: [{ text: '{"a":99,"b":2.50}', base: BASE }], warnings: [] });
});

test('edits of which somebody kept a later draft make none, which is said, and are kept aside', () => {
  const journal = session();
  begun(journal);
  step(journal, 1, [[9, 10, '10']]);
  journal.close();
  const { drafts, warnings } = left(session(), { isOvertaken: true });
  expect(drafts).toEqual([]);
  expect(warnings).toEqual([expect.stringContaining('the draft stays')]);
  expect(files()).toEqual([expect.stringContaining('.unreadable-')]);
});

test('of a journal that ends anywhere, every whole line counts, and no end is called damage', () => {
  const journal = session();
  begun(journal);
  step(journal, 1, [[9, 10, 'ü']]);
  step(journal, 2, [[9, 10, '\u{1f600}\ud800']]);
  const path = kill();
  const whole = readFileSync(path);
  const texts = ['{"a":ü,"b":2.50}', '{\n  "a": \u{1f600}\ud800,\n  "b": 2.50\n}'];
  const lineEnds = [...whole.keys()].filter((index) => whole[index] === 0x0a).map((index) => index + 1);
  for (let length = 0; length <= whole.length; length++) {
    writeFileSync(path, whole.subarray(0, length));
    const steps = lineEnds.filter((end) => end <= length).length - 1;
    const { drafts, warnings } = left();
    expect({ length, made: drafts.length, warnings }).toEqual({ length, made: steps > 0 ? 1 : 0, warnings: [] });
    if (steps === 2) expect(drafts[0]!.text).toBe(texts[1]);
  }
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
  const drafted = (document: string, number: number, offset: string | null, made: string) =>
    runToEnd(journal.draftAt(document, number, offset, fingerprintOf(made)));
  const base = BASE;
  expect(drafted('d', 1, '9', '{"a":11,"b":2.50}')).toBeNull();
  expect(drafted('d', 1, '80', '{"a":10,"b":2.50}')).toBeNull();
  expect(drafted('d', 1, '9', '{"a":10,"b":2.50}')).toEqual({
    id: '7',
    action: 'store',
    text: '{"a":10,"b":2.50}',
    base,
  });
  journal.keep('d', 1);
  expect(drafted('d', 2, '9', '{"a":99,"b":2.50}')).toMatchObject({ text: '{"a":99,"b":2.50}' });
  // The same again, but not one from before, and not one of which a change is missing.
  expect(drafted('d', 2, '9', '{"a":99,"b":2.50}')).toMatchObject({ text: '{"a":99,"b":2.50}' });
  expect(drafted('d', 1, '9', '{"a":10,"b":2.50}')).toBeNull();
  expect(drafted('d', 4, '9', '{"a":99,"b":2.50}')).toBeNull();
  expect(drafted('unknown', 1, '9', '')).toBeNull();
  expect(drafted('e', 1, null, '{"b":3}')).toEqual({ id: '8', action: 'store', text: '{"b":3}', base: null });
  expect(runToEnd(session().draftAt('d', 2, '9', fingerprintOf('{"a":99,"b":2.50}')))).toBeNull();
});

test('a draft of what is no JSON is stored as it is displayed, and one that begins from the written record has that as its base', () => {
  const journal = session();
  begun(journal);
  const drafted = (number: number, offset: string, made: string) =>
    runToEnd(journal.draftAt('d', number, offset, fingerprintOf(made)));
  step(journal, 1, [[9, 10, '10']], '80');
  expect(drafted(1, '80', '{"a":10,"b":2.50}')).toMatchObject({ base: { offset: '80', text: 'rebased' } });
  step(journal, 2, [[0, 1, '']], '80');
  expect(drafted(2, '80', '\n  "a": 10,\n  "b": 2.50\n}')).toMatchObject({ text: '\n  "a": 10,\n  "b": 2.50\n}' });
});

test('no draft is made of a document that was dropped while its text was made', () => {
  const journal = session();
  begun(journal);
  step(journal, 1, [[9, 10, '10']]);
  const making = journal.draftAt('d', 1, '9', fingerprintOf('{"a":10,"b":2.50}'));
  expect(making.next().done).toBe(false);
  journal.drop(['7']);
  expect(runToEnd(making)).toBeNull();
});

test('a session is told of what another one left when it ended, until it is taken up', () => {
  vi.useFakeTimers();
  const journal = session();
  begun(journal);
  step(journal, 1, [[9, 10, '10']]);
  let told = 0;
  const other = session();
  const stop = other.follow(() => {
    told++;
    expect(left(other).drafts).toHaveLength(1);
  });
  vi.advanceTimersByTime(5_000);
  expect(told).toBe(0);
  journal.close();
  vi.advanceTimersByTime(5_000);
  expect(told).toBe(1);
  stop();
  vi.useRealTimers();
});

test('a process that was killed in the middle of a line leaves all before it', () => {
  const journal = session();
  begun(journal);
  step(journal, 1, [[9, 10, '10']]);
  step(journal, 2, [[9, 11, '99']]);
  const path = kill();
  truncateSync(path, statSync(path).size - 5);
  expect(left().drafts).toMatchObject([{ text: '{"a":10,"b":2.50}' }]);
});

test('changes that do not fit what they began from are said, and make no draft', () => {
  const journal = session();
  begun(journal);
  step(journal, 1, [[900, 901, 'x']]);
  journal.close();
  expect(left()).toEqual({ drafts: [], warnings: [expect.stringContaining('id 7')] });
});

test('what a killed process left is taken up although its number belongs to another process now', () => {
  const journal = session();
  begun(journal);
  step(journal, 1, [[9, 10, '10']]);
  expect(left().drafts).toEqual([]);
  // The name still says the number of this process, which runs.
  expect(kill()).toContain(`.${process.pid}.`);
  expect(left()).toMatchObject({ drafts: [{ text: '{"a":10,"b":2.50}' }], warnings: [] });
  expect(files()).toEqual([]);
});

test('a journal stays until its drafts are kept, and is not given twice to the same session', () => {
  const journal = session();
  begun(journal);
  step(journal, 1, [[9, 10, '10']]);
  journal.close();
  const next = session();
  expect(left(next, { isKept: false }).drafts).toHaveLength(1);
  expect(left(next, { isKept: false }).drafts).toEqual([]);
  expect(files()).toHaveLength(1);
  next.forgetTaken();
  expect(files()).toEqual([]);
});

test('a damaged journal gives what can be read, says so, and is kept aside', () => {
  const journal = session();
  begun(journal);
  step(journal, 1, [[9, 10, '10']]);
  step(journal, 2, [[9, 11, '99']]);
  step(journal, 3, [[9, 11, '77']]);
  const path = kill();
  const lines = readFileSync(path, 'utf8').split('\n');
  writeFileSync(path, lines.with(2, lines[2]!.slice(4)).join('\n'));
  expect(left()).toMatchObject({
    drafts: [{ text: '{"a":10,"b":2.50}' }],
    warnings: [expect.stringContaining('damaged in 1 of 4 places')],
  });
  expect(files()).toEqual([expect.stringContaining('.unreadable-')]);
  expect(left()).toEqual({ drafts: [], warnings: [] });
});

test('a journal that cannot be read is said once, and stops no other', () => {
  const journal = session();
  begun(journal);
  step(journal, 1, [[9, 10, '10']]);
  journal.close();
  const [name] = files();
  // In the order of their names it comes first.
  const unreadable = name!.replace(/closed\..*/, `1.${'0'.repeat(8)}-0000-0000-0000-${'0'.repeat(12)}.journal`);
  mkdirSync(join(settings, 'drafts', unreadable));
  const next = session();
  expect(left(next)).toMatchObject({ drafts: [{ id: '7' }], warnings: [expect.stringContaining('could not be read')] });
  expect(left(next)).toEqual({ drafts: [], warnings: [] });
});
