// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test } from 'vitest';
import { keepFocus } from './kept-focus.ts';

let end: () => void;

beforeEach(() => {
  document.body.innerHTML = `
    <div id="root">
      <main data-pane="records" tabindex="-1"><button id="entry" data-pane-entry>grid</button></main>
      <aside data-pane="detail" tabindex="-1"><button id="goes">Take back</button></aside>
    </div>`;
  end = keepFocus(document.querySelector<HTMLElement>('#root')!);
});
afterEach(() => end());

const focus = (selector: string) => document.querySelector<HTMLElement>(selector)!.focus();
const focused = () => document.activeElement;

test('a button that goes away leaves the focus in its pane', async () => {
  focus('#goes');
  document.querySelector('#goes')!.remove();
  expect(focused()).toBe(document.body);
  await expect.poll(focused).toBe(document.querySelector('aside'));
});

test('where the pane went with it, the page has the focus', async () => {
  focus('#goes');
  document.querySelector('aside')!.remove();
  await expect.poll(focused).toBe(document.querySelector('#entry'));
});

test('whoever moves the focus on purpose is not disturbed', async () => {
  focus('#goes');
  document.querySelector('#goes')!.remove();
  focus('main');
  await new Promise((done) => setTimeout(done, 150));
  expect(focused()).toBe(document.querySelector('main'));
});
