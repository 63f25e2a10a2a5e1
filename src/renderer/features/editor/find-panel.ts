import { EditorSelection, type Extension, StateEffect, StateField } from '@codemirror/state';
import { EditorView, keymap, type Panel, showPanel } from '@codemirror/view';
import { patternOf, type Wanted } from '../../../core/find-text.ts';
import { formatNoun } from '../../components/format.ts';
import { report } from '../../state/application.ts';
import { sourceOf } from '../../state/large-text.ts';
import { documentPosition, textOffset } from '../../state/soft-breaks.ts';
import { type JobOptions, payloadWork, TookTooLong } from '../../work/work.ts';
import { softBreaksOf } from './long-lines.ts';

/*
 * Finding in a large payload. The editor's own search goes through the text in the window's thread, more than a second where it has
 * sixteen megabytes, and sees a long line in the pieces it is held in; this one asks the worker about the text.
 */

/** More places than these are not replaced at once. */
const MOST_REPLACED = 100_000;
/** More places than these are not selected at once: each is a cursor, which is drawn. */
const MOST_SELECTED = 1_000;
/** A regular expression can take longer than anybody waits. */
const LIMIT_SECONDS = 5;

const opened = StateEffect.define<boolean>();
const panelField = StateField.define<boolean>({
  create: () => false,
  update: (isOpen, transaction) => transaction.effects.find((effect) => effect.is(opened))?.value ?? isOpen,
  provide: (field) => showPanel.from(field, (isOpen) => (isOpen ? (view) => new FindPanel(view) : null)),
});

function button(name: string, run: () => void): HTMLButtonElement {
  const made = document.createElement('button');
  made.type = 'button';
  made.className = 'cm-button';
  made.textContent = name;
  made.addEventListener('click', run);
  return made;
}

function option(box: HTMLInputElement, name: string): HTMLLabelElement {
  box.type = 'checkbox';
  const made = document.createElement('label');
  made.append(box, name);
  return made;
}

function textField(label: string): HTMLInputElement {
  const made = document.createElement('input');
  made.className = 'cm-textfield';
  made.placeholder = label;
  made.setAttribute('aria-label', label);
  return made;
}

/** Panels by their editors, for keys pressed in the text. */
const panels = new WeakMap<EditorView, FindPanel>();

class FindPanel implements Panel {
  readonly dom = document.createElement('div');
  readonly top = true;
  readonly #find = textField('Find');
  readonly #replace = textField('Replace');
  readonly #matchCase = document.createElement('input');
  readonly #regexp = document.createElement('input');
  readonly #word = document.createElement('input');
  readonly #words = document.createElement('span');
  #asked: AbortController | null = null;

  constructor(private readonly view: EditorView) {
    this.#words.setAttribute('role', 'status');
    const close = button('×', () => this.#close());
    close.name = 'close';
    close.setAttribute('aria-label', 'close');
    this.dom.className = 'cm-search';
    this.dom.append(
      this.#find,
      button('next', () => this.find(true)),
      button('previous', () => this.find(false)),
      button('all', () => this.#selectAll()),
      option(this.#matchCase, 'match case'),
      option(this.#regexp, 'regexp'),
      option(this.#word, 'by word'),
      document.createElement('br'),
      this.#replace,
      button('replace', () => this.#replaceOne()),
      button('replace all', () => this.#replaceAll()),
      this.#words,
      close,
    );
    this.dom.addEventListener('keydown', (event) => this.#onKey(event));
    panels.set(view, this);
  }

  mount(): void {
    this.focus();
  }

  destroy(): void {
    this.#asked?.abort();
    panels.delete(this.view);
  }

  focus(): void {
    this.#find.focus();
    this.#find.select();
  }

  find(forward: boolean): void {
    const { state } = this.view;
    const { from, to } = state.selection.main;
    const at = textOffset(softBreaksOf(state), forward ? to : from);
    this.#ask(async (wanted, options) => {
      const found = await payloadWork.run('find', { text: '', wanted, from: at, forward }, options);
      if (!found) return 'Not found';
      if (this.view.state.doc !== state.doc) return 'The text changed meanwhile';
      this.#select(found.start, found.end);
      return found.around ? (forward ? 'From the top on' : 'From the end on') : '';
    });
  }

  #select(start: number, end: number): void {
    const breaks = softBreaksOf(this.view.state);
    const from = documentPosition(breaks, start);
    this.view.dispatch({
      selection: { anchor: from, head: documentPosition(breaks, end) },
      effects: EditorView.scrollIntoView(from, { y: 'center' }),
      userEvent: 'select.search',
    });
  }

  /** Replaces what is selected where it is what was looked for, and goes to the next. */
  #replaceOne(): void {
    const { state } = this.view;
    const { from, to } = state.selection.main;
    const breaks = softBreaksOf(state);
    const start = textOffset(breaks, from);
    const end = textOffset(breaks, to);
    this.#ask(async (query, options) => {
      const wanted = { ...query, replacement: this.#replace.value };
      const found = await payloadWork.run('find', { text: '', wanted, from: start, forward: true }, options);
      if (this.view.state.doc !== state.doc) return 'The text changed meanwhile';
      if (found?.start === start && found.end === end) {
        const insert = state.toText(found.insert ?? '');
        this.view.dispatch({
          changes: { from, to, insert },
          selection: { anchor: from + insert.length },
          userEvent: 'input.replace',
        });
      }
      queueMicrotask(() => this.find(true));
      return '';
    });
  }

  #selectAll(): void {
    const { state } = this.view;
    this.#ask(async (wanted, options) => {
      const places = await payloadWork.run('findAll', { text: '', wanted, most: MOST_SELECTED + 1 }, options);
      if (this.view.state.doc !== state.doc) return 'The text changed meanwhile';
      if (places.length === 0) return 'Not found';
      if (places.length > MOST_SELECTED) return `More than ${formatNoun(MOST_SELECTED, 'place')}: not selected`;
      const breaks = softBreaksOf(state);
      const ranges = places.map(({ start, end }) =>
        EditorSelection.range(documentPosition(breaks, start), documentPosition(breaks, end)),
      );
      this.view.dispatch({ selection: EditorSelection.create(ranges), userEvent: 'select.search.matches' });
      return `Selected ${formatNoun(places.length, 'place')}`;
    });
  }

