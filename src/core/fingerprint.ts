import { runToEnd, type Steps } from './steps.ts';

/** Characters looked at between two steps. */
const PIECE = 1 << 20;

/**
 * A short name of a text: two texts that differ have another one, by all that chance does. For telling whether two processes that came to a
 * text each by itself came to the same. Over its characters, because encoding a large text first would take longer than all the rest.
 */
export function fingerprintOf(text: string): string {
  return runToEnd(fingerprinting(text));
}

/** `fingerprintOf` in steps. */
export function* fingerprinting(text: string): Steps<string> {
  let first = 0;
  let second = 0;
  const total = text.length;
  for (let index = 0; index < total; ) {
    for (const end = Math.min(total, index + PIECE); index < end; index++) {
      const unit = text.charCodeAt(index) + 1;
      first = Math.imul(first ^ unit, 0x9e3779b1);
      second = Math.imul(second + unit, 0x5f356495);
      // Upper bits into the lower ones, which a product never reaches.
      second ^= second >>> 15;
    }
    yield { done: index, total };
  }
  return `${text.length}:${(first >>> 0).toString(16)}:${(second >>> 0).toString(16)}`;
}
