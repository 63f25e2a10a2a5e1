import { closeBrackets, closeBracketsKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { json } from '@codemirror/lang-json';
import {
  bracketMatching,
  codeFolding,
  foldGutter,
  foldKeymap,
  HighlightStyle,
  indentOnInput,
  syntaxHighlighting,
} from '@codemirror/language';
import { type Diagnostic, linter, lintKeymap } from '@codemirror/lint';
import { highlightSelectionMatches, search, searchKeymap } from '@codemirror/search';
import { EditorState, type Extension } from '@codemirror/state';
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { checkDocument } from '../../state/document-check.ts';
import { findInLargeText } from './find-panel.ts';
import { longLines, textLineNumbers } from './long-lines.ts';
import { specialCharacters, specialCharactersAndSoftBreaks } from './special-characters.ts';

/** The nonce that lets the editor insert its styles under the page's content security policy; empty where there is no policy. */
export function styleNonce(): string {
  return document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? '';
}

/** Colours come from the window's custom properties, so that themes change without making the editor anew. */
const theme = EditorView.theme({
  '&': { height: '100%', fontSize: 'var(--text-small)', backgroundColor: 'transparent', color: 'var(--text)' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--font-mono)', lineHeight: '1.55', overflow: 'auto' },
  '.cm-content': { caretColor: 'var(--text)', padding: '0.4rem 0' },
  '.cm-gutters': { backgroundColor: 'transparent', color: 'var(--text-muted)', border: 'none' },
  '.cm-activeLine': { backgroundColor: 'color-mix(in oklab, var(--accent-soft) 45%, transparent)' },
  '.cm-activeLineGutter': { backgroundColor: 'transparent', color: 'var(--text)' },
  '.cm-cursor': { borderLeftColor: 'var(--text)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    backgroundColor: 'color-mix(in oklab, var(--accent) 28%, transparent)',
  },
  '.cm-matchingBracket': { backgroundColor: 'var(--accent-soft)', outline: '1px solid var(--accent)' },
  '.cm-foldPlaceholder': {
    backgroundColor: 'var(--surface-sunken)',
    border: '1px solid var(--border)',
    color: 'var(--text-muted)',
  },
  '.cm-specialChar': { color: 'var(--warning)', backgroundColor: 'var(--warning-soft)', borderRadius: '3px' },
  '.cm-softBreak': { color: 'var(--text-muted)', opacity: '0.7' },
  '.cm-panels': { backgroundColor: 'var(--surface-sunken)', color: 'var(--text)', borderColor: 'var(--border)' },
  '.cm-panel input, .cm-panel button': { fontFamily: 'var(--font-ui)' },
  '.cm-textfield': {
    backgroundColor: 'var(--surface)',
    border: '1px solid var(--border-strong)',
    color: 'var(--text)',
  },
  '.cm-button': {
    backgroundImage: 'none',
    backgroundColor: 'var(--surface-raised)',
    border: '1px solid var(--border)',
    borderRadius: '4px',
    color: 'var(--text)',
  },
  '.cm-searchMatch': { backgroundColor: 'var(--warning-soft)', outline: '1px solid var(--warning)' },
  '.cm-searchMatch-selected': { backgroundColor: 'color-mix(in oklab, var(--warning) 45%, transparent)' },
  '.cm-tooltip': {
    backgroundColor: 'var(--surface-raised)',
    border: '1px solid var(--border)',
    borderRadius: '6px',
    color: 'var(--text)',
    fontFamily: 'var(--font-ui)',
  },
  '.cm-diagnostic-error': { borderLeftColor: 'var(--danger)' },
  '.cm-diagnostic-warning': { borderLeftColor: 'var(--warning)' },
  '.cm-lintRange-error': {
    backgroundImage: 'none',
    textDecoration: 'underline wavy var(--danger)',
    textDecorationSkipInk: 'none',
  },
  '.cm-lintPoint-error::after': { borderBottomColor: 'var(--danger)' },
  '.cm-changedLine': { backgroundColor: 'color-mix(in oklab, var(--good-soft) 60%, transparent)' },
  '.cm-changedText': { backgroundImage: 'none', backgroundColor: 'var(--good-soft)', color: 'var(--good)' },
  '.cm-deletedChunk': { backgroundColor: 'color-mix(in oklab, var(--danger-soft) 60%, transparent)' },
  '.cm-deletedChunk .cm-deletedText, .cm-deletedText': {
    backgroundImage: 'none',
    backgroundColor: 'var(--danger-soft)',
    color: 'var(--danger)',
  },
  '.cm-collapsedLines': {
    backgroundColor: 'var(--surface-sunken)',
    backgroundImage: 'none',
    color: 'var(--text-muted)',
    fontFamily: 'var(--font-ui)',
  },
  // CodeMirror's own arrows are missing from many fonts.
  '.cm-collapsedLines::before, .cm-collapsedLines::after': { content: '"…"' },
});

const colours = HighlightStyle.define([
  { tag: tags.propertyName, color: 'var(--field-id)' },
  { tag: tags.string, color: 'var(--good)' },
  { tag: tags.number, color: 'var(--field-length)' },
  { tag: [tags.bool, tags.null], color: 'var(--field-marker)' },
  { tag: [tags.punctuation, tags.separator, tags.brace, tags.squareBracket], color: 'var(--text-muted)' },
  { tag: tags.invalid, color: 'var(--danger)' },
]);

/** What every view of payload text has: styles, the font, marks for what would be invisible. */
export function baseExtensions(options: { plain?: boolean } = {}): Extension {
  return [
    EditorView.cspNonce.of(styleNonce()),
    options.plain ? [specialCharactersAndSoftBreaks, longLines] : specialCharacters,
    theme,
    // Wrapping measures each line on the way to the place that is shown.
    options.plain ? [] : EditorView.lineWrapping,
  ];
}

export function jsonColours(): Extension {
  return [json(), syntaxHighlighting(colours)];
}

/** Marks what VelesDB refuses at the character it refuses. */
const refusals = linter(
  async (view): Promise<Diagnostic[]> => {
    const check = await checkDocument(view.state.doc);
    if (check.state === 'ok') return [];
    const from = Math.min(check.from, view.state.doc.length);
    return [
      {
        from,
        to: Math.min(from + 1, view.state.doc.length),
        severity: 'error',
        message: check.message,
        source: 'VelesDB',
      },
    ];
  },
  { delay: 300 },
);

/**
 * An editor of payload text. `plain` leaves out what costs by the size of the text (colours, folding, the check at each pause):
 * what is too large for those is still typed into without a wait.
 */
export function editorExtensions(options: { plain: boolean; label: string }): Extension {
  return [
    baseExtensions(options),
    options.plain ? textLineNumbers : lineNumbers(),
    history({ newGroupDelay: 500 }),
    drawSelection(),
    EditorState.allowMultipleSelections.of(true),
    // The tab stop is named, because checkers do not count what is editable as one.
    EditorView.contentAttributes.of({
      'aria-label': options.label,
      spellcheck: 'false',
      autocorrect: 'off',
      tabindex: '0',
    }),
    options.plain ? findInLargeText : search({ top: true }),
    options.plain
      ? []
      : [
          jsonColours(),
          codeFolding(),
          foldGutter(),
          indentOnInput(),
          bracketMatching(),
          closeBrackets(),
          highlightActiveLine(),
          highlightSelectionMatches(),
          refusals,
        ],
    keymap.of([
      ...(options.plain ? [] : closeBracketsKeymap),
      ...(options.plain ? [] : searchKeymap.filter(({ key }) => key !== 'Mod-g' && key !== 'Mod-Alt-g')),
      ...historyKeymap,
      ...foldKeymap,
      ...lintKeymap,
      ...defaultKeymap,
      // Escape first, then Tab, leaves the editor: CodeMirror's own rule for keyboards (Ctrl-m toggles it too).
      indentWithTab,
    ]),
  ];
}
