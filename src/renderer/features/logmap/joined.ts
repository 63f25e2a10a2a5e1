import type { ByteRange } from '../../state/session-state.ts';

/** Ranges of bytes in order, those that touch or lie closer than `gap` as one. */
export function joined(ranges: readonly ByteRange[], gap: number): ByteRange[] {
  const inOrder = [...ranges].sort((a, b) => a.from - b.from);
  const result: ByteRange[] = [];
  for (const { from, to } of inOrder) {
    const last = result.at(-1);
    if (last && from - last.to <= gap) last.to = Math.max(last.to, to);
    else result.push({ from, to });
  }
  return result;
}
