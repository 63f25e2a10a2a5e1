/**
 * Between JavaScript strings and UTF-8, without the silent replacements of TextEncoder (a lone surrogate becomes U+FFFD) and of
 * TextDecoder (a byte order mark vanishes, ill-formed bytes become U+FFFD).
 */

/** What is used of the Encoding standard. Node and browsers have it as globals; the core is compiled without either's types. */
interface TextEncodingGlobals {
  TextEncoder: new () => { encode(text: string): Uint8Array };
  TextDecoder: new (
    label: 'utf-8',
    options: { fatal: boolean; ignoreBOM: boolean },
  ) => { decode(bytes: Uint8Array): string };
}

const { TextEncoder, TextDecoder } = globalThis as unknown as TextEncodingGlobals;
const encoder = new TextEncoder();
const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const lossyDecoder = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true });

export type Encoded = { ok: true; bytes: Uint8Array } | { ok: false; offset: number };

/**
 * The UTF-8 bytes of a string.
 *
 * @returns the bytes, or the UTF-16 offset of the first surrogate without its partner, which no UTF-8 can stand for
 */
export function encodeUtf8(text: string): Encoded {
  const offset = firstLoneSurrogate(text);
  return offset < 0 ? { ok: true, bytes: encoder.encode(text) } : { ok: false, offset };
}

/** The string of well-formed UTF-8 (a byte order mark is kept as U+FEFF), or null. */
export function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return strictDecoder.decode(bytes);
  } catch {
    return null;
  }
}

/** A string to look at; each ill-formed sequence shows as U+FFFD, so it must never be stored. */
export function decodeUtf8Lossy(bytes: Uint8Array): string {
  return lossyDecoder.decode(bytes);
}

/** The UTF-16 offset of the first surrogate without its partner, or -1. */
export function firstLoneSurrogate(text: string): number {
  // The engine of the language says of most texts at once that there is none.
  if ((text as string & { isWellFormed?(): boolean }).isWellFormed?.()) return -1;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0xd800 || unit > 0xdfff) continue;
    const next = index + 1 < text.length ? text.charCodeAt(index + 1) : 0;
    if (unit > 0xdbff || next < 0xdc00 || next > 0xdfff) return index;
    index++;
  }
  return -1;
}

/**
 * The UTF-16 offset in the decoded text for each byte offset, to show in an editor what was found in bytes. An offset inside a
 * character gives that character's.
 *
 * @param bytes well-formed UTF-8
 * @param offsets byte offsets, ascending
 */
export function utf16Offsets(bytes: Uint8Array, offsets: readonly number[]): number[] {
  const found: number[] = [];
  let index = 0;
  let unit = 0;
  for (const offset of offsets) {
    while (index < bytes.length) {
      const lead = bytes[index]!;
      const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
      if (index + length > offset) break;
      index += length;
      unit += length === 4 ? 2 : 1;
    }
    found.push(unit);
  }
  return found;
}
