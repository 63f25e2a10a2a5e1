import { type ChangeSet, findClusterBreak, type Text } from '@codemirror/state';
import type { TextEdit } from '../../core/json/edits.ts';

/*
 * A line of millions of characters is one string to the editor: each key makes a new one of the whole, and so does each look at it.
 * A large document therefore holds long lines in pieces, between which stand soft breaks: half a character and a line feed. What is
 * edited is the text without them. The half stands alone before a line feed, which is found in no text of whole characters, so a soft
 * break is never mistaken for a line feed of the text: it carries its meaning itself, through undo and redo as well, where places
 * noted beside the document would have to be brought back with it.
 */

/** Before a line feed: the line goes on, and neither of the two is part of the text. */
const HALF = '\uDBFF';
const BREAK = `${HALF}\n`;
const BREAK_LENGTH = BREAK.length;
/** A half that belongs to no soft break and to no whole character. */
const STRAY = /\uDBFF(?![\n\uDC00-\uDFFF])/g;

/** A line longer than this is shown in pieces. */
export const LONG_LINE = 4_096;
/**
 * The editor lays out, paints and rasterises every line near the screen over its whole length, at each key and twice: a piece is little
 * longer than a line that can be seen. Pieces of 512 took ten milliseconds a key more where the text is in other scripts, whose
 * characters come from several fonts.
 */
const PIECE = 128;
/** So far back a place is looked for where words are not torn. */
const SEARCH_BACK = 40;

/** Where soft breaks stand, in order. Numbers of 32 bits: there can be a hundred thousand, of which each key moves those behind it. */
export type SoftBreaks = Int32Array;
export const NO_BREAKS: SoftBreaks = new Int32Array();

/** The code of the half character, which the editor shows as a mark. */
export const SOFT_BREAK_CODE = HALF.charCodeAt(0);
export const SOFT_BREAK_PATTERN = /\uDBFF/;

/** Where a long line is cut: behind a space or a comma, else between whole characters. */
function* cutsOf(line: string): Generator<number> {
  for (let from = 0; line.length - from > PIECE; ) {
    let to = from + PIECE;
    while (to > from + PIECE - SEARCH_BACK && !' ,'.includes(line[to - 1]!)) to--;
    if (to === from + PIECE - SEARCH_BACK) {
      to = from + PIECE;
      const around = line.slice(to - 20, to + 20);
      to = to - 20 + findClusterBreak(around, 20, false);
      // In the middle of something longer than any character one sees: between its parts, never within one.
      if (to <= from + PIECE - 20) to = from + PIECE - (isLow(line, from + PIECE) ? 1 : 0);
    }
    yield to;
    from = to;
  }
}

function isLow(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  return unit >= 0xdc00 && unit <= 0xdfff;
}

/** The lines in which a line of the text is held: one, unless it is long. */
export function heldLines(line: string): string[] {
  if (line.length <= LONG_LINE) return [line];
  const lines: string[] = [];
  let from = 0;
  for (const to of cutsOf(line)) {
    lines.push(line.slice(from, to) + HALF);
    from = to;
  }
  lines.push(line.slice(from));
  return lines;
}

/** Text taken from a document, as what is edited: without soft breaks, also one whose line feed was not taken along. */
export function withoutSoftBreaks(held: string): string {
  return held.includes(HALF) ? held.replaceAll(BREAK, '').replace(STRAY, '') : held;
}

/** A part of a document whose lines end with its own, as text: with the line feed behind it, unless it is the last part or that is a soft break's. */
export function textOfPart(held: string, isLast: boolean): string {
  return withoutSoftBreaks(isLast ? held : `${held}\n`);
}

/** Where the soft breaks of a document stand, or of a range of it. */
export function softBreaksIn(doc: Text, from = 0, to = doc.length): SoftBreaks {
  const found: number[] = [];
  let at = from;
  let half = -1;
  for (const piece of doc.iterRange(from, to)) {
    if (piece === '\n' && half >= 0) found.push(half);
    at += piece.length;
    half = piece.endsWith(HALF) ? at - 1 : -1;
  }
  return Int32Array.from(found);
}

/** The soft breaks after changes. Only what was changed is looked at. */
export function softBreaksAfter(breaks: SoftBreaks, changes: ChangeSet, doc: Text): SoftBreaks {
  // Runs that stay, each moved by so much, and between them what is new.
  const runs: { breaks: SoftBreaks; shift: number }[] = [];
  let next = 0;
  let shift = 0;
  changes.iterChangedRanges((fromA, toA, fromB, toB) => {
    const gone = Math.max(next, softBreaksBefore(breaks, fromA - BREAK_LENGTH + 1));
    runs.push({ breaks: breaks.subarray(next, gone), shift });
    next = Math.max(gone, softBreaksBefore(breaks, toA));
    runs.push({ breaks: softBreaksIn(doc, Math.max(0, fromB - 1), Math.min(doc.length, toB + 1)), shift: 0 });
    shift = toB - toA;
  });
  runs.push({ breaks: breaks.subarray(next), shift });
  return joined(runs);
}

