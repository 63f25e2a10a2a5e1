/** Moving the focus between the panes of the window. Panes mark themselves with `data-pane`. */

/** A dialog that closes gives the focus back a moment later; what moves it on purpose waits this long. */
export const FOCUS_RETURN_MILLISECONDS = 40;
/** An editor that appears so soon after it was asked for takes the focus: the record had to be fetched first. */
const EDITOR_PATIENCE_MILLISECONDS = 1_500;

/** Counts the wishes to move the focus: an older one that comes due later must not take it from a newer one. */
let wish = 0;
let editorWish = { number: -1, until: 0 };

/** Moves the focus once a dialog that closes has given it back, unless the person has moved it meanwhile. */
export function afterDialog(move: () => void): void {
  const mine = ++wish;
  setTimeout(() => {
    if (mine === wish) move();
  }, FOCUS_RETURN_MILLISECONDS);
}

/** Moves the focus once what it goes to has been rendered, unless the person asks for something else meanwhile. Returns the wish. */
function inNextFrame(move: () => void): number {
  const mine = ++wish;
  requestAnimationFrame(() => {
    if (mine === wish) move();
  });
  return mine;
}

function pointed(): void {
  wish++;
}

/** Whether an editor that has just appeared was asked for, and nothing else since. */
export function editorIsWanted(): boolean {
  return editorWish.number === wish && performance.now() < editorWish.until;
}

/** What takes the focus of a pane, the first that is there. */
const ENTRY = '[data-pane-entry]:not([disabled])';

function enter(pane: Element): boolean {
  const target = pane.querySelector<HTMLElement>(ENTRY) ?? (pane as HTMLElement);
  target.focus();
  return document.activeElement === target;
}

/** F6: the next pane, around the end; from outside of any pane the first. */
export function cyclePanes(direction: 1 | -1): void {
  wish++;
  const panes = [...document.querySelectorAll('[data-pane]')];
  if (panes.length === 0) return;
  const at = panes.findIndex((pane) => pane.contains(document.activeElement));
  for (let step = 1; step <= panes.length; step++) {
    const next = at === -1 ? (direction === 1 ? step - 1 : panes.length - step) : at + direction * step;
    if (enter(panes[((next % panes.length) + panes.length) % panes.length]!)) return;
  }
}

export function focusGrid(): void {
  inNextFrame(() => document.querySelector<HTMLElement>('[data-pane="records"] [role="grid"] [tabindex="0"]')?.focus());
}

export function focusSearch(): void {
  inNextFrame(() => {
    const input = document.querySelector<HTMLInputElement>('#search');
    input?.focus();
    input?.select();
  });
}

export function focusEditor(): void {
  const number = inNextFrame(() => document.dispatchEvent(new CustomEvent('velescope-focus-editor')));
  editorWish = { number, until: performance.now() + EDITOR_PATIENCE_MILLISECONDS };
  document.addEventListener('pointerdown', pointed, { capture: true, once: true });
}

/** The tab the right pane shows, for F2 and Enter from the grid. */
export function focusDetail(): void {
  wish++;
  document.querySelector<HTMLElement>('[data-pane="detail"] [data-pane-entry]')?.focus();
}
