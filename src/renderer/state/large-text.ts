import { Text } from '@codemirror/state';
import { breathe, type Source } from '../work/work.ts';
import { heldLines, wholeEnd, withoutSoftBreaks } from './soft-breaks.ts';

/** A text is cut into pieces of this many characters to be taken apart or put together without holding up the window. */
const PIECE = 1 << 18;
/** So many lines are made before the window may do something else. */
const BREATH_LINES = 1 << 13;

/** The text of a document in pieces, each of whole characters. The document is of one moment: edits make another one. */
export function* piecesOf(doc: Text, piece = PIECE): Generator<string> {
  for (let from = 0; from < doc.length; ) {
    const to = wholeEnd(doc, Math.min(doc.length, from + piece));
    yield withoutSoftBreaks(doc.sliceString(from, to));
    from = to;
  }
}

const numbers = new WeakMap<Text, number>();
let count = 0;

/** A document as the text of jobs. */
export function sourceOf(doc: Text): Source {
  let number = numbers.get(doc);
  if (number === undefined) {
    number = ++count;
    numbers.set(doc, number);
  }
  return { number, pieces: () => piecesOf(doc) };
}

/** A document, and where its soft breaks stand. */
export interface HeldDocument {
  doc: Text;
  breaks: readonly number[];
}

/** Makes a document of a text whose lines end at \n and nowhere else, a piece at a time. With `held`, long lines are held in pieces. */
export async function documentText(text: string, held: boolean, piece = PIECE): Promise<HeldDocument> {
  const lines: string[] = [];
  const breaks: number[] = [];
  let length = 0;
  const add = (line: string): void => {
    lines.push(line);
    length += line.length + 1;
  };
  for (let from = 0; from < text.length; ) {
    // At a line's end, so that no line is put together from parts; what has no end here is one piece.
    const end = text.indexOf('\n', from + piece);
    const to = end < 0 ? text.length : end;
    for (const line of text.slice(from, to).split('\n')) {
      const parts = held ? heldLines(line) : [line];
      for (let index = 0; index < parts.length; index++) {
        if (index > 0) breaks.push(length - 2);
        add(parts[index]!);
        if (lines.length % BREATH_LINES === 0) await breathe();
      }
    }
    from = to + 1;
    if (to < text.length && from === text.length) add('');
    if (to < text.length) await breathe();
  }
  return { doc: Text.of(lines.length === 0 ? [''] : lines), breaks };
}

/** A document to look at: its lines end wherever the editor ends them. */
export function heldText(text: string): Text {
  return Text.of(text.split(/\r\n?|\n/).flatMap(heldLines));
}
