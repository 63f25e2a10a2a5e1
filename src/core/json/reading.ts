/** What VelesDB makes of a text, beside the text (docs/format.md, section 6). */
import { canonicalize } from './canonicalize.ts';
import { type Difference, differences } from './differences.ts';
import { decodeUtf8, encodeUtf8 } from './encode.ts';
import type { JsonReader } from './number.ts';

/** VelesDB refuses a text, reads it as it is, or something else comes back: `after`, with where it differs. */
export type Reading =
  | { state: 'refused'; message: string }
  | { state: 'same' }
  | { state: 'differs'; after: string; list: Difference[] };

/**
 * Reads a text as VelesDB would.
 *
 * @param limit how many differences to list at most
 */
export function readAs(text: string, reader: JsonReader, limit: number): Reading {
  const encoded = encodeUtf8(text);
  if (!encoded.ok) return { state: 'refused', message: 'a surrogate without its partner: no UTF-8 can stand for it' };
  const canonical = canonicalize(encoded.bytes, reader);
  if (!canonical.ok) return { state: 'refused', message: canonical.check.message };
  const after = decodeUtf8(canonical.bytes) ?? '';
  if (after === text) return { state: 'same' };
  return { state: 'differs', after, list: differences(encoded.bytes, limit, reader) };
}
