import type { Extension } from '@codemirror/state';
import { highlightSpecialChars } from '@codemirror/view';
import { SOFT_BREAK_CODE, SOFT_BREAK_PATTERN } from '../../state/soft-breaks.ts';

/** Bidirectional and zero-width characters that CodeMirror does not mark by itself. */
const MORE_SPECIAL = /[\u180e\u202a-\u202c\u2060-\u2065\u2068\u206a-\u206f]/;

/** Marks what would be invisible or reorder the line. */
export const specialCharacters: Extension = highlightSpecialChars({ addSpecialChars: MORE_SPECIAL });

/** The same in text whose long lines are held in pieces: where a line goes on in the next one is marked too. */
export const specialCharactersAndSoftBreaks: Extension = highlightSpecialChars({
  addSpecialChars: new RegExp(`${MORE_SPECIAL.source}|${SOFT_BREAK_PATTERN.source}`),
  render: (code) => {
    // Null leaves the mark to CodeMirror, which the type does not say.
    if (code !== SOFT_BREAK_CODE) return null as unknown as HTMLElement;
    const mark = document.createElement('span');
    mark.className = 'cm-softBreak';
    mark.textContent = '↩';
    mark.title = 'The line goes on below';
    mark.setAttribute('aria-hidden', 'true');
    return mark;
  },
});
