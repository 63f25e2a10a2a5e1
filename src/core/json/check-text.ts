import { checkForEveryRelease } from './check.ts';
import { encodeUtf8, utf16Offsets } from './encode.ts';

/** What VelesDB says to a text in an editor. `from` is the character to look at, in UTF-16 units. */
export type TextCheck = { state: 'ok' } | { state: 'not-json' | 'unreadable'; message: string; from: number };

/** Checks a text as VelesDB would on reading it, whichever release. */
export function checkText(text: string): TextCheck {
  const encoded = encodeUtf8(text);
  if (!encoded.ok) {
    return {
      state: 'not-json',
      message: 'A surrogate without its partner: no UTF-8 can stand for it',
      from: encoded.offset,
    };
  }
  const check = checkForEveryRelease(encoded.bytes);
  if (check.state === 'ok') return check;
  return { state: check.state, message: check.message, from: utf16Offsets(encoded.bytes, [check.offset])[0] ?? 0 };
}
