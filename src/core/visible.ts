/**
 * Names and payloads are hostile: a control character can rewrite a terminal, a bidirectional one can reorder a line, an invisible
 * one can make two names look alike (docs/contract.md, "Command line"). What is shown as a mark or an escape is decided here, once,
 * for the window and for the terminal.
 *
 * C0, DEL and C1; soft hyphen; Arabic letter mark and Mongolian vowel separator; zero-width space, directional marks, embeddings,
 * overrides and isolates; line and paragraph separators; invisible operators; byte order mark; interlinear and tag characters; half
 * of a surrogate pair. U+200C and U+200D are left alone: Persian and emoji need them, and they reorder nothing.
 */
export const INVISIBLE =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}\p{Cs}]/gu;

/**
 * The text with everything of `INVISIBLE` written as `\u001b`, one escape a UTF-16 unit. Inside a JSON string the result means the
 * same as before, so a line of JSON stays one.
 */
export function escapeInvisible(text: string): string {
  return text.replace(INVISIBLE, (character) => {
    let escaped = '';
    for (let unit = 0; unit < character.length; unit++) {
      escaped += `\\u${character.charCodeAt(unit).toString(16).padStart(4, '0')}`;
    }
    return escaped;
  });
}
