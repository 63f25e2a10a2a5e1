import { isExpired, largeIntegers, readConventions } from '../../../core/json/conventions.ts';
import type { SyntaxTree } from '../../../core/json/syntax.ts';

const HINTED_INTEGERS = 1_000;

/** What stands beside a value: a date for an expiry, what JavaScript tools would make of a big integer. */
export function valueHints(tree: SyntaxTree, now: Date): ReadonlyMap<number, string> {
  const hints = new Map<number, string>();
  for (const integer of largeIntegers(tree, HINTED_INTEGERS)) {
    if (integer.javascript !== integer.text) hints.set(integer.node, `JavaScript tools: ${integer.javascript}`);
  }
  const { expiry } = readConventions(tree);
  if (expiry) hints.set(expiry.node, expiryWords(expiry.seconds, now));
  return hints;
}

function expiryWords(seconds: bigint | null, now: Date): string {
  if (seconds === null) return 'names no time: not whole seconds since 1970';
  const words = timeWords(seconds) ?? 'after every date';
  return isExpired(seconds, BigInt(Math.floor(now.getTime() / 1000))) ? `expired ${words}` : words;
}

/** The last second that a date can name: dates end at 8.64e15 milliseconds. */
const LAST_SECOND = 8_640_000_000_000n;

/** A time as ISO 8601; null for one that is later than any date. */
export function timeWords(seconds: bigint): string | null {
  return seconds > LAST_SECOND ? null : new Date(Number(seconds) * 1000).toISOString().replace('.000', '');
}
