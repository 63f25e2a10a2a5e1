/**
 * What VelesDB and its users mean by certain values (docs/format.md, section 5): node labels, expiry, and integers that only tools
 * with 64-bit integers read rightly. Reading only; nothing here changes a text.
 */
import { isSameNumber } from './number.ts';
import { decodeStringToken, type SyntaxTree } from './syntax.ts';

export interface Conventions {
  /** `_labels` at the top of an object; of several the last, as VelesDB reads. `labels` is null where it is no array of strings. */
  labels: { node: number; labels: string[] | null } | null;
  /** `_veles_expires_at`, likewise. `seconds` since 1970 is null where it is no whole number from 0 to 2^64 - 1. */
  expiry: { node: number; seconds: bigint | null } | null;
}

export const LABELS_KEY = '_labels';
export const EXPIRY_KEY = '_veles_expires_at';

/** The conventions a payload follows; nothing for a payload that is no object. */
export function readConventions(tree: SyntaxTree): Conventions {
  const found: Conventions = { labels: null, expiry: null };
  if (tree.kind(0) !== 'object') return found;
  for (const node of tree.children(0)) {
    const key = tree.key(node);
    if (key === LABELS_KEY) found.labels = { node, labels: labelsOf(tree, node) };
    if (key === EXPIRY_KEY) found.expiry = { node, seconds: secondsOf(tree, node) };
  }
  return found;
}

/** True iff VelesDB hides a point with this expiry at this time, both in seconds since 1970. */
export function isExpired(seconds: bigint, now: bigint): boolean {
  return seconds <= now;
}

function labelsOf(tree: SyntaxTree, node: number): string[] | null {
  if (tree.kind(node) !== 'array') return null;
  const labels: string[] = [];
  for (const child of tree.children(node)) {
    if (tree.kind(child) !== 'string') return null;
    labels.push(decodeStringToken(tree.token(child)));
  }
  return labels;
}

function secondsOf(tree: SyntaxTree, node: number): bigint | null {
  const token = tree.kind(node) === 'number' ? tree.token(node) : '';
  return /^\d{1,20}$/.test(token) && BigInt(token) < 1n << 64n ? BigInt(token) : null;
}

/** An integer that a double cannot be trusted with. */
export interface LargeInteger {
  node: number;
  /** As written. */
  text: string;
  /** What a tool that reads it into a double writes back: JSON.stringify(JSON.parse(text)). Past every double that is `null`. */
  javascript: string;
  /** False where that happens to be the same number. */
  changed: boolean;
}

/**
 * The integers of a text beyond ±(2^53 - 1), in the order of the text.
 *
 * @param limit how many to return at most
 */
export function largeIntegers(tree: SyntaxTree, limit = Number.POSITIVE_INFINITY): LargeInteger[] {
  const found: LargeInteger[] = [];
  for (let node = 0; node < tree.count && found.length < limit; node++) {
    // Sixteen characters are the fewest that reach 2^53.
    if (tree.kind(node) !== 'number' || tree.end(node) - tree.start(node) < 16) continue;
    const text = tree.token(node);
    if (!/^-?\d+$/.test(text) || Number.isSafeInteger(Number(text))) continue;
    const javascript = JSON.stringify(Number(text));
    found.push({ node, text, javascript, changed: javascript === 'null' || !isSameNumber(text, javascript) });
  }
  return found;
}
