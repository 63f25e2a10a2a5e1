import type { Steps } from '../steps.ts';

/** Characters looked at between two steps: a fraction of a millisecond. */
const PIECE = 1 << 17;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** What a visitor is told of: brackets, colons, commas and white space. */
const VISITED = new Uint8Array(0x80);
for (const character of '{}[]:, \n\r\t') VISITED[character.charCodeAt(0)] = 1;

/**
 * Tells `visit` of each bracket, colon, comma and white space of a JSON text that stands outside its strings, until it answers false.
 * In steps. Of other text it tells something, and ends all the same.
 */
export function* walkStructure(text: string, visit: (unit: number, index: number) => boolean): Steps<void> {
  const total = text.length;
  let inString = false;
  for (let index = 0; index < total; ) {
    const pause = Math.min(total, index + PIECE);
    while (index < pause) {
      if (inString) {
        const end = stringEnd(text, index, pause);
        inString = end < 0;
        index = inString ? ~end : end;
        continue;
      }
      const unit = text.charCodeAt(index);
      if (unit === QUOTE) inString = true;
      else if (unit < 0x80 && VISITED[unit] === 1 && !visit(unit, index)) return;
      index++;
    }
    yield { done: index, total };
  }
}

/** Behind the end of the string in which `from` stands; the complement of where to go on where it does not end before `to`. */
function stringEnd(text: string, from: number, to: number): number {
  let index = from;
  while (index < to) {
    const unit = text.charCodeAt(index);
    if (unit === QUOTE) return index + 1;
    index += unit === BACKSLASH ? 2 : 1;
  }
  return ~index;
}
