// @vitest-environment happy-dom
import { deleteCharBackward, deleteCharForward, history, redo, undo } from '@codemirror/commands';
import { EditorState, Text, type Transaction } from '@codemirror/state';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { heldText } from '../../state/large-text.ts';
import { LONG_LINE, softBreaksIn, withoutSoftBreaks } from '../../state/soft-breaks.ts';
import { longLines, softBreaksOf } from './long-lines.ts';

/** An editor's state that commands change. */
function edited(doc: Text) {
  const target = {
    state: EditorState.create({ doc, extensions: [longLines, history()] }),
    dispatch: (transaction: Transaction) => {
      target.state = transaction.state;
    },
  };
  const text = () => withoutSoftBreaks(target.state.sliceDoc());
  const move = (anchor: number, head = anchor) => target.dispatch(target.state.update({ selection: { anchor, head } }));
  const type = (insert: string) => target.dispatch(target.state.update(target.state.replaceSelection(insert)));
  return { target, text, move, type, run: (command: (view: never) => boolean) => command(target as never) };
}

/** `ab` and `cd`, one line of the text in two pieces, and a line of its own: positions 0 a 1 b 2 (half) 3 (feed) 4 c 5 d 6 (feed) 7 e 8. */
const PIECES = Text.of(['ab\uDBFF', 'cd', 'e']);

describe('beside a soft break', () => {
  test('Backspace takes the character before it, Delete the one behind it', () => {
    const { text, move, run } = edited(PIECES);
    move(4);
    run(deleteCharBackward);
    expect(text()).toBe('acd\ne');
    move(1);
    run(deleteCharForward);
    expect(text()).toBe('ad\ne');
  });

  test('Delete and Backspace beside a piece of which all was deleted take one character, and leave no line feed', () => {
    for (const [command, at, left] of [
      [deleteCharForward, 2, 'abd'],
      [deleteCharBackward, 6, 'acd'],
    ] as const) {
      const { target, text, move, run } = edited(Text.of(['ab\uDBFF', 'x\uDBFF', 'cd']));
      target.dispatch(target.state.update({ changes: { from: 4, to: 5 } }));
      move(at);
      run(command);
      expect(text()).toBe(left);
    }
  });

  test('the cursor is never inside, and steps over it', () => {
    const { target, move } = edited(PIECES);
    move(2);
    move(3);
    // A cursor still: with one end on either side, the next key would delete that selection of nothing.
    expect(target.state.selection.main).toMatchObject({ anchor: 4, head: 4 });
    move(3);
    expect(target.state.selection.main.head).toBe(2);
    move(0);
    move(0, 3);
    expect(target.state.selection.main).toMatchObject({ anchor: 0, head: 2 });
  });

  test('text typed on either side is there once, and a line feed typed is one', () => {
    const { text, move, type } = edited(PIECES);
    move(4);
    type('x');
    move(2);
    type('y\n');
    expect(text()).toBe('aby\nxcd\ne');
  });

  test('what would leave half of it takes it whole: no line feed comes into the text', () => {
    for (const [from, to] of [
      [1, 3],
      [3, 5],
      [3, 3],
      [2, 3],
      [3, 4],
    ] as const) {
      const { target, text } = edited(PIECES);
      target.dispatch(target.state.update({ changes: { from, to, insert: 'x' } }));
      expect(text()).toBe(`${'ab'.slice(0, from)}x${'cd'.slice(Math.max(0, to - 4))}\ne`);
    }
  });
});

test('what is pasted into a line is held in pieces, and goes and comes by undo and redo', () => {
  const { target, text, move, type, run } = edited(heldText('{"a":""}'));
  const pasted = 'lorem ipsum 🐀 '.repeat(LONG_LINE);
  move(6);
  type(pasted);
  expect(text()).toBe(`{"a":"${pasted}"}`);
  expect(Math.max(...Array.from(target.state.doc.iterLines(), (line) => line.length))).toBeLessThan(LONG_LINE);
  run(undo);
  expect(text()).toBe('{"a":""}');
  run(redo);
  expect(text()).toBe(`{"a":"${pasted}"}`);
});

