/**
 * White space around tokens. A payload stored compact is displayed indented and saved compact; one with white space of its own is
 * displayed and saved as it stands. Tokens are never touched: no value is decoded anywhere here.
 */
import { runToEnd, type Steps } from '../steps.ts';
import { isJsonText } from './check.ts';
import { encodeUtf8 } from './encode.ts';
import { walkStructure } from './structure.ts';

/** One level of indentation in displayed text. */
export const INDENT = '  ';

/**
 * Indenting stops paying where nesting makes white space the bulk of the text, and one line per bracket of a hostile payload would
 * not fit a string. Past both of the first two, or the last, the payload is displayed as it is stored.
 */
const ALWAYS_INDENTED_UP_TO = 0x1_0000;
const INDENTED_AT_MOST_TIMES = 16;
const INDENTED_AT_MOST = 0x1000_0000;

/** True iff the text is JSON by RFC 8259 without white space between, before or behind its tokens. */
export function isCompact(text: string): boolean {
  return runToEnd(firstSpace(text)) < 0 && isJson(text);
}

/**
 * The text to show for a stored payload: indented if it is compact, else as it stands. Text that is not JSON stands as it is.
 */
export function displayText(text: string): string {
  return runToEnd(displaying(text));
}

/** `displayText` in steps. Whether it is JSON is found out in two of them, which for ten million characters take some 25 milliseconds each. */
export function* displaying(text: string): Steps<string> {
  if ((yield* firstSpace(text)) >= 0) return text;
  const encoded = encodeUtf8(text);
  yield { done: text.length, total: text.length };
  if (!encoded.ok || !isJsonText(encoded.bytes)) return text;
  yield { done: text.length, total: text.length };
  const length = yield* indentedLength(text);
  if (length > ALWAYS_INDENTED_UP_TO && length > text.length * INDENTED_AT_MOST_TIMES) return text;
  return length > INDENTED_AT_MOST ? text : yield* indenting(text, INDENT, '\n');
}

/**
 * The text to store for what is displayed: for a payload that was stored compact, without the white space between tokens; else as it
 * stands. Text that is not JSON stands as it is, because only in JSON is it known where tokens end.
 *
 * `storedText(displayText(text), true) === text` for every compact text.
 */
export function storedText(displayed: string, storedWasCompact: boolean): string {
  return runToEnd(storing(displayed, storedWasCompact));
}

/** `storedText` in steps. */
export function* storing(displayed: string, storedWasCompact: boolean): Steps<string> {
  if (!storedWasCompact) return displayed;
  const encoded = encodeUtf8(displayed);
  yield { done: 0, total: displayed.length };
  if (!encoded.ok || !isJsonText(encoded.bytes)) return displayed;
  yield { done: 0, total: displayed.length };
  return yield* withoutSpace(displayed);
}

/** How a text is edited: what is displayed, and whether that is stored compact again. */
export interface LaidOut {
  displayed: string;
  compact: boolean;
}

/**
 * What to display for editing.
 *
 * @param stored the text to edit: the record's, or a draft of it
 * @param base the text of the record that the edit began from; null for a new record. White space is compact's to lose only where both are
 * compact: somebody may have taken it out of the one, and a restored or imported text may bring its own in the place of the other
 */
export function layOut(stored: string, base: string | null): LaidOut {
  // Only what is compact is displayed otherwise than it is stored, which saves a pass over sixteen megabytes.
  const shown = displayText(stored);
  const fromCompact = !base || (base === stored && shown !== stored) || isCompact(base);
  if (!fromCompact) return { displayed: stored, compact: false };
  // In what is not JSON, an edit left half done, it is not known where tokens end.
  const compact = shown !== stored || runToEnd(firstSpace(stored)) < 0 || !isJson(stored);
  return { displayed: shown, compact };
}

function isJson(text: string): boolean {
  const encoded = encodeUtf8(text);
  return encoded.ok && isJsonText(encoded.bytes);
}

function isSpace(unit: number): boolean {
  return unit === 0x20 || unit === 0x0a || unit === 0x0d || unit === 0x09;
}

/** The first white space outside strings, or -1. */
function* firstSpace(text: string): Steps<number> {
  let first = -1;
  yield* walkStructure(text, (unit, index) => {
    if (!isSpace(unit)) return true;
    first = index;
    return false;
  });
  return first;
}

/**
 * What is left of JSON text without the white space between its tokens. Of what is not JSON, something: only in JSON is it known where tokens
 * end.
 */
export function* withoutSpace(text: string): Steps<string> {
  const kept = new Parts();
  let from = 0;
  yield* walkStructure(text, (unit, index) => {
    if (!isSpace(unit)) return true;
    if (index > from) kept.push(text.slice(from, index));
    from = index + 1;
    return true;
  });
  if (from === 0) return text;
  kept.push(text.slice(from));
  return kept.joined();
}

/** Collects many short pieces of a text, and joins them a few thousand at a time: all at once would take long, and twice the memory. */
class Parts {
  #short: string[] = [];
  readonly #long: string[] = [];

  push(part: string): void {
    if (this.#short.push(part) === 1 << 12) this.#gather();
  }

  joined(): string {
    this.#gather();
    return this.#long.join('');
  }

  #gather(): void {
    this.#long.push(this.#short.join(''));
    this.#short = [];
  }
}

function isEmptyContainer(text: string, index: number): boolean {
  const closing = text.charCodeAt(index + 1);
  return closing === 0x5d || closing === 0x7d;
}

/** The length of `indent(text, INDENT, '\n')`. */
function* indentedLength(text: string): Steps<number> {
  let length = text.length;
  let depth = 0;
  let skipped = -1;
  yield* walkStructure(text, (unit, index) => {
    if (index === skipped) return true;
    if (unit === 0x3a) length++;
    else if (unit === 0x2c) length += 1 + depth * INDENT.length;
    else if (unit === 0x7b || unit === 0x5b) {
      if (isEmptyContainer(text, index)) skipped = index + 1;
      else length += 1 + ++depth * INDENT.length;
    } else if (unit === 0x7d || unit === 0x5d) length += 1 + --depth * INDENT.length;
    return true;
  });
  return length;
}

/**
 * Compact text with a line per value. Empty containers stay closed; a space follows each colon.
 *
 * @param text compact JSON text
 * @param unit one level of indentation
 * @param newline what begins each line but the first; it may carry indentation of its own
 */
export function indent(text: string, unit: string, newline: string): string {
  return runToEnd(indenting(text, unit, newline));
}

function* indenting(text: string, unit: string, newline: string): Steps<string> {
  const parts = new Parts();
  let line = newline;
  let from = 0;
  const levels = [newline];
  let depth = 0;
  let skipped = -1;
  const upTo = (index: number): void => {
    parts.push(text.slice(from, index));
    from = index;
  };
  yield* walkStructure(text, (code, index) => {
    if (index === skipped) return true;
    if (code === 0x3a) {
      upTo(index + 1);
      parts.push(' ');
    } else if (code === 0x2c) {
      upTo(index + 1);
      parts.push(line);
    } else if (code === 0x7b || code === 0x5b) {
      if (isEmptyContainer(text, index)) {
        skipped = index + 1;
        return true;
      }
      depth++;
      if (depth === levels.length) levels.push(line + unit);
      line = levels[depth]!;
      upTo(index + 1);
      parts.push(line);
    } else if (code === 0x7d || code === 0x5d) {
      depth--;
      line = levels[depth]!;
      upTo(index);
      parts.push(line);
    }
    return true;
  });
  upTo(text.length);
  return parts.joined();
}
