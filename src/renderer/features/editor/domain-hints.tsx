import type { Text } from '@codemirror/state';
import { useMemo } from 'react';
import { isExpired, largeIntegers, readConventions } from '../../../core/json/conventions.ts';
import { parseSyntax } from '../../../core/json/syntax.ts';
import { formatNoun } from '../../components/format.ts';
import { makeVisible } from '../../components/visible-text.tsx';

const SHOWN_INTEGERS = 3;

/** What VelesDB and its users mean by certain values: labels, expiry, and integers that JavaScript tools would change. */
export function DomainHints({ doc }: { doc: Text }) {
  const hints = useMemo(() => hintsOf(doc.toString(), new Date()), [doc]);
  return hints.map((hint) => (
    <span key={hint.text} className={hint.warning ? 'hint warning' : 'hint'}>
      {hint.text}
    </span>
  ));
}

/** The hints for a text at a time; none for text that is not JSON. */
export function hintsOf(text: string, now: Date): { text: string; warning: boolean }[] {
  const parsed = parseSyntax(text);
  if (!parsed.ok) return [];
  const hints: { text: string; warning: boolean }[] = [];
  const { labels, expiry } = readConventions(parsed.tree);
  if (labels) {
    hints.push(
      labels.labels
        ? { text: `labels: ${labels.labels.map(makeVisible).join(', ') || 'none'}`, warning: false }
        : { text: '_labels is no array of strings: VelesDB sees no labels', warning: true },
    );
  }
  if (expiry) hints.push(expiryHint(expiry.seconds, now));
  const large = largeIntegers(parsed.tree, SHOWN_INTEGERS + 1).filter((integer) => integer.javascript !== integer.text);
  for (const integer of large.slice(0, SHOWN_INTEGERS)) {
    hints.push({ text: `${integer.text}: tools in JavaScript would make ${integer.javascript} of it`, warning: true });
  }
  if (large.length > SHOWN_INTEGERS)
    hints.push({ text: `and more than ${formatNoun(SHOWN_INTEGERS, 'such integer')}`, warning: true });
  return hints;
}

function expiryHint(seconds: bigint | null, now: Date): { text: string; warning: boolean } {
  if (seconds === null) return { text: '_veles_expires_at is no whole number of seconds', warning: true };
  const expired = isExpired(seconds, BigInt(Math.floor(now.getTime() / 1000)));
  // Dates end at 8.64e15 milliseconds; what is later than any date never expires for a person.
  const words =
    seconds > 8_640_000_000_000n
      ? `after every date (${seconds})`
      : new Date(Number(seconds) * 1000).toISOString().replace('.000', '');
  return expired
    ? { text: `expired ${words}: VelesDB hides this record, the log keeps it`, warning: true }
    : { text: `expires ${words}`, warning: false };
}
