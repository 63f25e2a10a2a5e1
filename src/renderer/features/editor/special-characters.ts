import type { Extension } from '@codemirror/state';
import {
  Decoration,
  type DecorationSet,
  EditorView,
  highlightSpecialChars,
  MatchDecorator,
  ViewPlugin,
  type ViewUpdate,
  WidgetType,
} from '@codemirror/view';
import { makeVisible } from '../../components/visible-text.tsx';

/** Bidirectional and zero-width characters that CodeMirror does not mark by itself. */
const MORE_SPECIAL = /[\u180e\u202a-\u202c\u2060-\u2065\u2068\u206a-\u206f]/g;
/** All that CodeMirror marks, tabs apart, and those. */
const ALL_SPECIAL =
  /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffc]/gu;

/** Marks what would be invisible or reorder the line. */
export const specialCharacters: Extension = highlightSpecialChars({ addSpecialChars: MORE_SPECIAL });

class Mark extends WidgetType {
  constructor(private readonly character: string) {
    super();
  }

  override eq(other: Mark): boolean {
    return other.character === this.character;
  }

  toDOM(): HTMLElement {
    const mark = document.createElement('span');
    mark.className = 'cm-specialChar';
    mark.textContent = makeVisible(this.character);
    return mark;
  }

  override ignoreEvent(): boolean {
    return false;
  }
}

const finder = new MatchDecorator({
  regexp: ALL_SPECIAL,
  decoration: (match) => Decoration.replace({ widget: new Mark(match[0]) }),
});

/**
 * The same for text of any size. CodeMirror's own looks through the whole line that was changed, which takes a tenth of a second
 * where that line is the payload; this looks at what is on the screen, at each change anew.
 */
export const specialCharactersOnScreen: Extension = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet;
    constructor(view: EditorView) {
      this.decorations = finder.createDeco(view);
    }
    update(update: ViewUpdate): void {
      if (update.docChanged || update.viewportChanged) this.decorations = finder.createDeco(update.view);
    }
  },
  { decorations: (plugin) => plugin.decorations },
);

/**
 * Takes typed text before it reaches the page's own text. CodeMirror otherwise finds out what was typed by comparing the changed
 * line with the one before, character by character: the whole payload where that is one line. What is composed (accents, other
 * scripts) still goes that way.
 */
export const typingInLongLines: Extension = EditorView.domEventHandlers({
  beforeinput(event, view) {
    const { data } = event;
    if (event.inputType !== 'insertText' || !data || event.isComposing || view.composing || view.state.readOnly)
      return false;
    view.dispatch(view.state.replaceSelection(data), { userEvent: 'input.type', scrollIntoView: true });
    event.preventDefault();
    return true;
  },
});