function joined(runs: readonly { breaks: SoftBreaks; shift: number }[]): SoftBreaks {
  const whole = new Int32Array(runs.reduce((length, run) => length + run.breaks.length, 0));
  let at = 0;
  for (const { breaks, shift } of runs) {
    whole.set(breaks, at);
    const end = at + breaks.length;
    if (shift === 0) at = end;
    for (; at < end; at++) whole[at]! += shift;
  }
  return whole;
}

/** How many soft breaks begin before a position. */
export function softBreaksBefore(breaks: SoftBreaks, position: number): number {
  let low = 0;
  let high = breaks.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (breaks[middle]! < position) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Where a position of the document is in the text. Both ends of a soft break are one place. */
export function textOffset(breaks: SoftBreaks, position: number): number {
  const before = softBreaksBefore(breaks, position);
  const within = before > 0 && breaks[before - 1]! + 1 === position ? 1 : 0;
  return position - before * BREAK_LENGTH + within;
}

/** Where a place of the text is in the document: behind a soft break where there is one. */
export function documentPosition(breaks: SoftBreaks, offset: number): number {
  let low = 0;
  let high = breaks.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (breaks[middle]! - middle * BREAK_LENGTH <= offset) low = middle + 1;
    else high = middle;
  }
  return offset + low * BREAK_LENGTH;
}

/** The soft break that a position is inside of, or -1. */
export function softBreakAround(breaks: SoftBreaks, position: number): number {
  const before = softBreaksBefore(breaks, position);
  return before > 0 && breaks[before - 1]! + 1 === position ? position - 1 : -1;
}

/** A change of a document. */
export interface HeldChange {
  from: number;
  to: number;
  insert: string;
}

/**
 * A change that touches half of a soft break takes the whole; null where it does not. One that takes nothing else, as Backspace and
 * Delete do beside it, goes on to the next character in its direction.
 */
export function wholeChange(
  doc: Text,
  breaks: SoftBreaks,
  change: HeldChange,
  direction: -1 | 0 | 1,
): HeldChange | null {
  let { from, to } = change;
  const isDeletion = change.insert === '' && to > from;
  if (softBreakAround(breaks, from) >= 0) from--;
  // Text typed between the two halves belongs before both.
  if (change.to === change.from) to = from;
  else if (softBreakAround(breaks, to) >= 0) to++;
  const count = softBreaksBefore(breaks, to) - softBreaksBefore(breaks, from);
  if (isDeletion && direction !== 0 && to - from === count * BREAK_LENGTH) {
    if (direction < 0) from = beyondCharacter(doc, breaks, from, -1);
    if (direction > 0) to = beyondCharacter(doc, breaks, to, 1);
  }
  const insert = change.insert.includes(HALF) ? change.insert.replace(STRAY, '') : change.insert;
  return from === change.from && to === change.to && insert === change.insert ? null : { from, to, insert };
}

/**
 * Where the next character of the text ends in a direction, which may be a line feed. Soft breaks on the way are passed: of a piece of which
 * all was deleted two are left, one behind the other, and to take half of the second would leave its line feed to the text.
 */
function beyondCharacter(doc: Text, breaks: SoftBreaks, from: number, direction: -1 | 1): number {
  let position = from;
  while (softBreakAround(breaks, position + direction) >= 0) position += direction * BREAK_LENGTH;
  if (position === (direction > 0 ? doc.length : 0)) return position;
  const line = doc.lineAt(position);
  if (position === (direction > 0 ? line.to : line.from)) return position + direction;
  const end = line.from + findClusterBreak(line.text, position - line.from, direction > 0);
  // What joins with the character behind it joins with the half of a soft break as well.
  const around = softBreakAround(breaks, end);
  return around < 0 ? end : around;
}

/** Where soft breaks are to be put into the long lines of a range of a document. */
export function neededBreaksIn(doc: Text, from: number, to: number): HeldChange[] {
  const needed: HeldChange[] = [];
  for (let position = from; position <= to; ) {
    const line = doc.lineAt(position);
    position = line.to + 1;
    if (line.length <= LONG_LINE) continue;
    const text = line.text.endsWith(HALF) ? line.text.slice(0, -1) : line.text;
    for (const cut of cutsOf(text)) needed.push({ from: line.from + cut, to: line.from + cut, insert: BREAK });
  }
  return needed;
}

/** Where soft breaks are to be put into lines that changes made too long. */
export function neededBreaks(changes: ChangeSet, doc: Text): HeldChange[] {
  const needed: HeldChange[] = [];
  let seen = -1;
  changes.iterChangedRanges((_fromA, _toA, fromB, toB) => {
    const from = Math.max(fromB, seen + 1);
    if (from > toB) return;
    for (const change of neededBreaksIn(doc, from, toB)) needed.push(change);
    seen = doc.lineAt(toB).to;
  });
  return needed;
}

/** Changes of a document as changes of the text, in order, each counted in the text before all of them. */
export function textEdits(breaks: SoftBreaks, changes: ChangeSet): TextEdit[] {
  const edits: TextEdit[] = [];
  changes.iterChanges((fromA, toA, _fromB, _toB, inserted) => {
    const from = textOffset(breaks, fromA);
    const to = textOffset(breaks, toA);
    const insert = withoutSoftBreaks(inserted.toString());
    if (to > from || insert !== '') edits.push([from, to, insert]);
  }, true);
  return edits;
}
