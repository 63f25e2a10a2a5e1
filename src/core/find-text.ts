/** Looking for text in a large text. Letters match whatever their case unless told otherwise, as Unicode folds one into one. */
export interface Wanted {
  query: string;
  matchCase: boolean;
}

/** A place where it was found, and whether it lies behind an end of the text, gone around. */
export interface Found {
  start: number;
  end: number;
  around: boolean;
}

/** Backwards a text is looked through in parts of this many characters. */
const PART = 1 << 16;

function patternOf({ query, matchCase }: Wanted): RegExp {
  return new RegExp(query.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'), matchCase ? 'gu' : 'giu');
}

/** The next place from an offset on, or the last one that ends there or before it; around the end where there is none. */
export function findText(text: string, wanted: Wanted, from: number, forward: boolean): Found | null {
  if (wanted.query === '') return null;
  const find = forward ? nextFrom : lastBefore;
  const found = find(text, wanted, from);
  if (found) return { ...found, around: false };
  const around = find(text, wanted, forward ? 0 : text.length);
  return around && { ...around, around: true };
}

type Place = Pick<Found, 'start' | 'end'>;

function nextFrom(text: string, wanted: Wanted, from: number): Place | null {
  const pattern = patternOf(wanted);
  pattern.lastIndex = from;
  const match = pattern.exec(text);
  return match && { start: match.index, end: match.index + match[0].length };
}

function lastBefore(text: string, wanted: Wanted, before: number): Place | null {
  const pattern = patternOf(wanted);
  for (let end = before; end > 0; end -= PART) {
    const start = Math.max(0, end - PART);
    // What begins in this part may end in the one behind it.
    const part = text.slice(start, Math.min(before, end + wanted.query.length - 1));
    let last: Place | null = null;
    pattern.lastIndex = 0;
    for (let match = pattern.exec(part); match; match = pattern.exec(part)) {
      last = { start: start + match.index, end: start + match.index + match[0].length };
      // Places may overlap: the last is wanted.
      pattern.lastIndex = match.index + (part.codePointAt(match.index)! > 0xffff ? 2 : 1);
    }
    if (last) return last;
  }
  return null;
}

/** Where it is found, one behind the other, up to a number of places. */
export function findAllText(text: string, wanted: Wanted, most: number): Place[] {
  const places: Place[] = [];
  if (wanted.query === '') return places;
  for (const match of text.matchAll(patternOf(wanted))) {
    places.push({ start: match.index, end: match.index + match[0].length });
    if (places.length === most) break;
  }
  return places;
}
