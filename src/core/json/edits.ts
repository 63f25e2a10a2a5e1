/** A change of a text: from where to where it was replaced, and by what. */
export type TextEdit = readonly [from: number, to: number, insert: string];

/** A text is edited in pieces of this many characters: a step then costs what a piece does, not what the text does. */
const PIECE = 1 << 16;

/**
 * A text after steps of editing. The edits of a step are in order, do not overlap, and count in the text before the step. Throws
 * RangeError where one leads out of the text: the steps are not of this text then.
 */
export function applyEdits(text: string, steps: Iterable<readonly TextEdit[]>): string {
  const edited = new EditedText(text);
  for (const edits of steps) edited.apply(edits);
  return edited.text();
}

/** A text that is edited step by step; see `applyEdits`. */
export class EditedText {
  readonly #pieces: string[] = [];
  #length: number;

  constructor(text: string) {
    this.#length = text.length;
    for (let from = 0; from < text.length; from += PIECE) this.#pieces.push(text.slice(from, from + PIECE));
  }

  /** Makes one step. Where it throws, the text is not to be used any more. */
  apply(edits: readonly TextEdit[]): void {
    let end = this.#length;
    // From the last to the first, so that those before stay where they are.
    for (const [from, to, insert] of edits.toReversed()) {
      if (!(from >= 0 && from <= to && to <= end))
        throw new RangeError(`An edit from ${from} to ${to} leads out of a text.`);
      end = from;
      replaceIn(this.#pieces, from, to, insert);
      this.#length += insert.length - (to - from);
    }
  }

  text(): string {
    return this.#pieces.join('');
  }
}

function replaceIn(pieces: string[], from: number, to: number, insert: string): void {
  let first = 0;
  let start = 0;
  while (first < pieces.length - 1 && start + pieces[first]!.length < from) start += pieces[first++]!.length;
  let last = first;
  let end = start + (pieces[last]?.length ?? 0);
  while (end < to) end += pieces[++last]!.length;
  const before = pieces[first]?.slice(0, from - start) ?? '';
  const after = pieces[last]?.slice((pieces[last]?.length ?? 0) - (end - to)) ?? '';
  pieces.splice(first, last - first + 1, before + insert + after);
}
