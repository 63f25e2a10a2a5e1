import { type Extension, StateEffect, StateField } from '@codemirror/state';
import { EditorView, keymap, type Panel, showPanel } from '@codemirror/view';
import { formatNoun } from '../../components/format.ts';
import { report } from '../../state/application.ts';
import { sourceOf } from '../../state/large-text.ts';
import { documentPosition, textOffset } from '../../state/soft-breaks.ts';
import { payloadWork } from '../../work/work.ts';
import { softBreaksOf } from './long-lines.ts';

/*
 * Finding in a large payload. The editor's own search goes through the text in the window's thread, more than a second where it has
 * sixteen megabytes, and sees a long line in the pieces it is held in; this one asks the worker about the text.
 */

/** More places than these are not replaced at once. */
const MOST_REPLACED = 100_000;

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
  readonly #words = document.createElement('span');
  #asked: AbortController | null = null;

  constructor(private readonly view: EditorView) {
    this.#matchCase.type = 'checkbox';
    this.#words.setAttribute('role', 'status');
    const matchCase = document.createElement('label');
    matchCase.append(this.#matchCase, 'match case');
    const close = button('×', () => this.#close());
    close.name = 'close';
    close.setAttribute('aria-label', 'close');
    this.dom.className = 'cm-search';
    this.dom.append(
      this.#find,
      button('next', () => this.find(true)),
      button('previous', () => this.find(false)),
      matchCase,
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
    this.#ask(async (wanted, signal) => {
      const options = { source: sourceOf(state.doc), signal };
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
    this.#ask(async (wanted, signal) => {
      const options = { source: sourceOf(state.doc), signal };
      const found = await payloadWork.run('find', { text: '', wanted, from: start, forward: true }, options);
      if (this.view.state.doc !== state.doc) return 'The text changed meanwhile';
      if (found?.start === start && found.end === end) {
        const insert = state.toText(this.#replace.value);
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

  #replaceAll(): void {
    const { state } = this.view;
    this.#ask(async (wanted, signal) => {
      const options = { source: sourceOf(state.doc), signal };
      const places = await payloadWork.run('findAll', { text: '', wanted, most: MOST_REPLACED }, options);
      if (this.view.state.doc !== state.doc) return 'The text changed meanwhile';
      if (places.length === 0) return 'Not found';
      const breaks = softBreaksOf(state);
      const insert = state.toText(this.#replace.value);
      const changes = places.map(({ start, end }) => ({
        from: documentPosition(breaks, start),
        to: documentPosition(breaks, end),
        insert,
      }));
      this.view.dispatch({ changes, userEvent: 'input.replace.all' });
      const rest = places.length === MOST_REPLACED ? '; there may be more' : '';
      return `Replaced ${formatNoun(places.length, 'place')}${rest}`;
    });
  }

  #ask(work: (wanted: { query: string; matchCase: boolean }, signal: AbortSignal) => Promise<string>): void {
    this.#asked?.abort();
    const asked = new AbortController();
    this.#asked = asked;
    this.#words.textContent = 'Looking…';
    work({ query: this.#find.value, matchCase: this.#matchCase.checked }, asked.signal).then(
      (words) => {
        if (!asked.signal.aborted) this.#words.textContent = words;
      },
      (thrown: unknown) => {
        if (!asked.signal.aborted) report(thrown);
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