  #replaceAll(): void {
    const { state } = this.view;
    this.#ask(async (query, options) => {
      const wanted = { ...query, replacement: this.#replace.value };
      const places = await payloadWork.run('findAll', { text: '', wanted, most: MOST_REPLACED }, options);
      if (this.view.state.doc !== state.doc) return 'The text changed meanwhile';
      if (places.length === 0) return 'Not found';
      const breaks = softBreaksOf(state);
      const changes = places.map(({ start, end, insert }) => ({
        from: documentPosition(breaks, start),
        to: documentPosition(breaks, end),
        insert: state.toText(insert ?? ''),
      }));
      this.view.dispatch({ changes, userEvent: 'input.replace.all' });
      const rest = places.length === MOST_REPLACED ? '; there may be more' : '';
      return `Replaced ${formatNoun(places.length, 'place')}${rest}`;
    });
  }

  #ask(work: (wanted: Wanted, options: JobOptions) => Promise<string>): void {
    this.#asked?.abort();
    const [matchCase, regexp, word] = [this.#matchCase.checked, this.#regexp.checked, this.#word.checked];
    const wanted = { query: this.#find.value, matchCase, regexp, word };
    try {
      patternOf(wanted);
    } catch (thrown) {
      this.#words.textContent = (thrown as Error).message;
      return;
    }
    const asked = new AbortController();
    this.#asked = asked;
    this.#words.textContent = 'Looking…';
    const limit = regexp ? { limit: LIMIT_SECONDS * 1_000 } : {};
    work(wanted, { source: sourceOf(this.view.state.doc), signal: asked.signal, ...limit }).then(
      (words) => {
        if (!asked.signal.aborted) this.#words.textContent = words;
      },
      (thrown: unknown) => {
        if (asked.signal.aborted) return;
        if (thrown instanceof TookTooLong)
          this.#words.textContent = `Stopped after ${LIMIT_SECONDS} seconds: this expression takes too long`;
        else if (regexp) this.#words.textContent = (thrown as Error).message;
        else report(thrown);
      },
    );
  }

  #onKey(event: KeyboardEvent): void {
    const isFind = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'f';
    if (event.key === 'Escape') this.#close();
    else if (event.key === 'F3') this.find(!event.shiftKey);
    else if (event.key === 'Enter' && event.target === this.#find) this.find(!event.shiftKey);
    else if (event.key === 'Enter' && event.target === this.#replace) this.#replaceOne();
    else if (isFind) this.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #close(): void {
    this.view.dispatch({ effects: opened.of(false) });
    this.view.focus();
  }
}

function openPanel(view: EditorView): boolean {
  const panel = panels.get(view);
  if (panel) panel.focus();
  else view.dispatch({ effects: opened.of(true) });
  return true;
}

function findFromText(forward: boolean): (view: EditorView) => boolean {
  return (view) => {
    const panel = panels.get(view);
    if (panel) panel.find(forward);
    return panel ? true : openPanel(view);
  };
}

/** Finding and replacing in a large payload, by the keys of the editor's own search. */
export const findInLargeText: Extension = [
  panelField,
  keymap.of([
    { key: 'Mod-f', run: openPanel },
    { key: 'F3', run: findFromText(true), shift: findFromText(false), preventDefault: true },
    {
      key: 'Escape',
      run: (view) => {
        if (!panels.has(view)) return false;
        view.dispatch({ effects: opened.of(false) });
        return true;
      },
    },
  ]),
];
