import { Text } from '@codemirror/state';
import { breathe, type Part, type Source } from '../work/work.ts';
import { heldLines, type SoftBreaks, textOfPart } from './soft-breaks.ts';

/** A document is made of pieces of about this many characters. */
const PIECE = 1 << 16;
/** So many lines are made into a tree at a time. */
const TREE_LINES = 1 << 11;
/** So long a document is made before the window may do something else: time, because lines take more or less of it. */
const SLICE_MILLISECONDS = 8;

/** A part of a document that is taken out at once: what the editor keeps in one leaf, or several small ones. */
const PART = 1 << 15;

/** What never changes gets a number, by which a worker knows that it has it. */
const numbers = new WeakMap<Text, number>();
let count = 0;

function numberOf(text: Text): number {
  let number = numbers.get(text);
  if (number === undefined) {
    number = ++count;
    numbers.set(text, number);
  }
  return number;
}

/**
 * The text of a document in parts. To the editor a document is a tree of parts that never change, and an edit makes a tree that shares
 * all but a few with the one before: what a worker has of that one it need not be sent again.
 */
export function* partsOf(doc: Text): Generator<Part> {
  let before: Text | null = null;
  for (const part of treeParts(doc)) {
    if (before) yield partOf(before, false);
    before = part;
  }
  if (before) yield partOf(before, true);
}

function* treeParts(text: Text): Generator<Text> {
  if (text.children === null || text.length <= PART) yield text;
  else for (const child of text.children) yield* treeParts(child);
}

function partOf(part: Text, isLast: boolean): Part {
  return {
    number: 2 * numberOf(part) + (isLast ? 1 : 0),
    text: () => textOfPart(part.sliceString(0), isLast),
  };
}

/** A document as the text of jobs. */
export function sourceOf(doc: Text): Source {
  return { number: numberOf(doc), parts: () => partsOf(doc) };
}

/** A document, and where its soft breaks stand. */
export interface HeldDocument {
  doc: Text;
  breaks: SoftBreaks;
}

/**
 * A document that grows line by line: of a million lines it takes a hundred milliseconds to make one at once, so its tree is put
 * together from smaller ones.
 */
class GrowingText {
  #whole = Text.empty;
  #lines: string[] = [];
  #isFirst = true;
  /** Characters so far, with a line feed behind the last line. */
  length = 0;

  add(line: string): void {
    this.#lines.push(line);
    this.length += line.length + 1;
  }

  get isFull(): boolean {
    return this.#lines.length >= TREE_LINES;
  }

  /** Everything added so far. */
  whole(): Text {
    if (this.#lines.length === 0) return this.#whole;
    // Texts are joined without a line feed: an empty line before the others makes one.
    const more = Text.of(this.#isFirst ? this.#lines : ['', ...this.#lines]);
    this.#whole = this.#isFirst ? more : this.#whole.append(more);
    this.#isFirst = false;
    this.#lines = [];
    return this.#whole;
  }
}

/** Makes a document of a text whose lines end at \n and nowhere else, a piece at a time. With `held`, long lines are held in pieces. */
export async function documentText(text: string, held: boolean, piece = PIECE): Promise<HeldDocument> {
  const growing = new GrowingText();
  let began = performance.now();
  const rest = async (): Promise<void> => {
    if (performance.now() - began < SLICE_MILLISECONDS) return;
    await breathe();
    began = performance.now();
  };
  const breaks: number[] = [];
  for (let from = 0; from < text.length; ) {
    // At a line's end, so that no line is put together from parts; what has no end here is one piece.
    const end = text.indexOf('\n', from + piece);
    const to = end < 0 ? text.length : end;
    for (const line of text.slice(from, to).split('\n')) {
      const parts = held ? heldLines(line) : [line];
      for (let index = 0; index < parts.length; index++) {
        if (index > 0) breaks.push(growing.length - 2);
        growing.add(parts[index]!);
        if (!growing.isFull) continue;
        growing.whole();
        await rest();
      }
    }
    from = to + 1;
    if (to < text.length && from === text.length) growing.add('');
    if (to < text.length) await rest();
  }
  return { doc: growing.whole(), breaks: Int32Array.from(breaks) };
}

/** A document to look at: its lines end wherever the editor ends them. */
export function heldText(text: string): Text {
  return Text.of(text.split(/\r\n?|\n/).flatMap(heldLines));
}
