import { insertNewline } from '@codemirror/commands';
import {
  EditorSelection,
  EditorState,
  type Extension,
  Prec,
  StateField,
  type Transaction,
  type TransactionSpec,
} from '@codemirror/state';
import { EditorView, keymap, lineNumbers } from '@codemirror/view';
import { announce } from '../../state/announcements.ts';
import { notify } from '../../state/application.ts';
import {
  type HeldChange,
  NO_BREAKS,
  neededBreaks,
  type SoftBreaks,
  softBreakAround,
  softBreaksAfter,
  softBreaksBefore,
  softBreaksIn,
  wholeChange,
  withoutSoftBreaks,
} from '../../state/soft-breaks.ts';

/** The soft breaks of a document that may hold some. */
const softBreakField = StateField.define<SoftBreaks>({
  create: (state) => softBreaksIn(state.doc),
  update: (breaks, transaction) =>
    transaction.docChanged ? softBreaksAfter(breaks, transaction.changes, transaction.newDoc) : breaks,
});

export function softBreaksOf(state: EditorState): SoftBreaks {
  return state.field(softBreakField, false) ?? NO_BREAKS;
}

/** Whether the line at a position of the document is held in pieces. */
function isInPieces(state: EditorState, from: number, to: number): boolean {
  const breaks = softBreaksOf(state);
  const first = state.doc.lineAt(from).from - 2;
  return softBreaksBefore(breaks, state.doc.lineAt(to).to + 1) > softBreaksBefore(breaks, first);
}

const touchesPieces = ({ state }: EditorView): boolean =>
  state.selection.ranges.some(({ from, to }) => isInPieces(state, from, to));

const isBeforeSoftBreak = ({ state }: EditorView): boolean =>
  state.selection.ranges.every(({ head }) => softBreakAround(softBreaksOf(state), head + 1) >= 0);

/** A soft break is passed and deleted as a whole: no cursor stands inside, and no half of one is left. */
function keepSoftBreaksWhole(transaction: Transaction): TransactionSpec | readonly TransactionSpec[] {
  const { startState } = transaction;
  if (!transaction.docChanged) {
    const selection = transaction.selection && selectionOutside(startState, transaction.selection);
    return selection ? [transaction, { selection }] : transaction;
  }
  const whole = withWholeChanges(transaction);
  const changes = whole ? startState.changes(whole.changes) : transaction.changes;
  const needed = neededBreaks(changes, whole ? changes.apply(startState.doc) : transaction.newDoc);
  if (needed.length === 0) return whole ? whole.spec : transaction;
  return [whole ? whole.spec : transaction, { changes: needed, sequential: true }];
}

function withWholeChanges(transaction: Transaction): { changes: HeldChange[]; spec: TransactionSpec } | null {
  const { startState } = transaction;
  const breaks = softBreaksOf(startState);
  const direction = transaction.isUserEvent('delete.backward') ? -1 : transaction.isUserEvent('delete.forward') ? 1 : 0;
  const changes: HeldChange[] = [];
  let isOther = false;
  transaction.changes.iterChanges((from, to, _fromB, _toB, inserted) => {
    const change = { from, to, insert: inserted.toString() };
    const whole = wholeChange(startState.doc, breaks, change, direction);
    if (whole) isOther = true;
    changes.push(whole ?? change);
  }, true);
  if (!isOther) return null;
  return {
    changes,
    spec: {
      changes,
      selection: startState.selection.map(startState.changes(changes), 1),
      effects: transaction.effects,
      scrollIntoView: transaction.scrollIntoView,
      ...(direction === 0 ? {} : { userEvent: direction < 0 ? 'delete.backward' : 'delete.forward' }),
    },
  };
}

/** A selection with its ends beside the soft breaks they are in: further on in the direction they were moved. Null where none is. */
function selectionOutside(state: EditorState, selection: EditorSelection): EditorSelection | null {
  const breaks = softBreaksOf(state);
  const outside = (position: number, from: number): number => {
    const around = softBreakAround(breaks, position);
    if (around < 0) return position;
    return from <= around ? around + 2 : around;
  };
  // Only a step of one from before it goes on to behind it; what comes from afar, as End does, stays before.
  let isOther = false;
  const ranges = selection.ranges.map((range, index) => {
    const before = state.selection.ranges[index] ?? state.selection.main;
    const step = (position: number) => (before.head === position - 1 ? before.head : Number.POSITIVE_INFINITY);
    const head = outside(range.head, step(range.head));
    // A cursor stays one: with its ends on the two sides of a soft break it would be a selection of nothing, which the next key deletes.
    const anchor = range.empty ? head : outside(range.anchor, Number.POSITIVE_INFINITY);
    if (anchor === range.anchor && head === range.head) return range;
    isOther = true;
    return EditorSelection.range(anchor, head);
  });
  return isOther ? EditorSelection.create(ranges, selection.mainIndex) : null;
}

/** Takes a key that is for whole lines, and says why it does nothing here. */
function refuseInPieces(view: EditorView): boolean {
  if (!touchesPieces(view)) return false;
  const words = 'Part of a long line: it is shown in pieces, which cannot be indented or moved by themselves.';
  announce(words);
  notify({ tone: 'plain', text: words });
  return true;
}

/** Commands that work on lines as they are seen would put their spaces and line feeds into the middle of a long one. */
const LINE_COMMANDS = [
  'Tab',
  'Shift-Tab',
  'Mod-[',
  'Mod-]',
  'Mod-Enter',
  'Mod-Alt-\\',
  'Alt-ArrowUp',
  'Alt-ArrowDown',
  'Shift-Alt-ArrowUp',
  'Shift-Alt-ArrowDown',
];

/** Says where the soft breaks of a document stand that is opened: else it is looked through for them. */
export function withSoftBreaks(breaks: SoftBreaks): Extension {
  return softBreakField.init(() => breaks);
}

/** What a document of long lines needs. Goes with text made by `documentText`. */
export const longLines: Extension = [
  softBreakField,
  EditorState.transactionFilter.of(keepSoftBreaksWhole),
  EditorView.clipboardOutputFilter.of(withoutSoftBreaks),
  Prec.high(
    keymap.of([
      ...LINE_COMMANDS.map((key) => ({ key, run: refuseInPieces })),
      { key: 'Enter', run: (view) => touchesPieces(view) && insertNewline(view) },
      // There already: a step of one, which the line's own end is behind the mark, would go on to the next piece.
      { key: 'End', run: isBeforeSoftBreak, shift: isBeforeSoftBreak },
    ]),
  ),
];

/** Numbers of the lines of the text; the further pieces of a long one have none. */
export const textLineNumbers: Extension = lineNumbers({
  formatNumber: (number, state) => {
    const breaks = softBreaksOf(state);
    // Asked for the widest number as well, which may be beyond the last line.
    if (breaks.length === 0 || number > state.doc.lines) return String(number);
    const { from } = state.doc.line(number);
    const before = softBreaksBefore(breaks, from);
    return breaks[before - 1] === from - 2 ? '' : String(number - before);
  },
});
