import type { Text } from '@codemirror/state';
import { useMemo } from 'react';
import { isExpired, largeIntegers, readConventions } from '../../../core/json/conventions.ts';
import { parseSyntax } from '../../../core/json/syntax.ts';
import { formatCount, formatNoun } from '../../components/format.ts';
import { makeVisible } from '../../components/visible-text.tsx';
import { timeWords } from './value-hints.ts';

const SHOWN_INTEGERS = 3;
const SHOWN_LABELS = 12;
/** A label or a number may be as long as the payload: this much of one says which it is. */
const SHOWN_CHARACTERS = 48;

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
        ? { text: `labels: ${labelWords(labels.labels)}`, warning: false }
        : { text: '_labels is no array of strings, which VelesDB expects there', warning: true },
    );
  }
  if (expiry) hints.push(expiryHint(expiry.seconds, now));
  const large = largeIntegers(parsed.tree, SHOWN_INTEGERS + 1).filter((integer) => integer.javascript !== integer.text);
  for (const integer of large.slice(0, SHOWN_INTEGERS)) {
    hints.push({
      text: `${shortened(integer.text)}: tools in JavaScript would make ${integer.javascript} of it`,
      warning: true,
    });
  }
  if (large.length > SHOWN_INTEGERS)
    hints.push({ text: `and more than ${formatNoun(SHOWN_INTEGERS, 'such integer')}`, warning: true });
  return hints;
}

function labelWords(labels: readonly string[]): string {
  if (labels.length === 0) return 'none';
  const words = labels.slice(0, SHOWN_LABELS).map((label) => makeVisible(shortened(label)));
  const more = labels.length - words.length;
  return `${words.join(', ')}${more > 0 ? ` and ${formatCount(more)} more` : ''}`;
}

function shortened(text: string): string {
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}

function expiryHint(seconds: bigint | null, now: Date): { text: string; warning: boolean } {
  if (seconds === null)
    return { text: '_veles_expires_at is no whole number of seconds since 1970: it names no time', warning: true };
  const expired = isExpired(seconds, BigInt(Math.floor(now.getTime() / 1000)));
  const words = timeWords(seconds) ?? `after every date (${seconds})`;
  return expired
    ? { text: `expired ${words}: VelesDB hides this record, the log keeps it`, warning: true }
    : { text: `expires ${words}`, warning: false };
}
