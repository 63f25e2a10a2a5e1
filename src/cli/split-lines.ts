import { setImmediate as nextTurn } from 'node:timers/promises';
import { VelescopeError } from '../shared/errors.ts';

const LINE_FEED = 0x0a;

/** The lines that arrived together, LF cut off. `more` is false where the reader would have to wait for the next ones. */
export interface ArrivedLines {
  lines: Uint8Array[];
  more: boolean;
}

/**
 * Cuts input into lines, as bytes: a line may be longer than a string can be. The last one need not end in LF. What has arrived is handed
 * over as soon as the source has no more at hand, so that a program which writes a line and waits is not kept waiting.
 *
 * Throws TOO_LARGE for a line longer than `limit` bytes.
 */
export async function* splitLines(input: AsyncIterable<Uint8Array>, limit: number): AsyncGenerator<ArrivedLines> {
  const chunks = input[Symbol.asyncIterator]();
  let carry: Uint8Array[] = [];
  let carried = 0;
  const whole = (piece: Uint8Array): Uint8Array => {
    const line = carry.length === 0 ? piece : Buffer.concat([...carry, piece]);
    carry = [];
    carried = 0;
    return line;
  };
  let next = chunks.next();
  for (;;) {
    const { value: chunk, done } = await next;
    if (done) break;
    next = chunks.next();
    // A failure of the source is told when it is awaited, a turn later; until then it must not count as unhandled.
    next.catch(() => {});
    const lines: Uint8Array[] = [];
    let from = 0;
    for (let at = chunk.indexOf(LINE_FEED); at >= 0; at = chunk.indexOf(LINE_FEED, from)) {
      lines.push(whole(chunk.subarray(from, at)));
      from = at + 1;
    }
    if (from < chunk.length) {
      carry.push(chunk.subarray(from));
      carried += chunk.length - from;
      if (carried > limit) {
        yield { lines, more: false };
        throw new VelescopeError('TOO_LARGE', `a line has more than ${limit} bytes`);
      }
    }
    yield { lines, more: await isAtHand(next) };
  }
  if (carried > 0) yield { lines: [whole(new Uint8Array(0))], more: false };
}

async function isAtHand(next: Promise<unknown>): Promise<boolean> {
  let arrived = false;
  const note = () => {
    arrived = true;
  };
  next.then(note, note);
  await nextTurn();
  return arrived;
}
