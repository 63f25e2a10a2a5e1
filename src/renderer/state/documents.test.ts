// @vitest-environment happy-dom
import { expect, test } from 'vitest';
import { PayloadDocument } from './documents.ts';
import { LONG_LINE } from './soft-breaks.ts';

const TEXT = '{\n  "a": "before",\n  "b": ""\n}';
const INTO = TEXT.indexOf('""') + 1;
const PASTED = 'Köln 😀 '.repeat(130_000);

function documentWith(pasted: string): PayloadDocument {
  const document = new PayloadDocument('1', { offset: '0', text: TEXT }, TEXT, null);
  document.dispatch({ changes: { from: TEXT.indexOf('before'), insert: 'x' }, userEvent: 'input.type' });
  document.dispatch({
    changes: { from: INTO + 1, insert: pasted },
    selection: { anchor: INTO + 1 + pasted.length },
    userEvent: 'input.paste',
  });
  return document;
}

const typed = TEXT.replace('before', 'xbefore');
const whole = typed.replace('""', `"${PASTED}"`);

test('a long line pasted into a small document is edited as one that was opened long, with the cursor where it was', () => {
  const document = documentWith(PASTED);
  expect(document.plain).toBe(true);
  expect(document.text === whole).toBe(true);
  expect(document.cursor).toBe(INTO + 1 + PASTED.length);
  for (const line of document.state.doc.iterLines()) expect(line.length).toBeLessThan(LONG_LINE);
  document.dispatch({ changes: { from: document.state.selection.main.head, insert: 'y' }, userEvent: 'input.type' });
  expect(document.text === whole.replace(`${PASTED}"`, `${PASTED}y"`)).toBe(true);
});

test('what was done before a document became plain is undone and redone step by step', () => {
  const document = documentWith(PASTED);
  document.undo();
  expect(document.state.doc.toString()).toBe(typed);
  document.undo();
  expect(document.state.doc.toString()).toBe(TEXT);
  document.redo();
  document.redo();
  expect(document.text === whole).toBe(true);
});

test('a document stays as it is by a paste that makes no line too long, or holds half a character', () => {
  expect(documentWith('lorem ipsum\n'.repeat(30_000)).plain).toBe(false);
  const half = documentWith(`\uDBFF\n${PASTED}`);
  expect(half.plain).toBe(false);
  expect(half.state.doc.toString()).toBe(typed.replace('""', `"\uDBFF\n${PASTED}"`));
});
