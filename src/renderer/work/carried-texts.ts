/**
 * Large texts inside of what is sent to a worker. As part of a message each would be copied at once, in the window's own thread: a
 * draft of sixteen megabytes with what it began from takes longer than a key may. They go ahead of it, in pieces.
 */

/** From this many characters on, a text goes by itself. */
export const CARRIED_FROM = 1 << 18;
const PIECE = 1 << 18;
/** So many values of a message are looked at: what is large in one stands near its top. */
const LOOKED_AT = 100;

/** A large text and where it belongs in the message. */
export interface CarriedText {
  path: string[];
  text: string;
}

/** A message without its large texts, and those. What is not on the way to one is not copied. */
export function takeTextsOut(message: object): { message: object; texts: CarriedText[] } {
  const texts: CarriedText[] = [];
  let left = LOOKED_AT;
  const visit = (value: unknown, path: string[]): unknown => {
    if (typeof value === 'string' && value.length >= CARRIED_FROM) {
      texts.push({ path, text: value });
      return '';
    }
    if (value === null || typeof value !== 'object' || ArrayBuffer.isView(value)) return value;
    let copy: Record<string, unknown> | null = null;
    for (const [key, member] of Object.entries(value)) {
      if (left-- <= 0) break;
      const without = visit(member, [...path, key]);
      if (without === member) continue;
      copy ??= (Array.isArray(value) ? [...value] : { ...value }) as unknown as Record<string, unknown>;
      copy[key] = without;
    }
    return copy ?? value;
  };
  return { message: visit(message, []) as object, texts };
}

/** Puts large texts back into a message that belongs to nobody else. */
export function putTextsBack(message: object, texts: readonly CarriedText[]): void {
  for (const { path, text } of texts) {
    let container = message as Record<string, unknown>;
    for (const key of path.slice(0, -1)) container = container[key] as Record<string, unknown>;
    container[path.at(-1)!] = text;
  }
}

/** A text in pieces of whole characters. */
export function* piecesOfText(text: string): Generator<string> {
  for (let from = 0; from < text.length; ) {
    let to = Math.min(text.length, from + PIECE);
    const last = text.charCodeAt(to - 1);
    if (last >= 0xd800 && last <= 0xdbff) to++;
    yield text.slice(from, to);
    from = to;
  }
}
