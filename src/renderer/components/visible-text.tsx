/**
 * Payloads are hostile: names and payload text are shown as text only, and what would be invisible or would reorder the line
 * (control characters, bidirectional controls, zero-width and tag characters) is shown as a mark of its own.
 */

/** U+200C and U+200D are left alone: Persian and emoji need them, and they reorder nothing. */
const INVISIBLE =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}\ud800-\udfff]/gu;

/** A part of a text: as it stands, or a mark in place of one invisible character. */
export interface TextPart {
  text: string;
  mark: boolean;
}

/** Splits a text into what can be shown as it stands and marks for what cannot. */
export function visibleParts(text: string): TextPart[] {
  const parts: TextPart[] = [];
  let from = 0;
  for (const match of text.matchAll(INVISIBLE)) {
    if (match.index > from) parts.push({ text: text.slice(from, match.index), mark: false });
    parts.push({ text: markFor(match[0].codePointAt(0)!), mark: true });
    from = match.index + match[0].length;
  }
  if (from < text.length) parts.push({ text: text.slice(from), mark: false });
  return parts;
}

/** A name: spaces at its ends are marked as well, because nobody sees them there, and a name may be nothing else. */
export function nameParts(name: string): TextPart[] {
  const inner = name.trim();
  const from = inner === '' ? name.length : name.indexOf(inner);
  const spaces = (text: string) => [...text].map((one) => ({ text: markFor(one.codePointAt(0)!), mark: true }));
  return [...spaces(name.slice(0, from)), ...visibleParts(inner), ...spaces(name.slice(from + inner.length))];
}

/** The same as one string, for accessible names and titles. */
export function makeVisible(text: string): string {
  return visibleParts(text)
    .map((part) => part.text)
    .join('');
}

/** Escapes as programs write them: control pictures (U+2400…) are missing from many fonts. */
const SHORT: Readonly<Record<number, string>> = { 0: '\\0', 9: '\\t', 10: '\\n', 13: '\\r' };

function markFor(code: number): string {
  if (SHORT[code] !== undefined) return SHORT[code];
  if (code < 0x100) return `\\x${code.toString(16).toUpperCase().padStart(2, '0')}`;
  return `[U+${code.toString(16).toUpperCase().padStart(4, '0')}]`;
}

/** Text that may hold anything, isolated from the direction of what surrounds it. */
export function VisibleText({ text, className, isName }: { text: string; className?: string; isName?: boolean }) {
  return (
    <bdi className={className}>
      {(isName ? nameParts(text) : visibleParts(text)).map((part, index) =>
        part.mark ? (
          // biome-ignore lint/suspicious/noArrayIndexKey: the parts of one text have no identity but their place
          <span key={index} className="mark">
            {part.text}
          </span>
        ) : (
          part.text
        ),
      )}
    </bdi>
  );
}
