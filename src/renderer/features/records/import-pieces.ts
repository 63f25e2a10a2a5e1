/** Bytes of a piece. Between two of them an import can be cancelled, so that one is through in a tenth of a second; each costs a sync. */
const PIECE = 1 << 18;
/** A longer line is not taken through a window. In bytes, of which there are no fewer than characters: under the protocol's limit. */
export const LONGEST_LINE = 60 << 20;
const NEWLINE = 0x0a;

/** Whole lines of a file, the numbers of the first and the last of them, and how many bytes of the file they are the end of. */
export interface ImportPiece {
  text: string;
  firstLine: number;
  lastLine: number;
  end: number;
}

/** A line that cannot be text of an import, whatever it says. Nothing comes after it. */
export interface RefusedLine {
  refused: { line: number; code: string; message: string };
}

interface Limits {
  piece: number;
  line: number;
}

/**
 * Cuts a file of lines into pieces of whole lines without ever holding it whole. A line longer than a piece is a piece of its own. A line
 * that is too long, or not UTF-8 (replaced characters would be stored as if they had been there), is refused by its number, after
 * everything before it. A byte order mark at the beginning of the file is passed over.
 */
export async function* importPieces(
  file: Blob,
  { piece, line }: Limits = { piece: PIECE, line: LONGEST_LINE },
): AsyncGenerator<ImportPiece | RefusedLine> {
  const reader = file.stream().getReader();
  try {
    let held: Uint8Array[] = [];
    let heldBytes = 0;
    let holdsNewline = false;
    let firstLine = 1;
    let end = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (value) {
        held.push(value);
        heldBytes += value.length;
        // Joined only where a line ends: of a long line nothing is copied again and again.
        holdsNewline ||= value.includes(NEWLINE);
        if (!(holdsNewline && heldBytes >= piece) && heldBytes <= line) continue;
      }
      const bytes = join(held, heldBytes);
      let at = 0;
      for (;;) {
        const cut = endOfPiece(bytes, at, piece, done);
        if (cut === at) break;
        end += cut - at;
        for (const part of partsOf(bytes.subarray(at, cut), { firstLine, end, line })) {
          yield part;
          if ('refused' in part) return;
          firstLine = part.lastLine + 1;
        }
        at = cut;
      }
      if (done) return;
      const rest = bytes.slice(at);
      if (rest.length > line) {
        yield tooLong(firstLine, line);
        return;
      }
      held = rest.length === 0 ? [] : [rest];
      heldBytes = rest.length;
      holdsNewline = rest.includes(NEWLINE);
    }
  } finally {
    // Also where the import is given up in the middle.
    await reader.cancel().catch(() => {});
  }
}

/** Where the piece that begins at `at` ends; `at` where the bytes there are not a piece yet. */
function endOfPiece(bytes: Uint8Array, at: number, piece: number, done: boolean): number {
  if (bytes.length - at < piece) return done ? bytes.length : at;
  const before = bytes.lastIndexOf(NEWLINE, at + piece - 1) + 1;
  if (before > at) return before;
  const behind = bytes.indexOf(NEWLINE, at + piece) + 1;
  return behind > 0 ? behind : done ? bytes.length : at;
}

/** The piece, or what comes before its first line that cannot be taken, and that line. */
function* partsOf(
  bytes: Uint8Array,
  { firstLine, end, line }: { firstLine: number; end: number; line: number },
): Generator<ImportPiece | RefusedLine> {
  const isFirst = firstLine === 1;
  const mark = isFirst && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  const text = bytes.length - mark > line ? null : decode(bytes.subarray(mark));
  if (text !== null) {
    yield { text, firstLine, lastLine: firstLine + linesIn(bytes) - 1, end };
    return;
  }
  let number = firstLine;
  for (let at = mark; at < bytes.length; number++) {
    const next = bytes.indexOf(NEWLINE, at) + 1 || bytes.length;
    const isLong = next - at > line;
    if (isLong || decode(bytes.subarray(at, next)) === null) {
      const before = decode(bytes.subarray(mark, at))!;
      if (number > firstLine) yield { text: before, firstLine, lastLine: number - 1, end: end - (bytes.length - at) };
      yield isLong ? tooLong(number, line) : notUtf8(number, isFirst && isUtf16(bytes));
      return;
    }
    at = next;
  }
}

function join(pieces: readonly Uint8Array[], length: number): Uint8Array {
  if (pieces.length === 1) return pieces[0]!;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** How many lines there are, the last one whether it ends or not. */
function linesIn(bytes: Uint8Array): number {
  let count = bytes.at(-1) === NEWLINE ? 0 : 1;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) count++;
  return count;
}

function decode(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

function isUtf16(bytes: Uint8Array): boolean {
  return (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
}

function notUtf8(line: number, utf16: boolean): RefusedLine {
  const message = utf16
    ? 'The file is UTF-16: save it as UTF-8.'
    : 'The line is not UTF-8: some of its bytes are no character.';
  return { refused: { line, code: 'BAD_REQUEST', message } };
}

function tooLong(line: number, limit: number): RefusedLine {
  const message = `The line is longer than ${limit >> 20} MiB: use "velescope batch" for it.`;
  return { refused: { line, code: 'TOO_LARGE', message } };
}
