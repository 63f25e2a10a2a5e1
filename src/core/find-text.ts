/** Looking for text in a large text. Letters match whatever their case unless told otherwise, as Unicode folds one into one. */
export interface Wanted {
  query: string;
  matchCase: boolean;
  /** The query is a regular expression. */
  regexp?: boolean;
  /** A place neither begins nor ends inside of a word. */
  word?: boolean;
  /** What to put there; of a regular expression with `$1` and `$&` for what it matched. */
  replacement?: string;
}

export interface Place {
  start: number;
  end: number;
  /** What to put there, where that is wanted. */
  insert?: string;
}

/** A place where it was found, and whether it lies behind an end of the text, gone around. */
export interface Found extends Place {
  around: boolean;
}

/** Backwards a text is looked through in parts of this many characters. */
const PART = 1 << 16;
const LETTER = '[\\p{L}\\p{N}\\p{M}_]';
const NOT_IN_WORD = `(?!(?<=${LETTER})${LETTER})`;

/** The regular expression that finds what is wanted. Throws SyntaxError where the query is none. */
export function patternOf({ query, matchCase, regexp, word }: Wanted): RegExp {
  const source = regexp ? query : query.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  // By itself first: a bracket too many must not close the group around it.
  if (regexp && word) new RegExp(source, 'u');
  return new RegExp(word ? `${NOT_IN_WORD}(?:${source})${NOT_IN_WORD}` : source, matchCase ? 'gmu' : 'gimu');
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

function nextFrom(text: string, wanted: Wanted, from: number): Place | null {
  return placesIn(text, wanted, from).next().value ?? null;
}

/** The places from an offset on, one behind the other. One without length, as a regular expression may find, is none. */
function* placesIn(text: string, wanted: Wanted, from = 0): Generator<Place, undefined> {
  const pattern = patternOf(wanted);
  pattern.lastIndex = from;
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    if (match[0] === '') pattern.lastIndex += text.codePointAt(match.index)! > 0xffff ? 2 : 1;
    else yield placeOf(match, wanted);
  }
}

function placeOf(match: RegExpExecArray, { regexp, replacement }: Wanted): Place {
  const place = { start: match.index, end: match.index + match[0].length };
  if (replacement === undefined) return place;
  return { ...place, insert: regexp ? filledIn(replacement, match) : replacement };
}

function filledIn(replacement: string, match: RegExpExecArray): string {
  return replacement.replace(/\$([$&]|[1-9])/g, (whole, sign: string) => {
    if (sign === '$') return '$';
    if (sign === '&') return match[0];
    return Number(sign) < match.length ? (match[Number(sign)] ?? '') : whole;
  });
}

function lastBefore(text: string, wanted: Wanted, before: number): Place | null {
  return wanted.regexp || wanted.word ? lastOfAll(text, wanted, before) : lastByParts(text, wanted, before);
}

/** What may be of any length, or depends on what stands around it, is not looked for in parts. */
function lastOfAll(text: string, wanted: Wanted, before: number): Place | null {
  let last: Place | null = null;
  for (const place of placesIn(text, wanted)) {
    if (place.end > before) break;
    last = place;
  }
  return last;
}

function lastByParts(text: string, wanted: Wanted, before: number): Place | null {
  const pattern = patternOf(wanted);
  for (let end = before; end > 0; end -= PART) {
    const start = Math.max(0, end - PART);
    // What begins in this part may end in the one behind it.
    const part = text.slice(start, Math.min(before, end + wanted.query.length - 1));
    let last: Place | null = null;
    pattern.lastIndex = 0;
    for (let match = pattern.exec(part); match; match = pattern.exec(part)) {
      last = { ...placeOf(match, wanted), start: start + match.index, end: start + match.index + match[0].length };
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
  for (const place of placesIn(text, wanted)) {
    places.push(place);
    if (places.length === most) break;
  }
  return places;
}
