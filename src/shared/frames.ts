/**
 * Large messages over a socket. They travel as binary frames of at most a megabyte: a byte that says whether more follow, then the
 * next piece of the same JSON in UTF-8. As one text frame, a page would make a string of it in its own thread, and so hold up what
 * a person types; in pieces it passes them on to a worker as they are. Both sides take both kinds.
 */

/** From this many characters on, a message is large. */
export const LARGE_MESSAGE = 1 << 18;
const PIECE = 1 << 20;
const MORE = 0;
const LAST = 1;

/** The frames of a message, in order. */
export function* framesOf(message: Uint8Array): Generator<Uint8Array<ArrayBuffer>> {
  let from = 0;
  do {
    const piece = message.subarray(from, from + PIECE);
    from += PIECE;
    const frame = new Uint8Array(1 + piece.length);
    frame[0] = from < message.length ? MORE : LAST;
    frame.set(piece, 1);
    yield frame;
  } while (from < message.length);
}

export type Collected =
  | { state: 'more' }
  | { state: 'refused'; reason: 'form' | 'size' }
  | { state: 'whole'; pieces: Uint8Array[] };

/**
 * Collects the frames of one peer.
 *
 * @param limit bytes that one message may have in all
 */
export function createCollector(limit: number): (frame: Uint8Array) => Collected {
  let pieces: Uint8Array[] = [];
  let size = 0;
  return (frame) => {
    // All but the last are full: what many small ones cost is more than their bytes.
    const sound = frame[0] === MORE ? frame.length === PIECE + 1 : frame[0] === LAST && frame.length > 1;
    if (!sound) return { state: 'refused', reason: 'form' };
    pieces.push(frame.subarray(1));
    size += frame.length - 1;
    if (size > limit) {
      pieces = [];
      return { state: 'refused', reason: 'size' };
    }
    if (frame[0] === MORE) return { state: 'more' };
    const whole = pieces;
    pieces = [];
    size = 0;
    return { state: 'whole', pieces: whole };
  };
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The message that pieces hold. Throws where they are not UTF-8 or not JSON. */
export function parsePieces(pieces: readonly Uint8Array[]): unknown {
  const bytes = new Uint8Array(pieces.reduce((size, piece) => size + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return JSON.parse(utf8.decode(bytes)) as unknown;
}
