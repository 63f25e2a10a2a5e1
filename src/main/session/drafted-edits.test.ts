import { mkdirSync, mkdtempSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runToEnd } from '../../core/steps.ts';
import { DraftedEdits } from './drafted-edits.ts';
import { DraftStore } from './drafts.ts';
import { EditJournal } from './journal.ts';
import { keptName } from './kept-file.ts';

let settings: string;
let warnings: string[];
beforeEach(() => {
  settings = mkdtempSync(join(tmpdir(), 'velescope-drafted-'));
  warnings = [];
});
afterEach(() => rmSync(settings, { recursive: true, force: true }));

/** What a session has of drafts and edits, and its edits of the record of id 7. */
function session() {
  const drafts = new DraftStore(settings, '/data', ({ message }) => warnings.push(message));
  const journal = new EditJournal(settings, '/data');
  const edits = new DraftedEdits(drafts, journal);
  let step = 0;
  return {
    drafts,
    edits,
    journal,
    begin: (text = '[0]') =>
      journal.begin({ document: 'd', id: '7', compact: false, opened: null, base: { offset: '0', text } }),
    /** Types a digit behind the first one. */
    type: (digit: string) => journal.step('d', ++step, [[2, 2, digit]], '0', () => null),
    /** Makes a draft, as the window does when typing pauses. */
    pause(text: string) {
      drafts.put([{ id: '7', action: 'store', text, base: { offset: '0', text: '[0]' } }]);
      edits.settle(['7'], { document: 'd', step });
    },
    takeUp() {
      runToEnd(edits.takeUp((words) => warnings.push(words)));
      return drafts.list().map(({ text }) => text);
    },
  };
}
const fileInTheWay = () => join(settings, 'drafts', `${keptName('/data')}.tmp`);
const files = () => readdirSync(join(settings, 'drafts')).filter((name) => name !== 'lock');

test('edits whose draft the disk does not take stay in the journal, and are a draft of the next session', () => {
  const one = session();
  one.begin();
  one.type('1');
  mkdirSync(fileInTheWay());
  one.pause('[01]');
  expect(warnings).toEqual([expect.stringContaining('could not be kept')]);
  one.journal.close();
  rmdirSync(fileInTheWay());
  expect(session().takeUp()).toEqual(['[01]']);
});

test('once the disk takes the drafts the journal is told of them, also by a change of another one', () => {
  const one = session();
  one.begin();
  one.type('1');
  mkdirSync(fileInTheWay());
  one.pause('[01]');
  rmdirSync(fileInTheWay());
  one.drafts.put([{ id: '8', action: 'delete', text: null, base: null }]);
  one.edits.settleKept();
  one.journal.close();
  expect(files()).toEqual([expect.stringMatching(/\.json$/)]);
});

test('a draft that is in the log comes back from no journal, whether or not the disk took it', () => {
  const one = session();
  one.begin();
  one.type('1');
  mkdirSync(fileInTheWay());
  one.pause('[01]');
  one.drafts.dropUnchanged(one.drafts.list());
  one.edits.settleWritten(['7']);
  one.journal.close();
  rmdirSync(fileInTheWay());
  expect(session().takeUp()).toEqual([]);
});

test('a draft that somebody made later stays, and what it is not made of is said', async () => {
  const one = session();
  one.begin();
  one.type('1');
  one.journal.close();
  // A later one, by the clock that both are measured with.
  await new Promise((resolve) => setTimeout(resolve, 5));
  const other = session();
  other.drafts.put([{ id: '7', action: 'store', text: '[9]', base: null }]);
  expect(other.takeUp()).toEqual(['[9]']);
  expect(warnings).toEqual([expect.stringContaining('id 7 were made before its draft')]);
});

test('a draft that the killed session made itself, and could not note any more, is no other one', async () => {
  const one = session();
  one.begin();
  one.type('1');
  await new Promise((resolve) => setTimeout(resolve, 5));
  one.drafts.put([{ id: '7', action: 'store', text: '[01]', base: null }]);
  one.journal.close();
  expect(session().takeUp()).toEqual(['[01]']);
  expect(warnings).toEqual([]);
});
