import { Text } from '@codemirror/state';
import { breathe, type Source } from '../work/work.ts';

/** A text is cut into pieces of this many characters to be taken apart or put together without holding up the window. */
const PIECE = 1 << 19;

/** The text of a document in pieces. The document is of one moment: edits make another one. */
export function* piecesOf(doc: Text): Generator<string> {
  for (let from = 0; from < doc.length; from += PIECE) yield doc.sliceString(from, Math.min(doc.length, from + PIECE));
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

/** Makes a document of a text whose lines end at \n and nowhere else, a piece at a time. */
export async function documentText(text: string, piece = PIECE): Promise<Text> {
  const lines: string[] = [];
  for (let from = 0; from < text.length; ) {
    // At a line's end, so that no line is put together from parts; what has no end here is one piece.
    const end = text.indexOf('\n', from + piece);
    const to = end < 0 ? text.length : end;
    for (const line of text.slice(from, to).split('\n')) lines.push(line);
    from = to + 1;
    if (to < text.length && from === text.length) lines.push('');
    if (to < text.length) await breathe();
  }
  return Text.of(lines.length === 0 ? [''] : lines);
}