test('keys at the borders of pieces take and give whole characters, and no soft break or half of one comes into the text', () => {
  const key = fc.constantFrom('Backspace', 'Delete', 'e', '\u0301', '🐀', '\u200d👧', '\u{10ffff}', '\n', '\uDBFF');
  const place = fc.record({
    border: fc.double({ min: 0, max: 1, noNaN: true }),
    beside: fc.integer({ min: -2, max: 4 }),
  });
  const words = fc.constantFrom(
    'e\u0301'.repeat(300),
    '👩\u200d👩\u200d👧'.repeat(60),
    '\u{10fc00}'.repeat(200),
    'word 😀 ',
    'a\u0301\u0302 ,',
  );
  fc.assert(
    fc.property(
      fc.array(words, { minLength: 1, maxLength: 5 }),
      fc.array(fc.tuple(place, key), { maxLength: 30 }),
      (parts, keys) => {
        const original = parts.join('').repeat(Math.ceil((LONG_LINE + 1) / parts.join('').length));
        const { target, text, move, type, run } = edited(heldText(original));
        for (const [{ border, beside }, pressed] of keys) {
          const breaks = softBreaksOf(target.state);
          const at = (breaks[Math.floor(border * (breaks.length - 1))] ?? 0) + beside;
          const clamped = Math.max(0, Math.min(target.state.doc.length, at));
          // Where a person can stand: not within a character.
          if (/[\uDC00-\uDFFF]/.test(target.state.sliceDoc(clamped, clamped + 1))) continue;
          move(clamped);
          const { head } = target.state.selection.main;
          expect(softBreaksOf(target.state).includes(head - 1)).toBe(false);
          const before = withoutSoftBreaks(target.state.sliceDoc(0, head));
          const behind = withoutSoftBreaks(target.state.sliceDoc(head));
          if (pressed === 'Backspace') {
            run(deleteCharBackward);
            expect(before.startsWith(text().slice(0, text().length - behind.length))).toBe(true);
            expect(text().endsWith(behind)).toBe(true);
            expect(text().length < before.length + behind.length || before === '').toBe(true);
          } else if (pressed === 'Delete') {
            run(deleteCharForward);
            expect(text().startsWith(before)).toBe(true);
            expect(behind.endsWith(text().slice(before.length))).toBe(true);
            expect(text().length < before.length + behind.length || behind === '').toBe(true);
          } else {
            type(pressed);
            // A half alone, as of a soft break that was copied in part, is no character of the text.
            expect(text()).toBe(before + (pressed === '\uDBFF' ? '' : pressed) + behind);
          }
          expect(text().isWellFormed()).toBe(true);
          expect(softBreaksOf(target.state)).toEqual(softBreaksIn(target.state.doc));
        }
        while (run(undo));
        expect(text()).toBe(original);
      },
    ),
    { numRuns: 150, verbose: true },
  );
});

test('a long line edited at random is the text edited so, with lines of bounded length, and undone it is the text again', () => {
  const insert = fc.constantFrom('', 'x', '🐀', '\n', ' y'.repeat(300), 'z'.repeat(LONG_LINE + 1));
  const edits = fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(2_000), insert), {
    maxLength: 12,
  });
  fc.assert(
    fc.property(edits, (wanted) => {
      const original = 'word 😀 '.repeat(2_000);
      const { target, text, run } = edited(heldText(original));
      for (const [at, length, insert] of wanted) {
        const { state } = target;
        const from = Math.floor(at * state.doc.length);
        const to = Math.min(state.doc.length, from + length);
        const taken = withoutSoftBreaks(state.sliceDoc(0, from)).length;
        // Between the two halves of a soft break, what is behind begins behind both.
        const behind = softBreaksIn(state.doc).includes(to - 1) ? to + 1 : to;
        const expected = text().slice(0, taken) + insert + withoutSoftBreaks(state.sliceDoc(behind));
        // Between the halves of a character nothing is typed.
        if (
          /^[\uDC00-\uDFFF]/.test(state.sliceDoc(from, from + 1)) ||
          /^[\uDC00-\uDFFF]/.test(state.sliceDoc(to, to + 1))
        )
          continue;
        target.dispatch(state.update({ changes: { from, to, insert: state.toText(insert) } }));
        expect(text()).toBe(expected);
        expect(softBreaksOf(target.state)).toEqual(softBreaksIn(target.state.doc));
        for (const line of target.state.doc.iterLines()) expect(line.length).toBeLessThanOrEqual(LONG_LINE + 1);
      }
      while (run(undo));
      expect(text()).toBe(original);
    }),
    { numRuns: 60, verbose: true },
  );
});
