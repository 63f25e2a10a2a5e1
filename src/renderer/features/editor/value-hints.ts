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
  if (expiry?.seconds != null && expiry.seconds < 8_640_000_000_000n) {
    const words = new Date(Number(expiry.seconds) * 1000).toISOString().replace('.000', '');
    hints.set(
      expiry.node,
      isExpired(expiry.seconds, BigInt(Math.floor(now.getTime() / 1000))) ? `expired ${words}` : words,
    );
  }
  return hints;
}
