/**
 * White space around tokens. A payload stored compact is displayed indented and saved compact; one with white space of its own is
 * displayed and saved as it stands. Tokens are never touched: no value is decoded anywhere here.
 */
import { isJsonText } from './check.ts';
import { encodeUtf8 } from './encode.ts';

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
  return firstSpace(text) < 0 && isJson(text);
}

/**
 * The text to show for a stored payload: indented if it is compact, else as it stands. Text that is not JSON stands as it is.
 */
export function displayText(text: string): string {
  if (!isCompact(text)) return text;
  const length = indentedLength(text);
  if (length > ALWAYS_INDENTED_UP_TO && length > text.length * INDENTED_AT_MOST_TIMES) return text;
  return length > INDENTED_AT_MOST ? text : indent(text, INDENT, '\n');
}

/**
 * The text to store for what is displayed: for a payload that was stored compact, without the white space between tokens; else as it
 * stands. Text that is not JSON stands as it is, because only in JSON is it known where tokens end.
 *
 * `storedText(displayText(text), true) === text` for every compact text.
 */
export function storedText(displayed: string, storedWasCompact: boolean): string {
  return storedWasCompact && isJson(displayed) ? withoutSpace(displayed) : displayed;
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
  const compact = shown !== stored || firstSpace(stored) < 0 || !isJson(stored);
  return { displayed: shown, compact };
}

function isJson(text: string): boolean {
  const encoded = encodeUtf8(text);
  return encoded.ok && isJsonText(encoded.bytes);
}

function isSpace(unit: number): boolean {
  return unit === 0x20 || unit === 0x0a || unit === 0x0d || unit === 0x09;
}

/** Behind the string that starts at `index`; the text's length where it does not end. */
function stringEnd(text: string, index: number): number {
  for (let at = index + 1; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === 0x22) return at + 1;
    if (unit === 0x5c) at++;
  }
  return text.length;
}

/** The first white space outside strings, or -1. */
function firstSpace(text: string): number {
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit === 0x22) index = stringEnd(text, index) - 1;
    else if (isSpace(unit)) return index;
  }
  return -1;
}

function withoutSpace(text: string): string {
  const parts: string[] = [];
  let from = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit === 0x22) {
      index = stringEnd(text, index) - 1;
    } else if (isSpace(unit)) {
      if (index > from) parts.push(text.slice(from, index));
      from = index + 1;
    }
  }
  return from === 0 ? text : parts.join('') + text.slice(from);
}

function isEmptyContainer(text: string, index: number): boolean {
  const closing = text.charCodeAt(index + 1);
  return closing === 0x5d || closing === 0x7d;
}

/** The length of `indent(text, INDENT, '\n')`. */
function indentedLength(text: string): number {
  let length = text.length;
  let depth = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit === 0x22) index = stringEnd(text, index) - 1;
    else if (unit === 0x3a) length++;
    else if (unit === 0x2c) length += 1 + depth * INDENT.length;
    else if (unit === 0x7b || unit === 0x5b) {
      if (isEmptyContainer(text, index)) index++;
      else length += 1 + ++depth * INDENT.length;
    } else if (unit === 0x7d || unit === 0x5d) length += 1 + --depth * INDENT.length;
  }
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
  const parts: string[] = [];
  let line = newline;
  let from = 0;
  const levels = [newline];
  let depth = 0;
  const upTo = (index: number): void => {
    parts.push(text.slice(from, index));
    from = index;
  };
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === 0x22) {
      index = stringEnd(text, index) - 1;
    } else if (code === 0x3a) {
      upTo(index + 1);
      parts.push(' ');
    } else if (code === 0x2c) {
      upTo(index + 1);
      parts.push(line);
    } else if (code === 0x7b || code === 0x5b) {
      if (isEmptyContainer(text, index)) {
        index++;
        continue;
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
  }
  upTo(text.length);
  return parts.join('');
}
