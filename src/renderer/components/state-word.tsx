import { Icon } from './icon.tsx';
import type { Word } from './words.ts';

/** A status as icon and word: never colour alone. */
export function StateWord({ word }: { word: Word }) {
  return (
    <span className={`word tone-${word.tone}`}>
      <Icon name={word.icon} />
      {word.word}
    </span>
  );
}
