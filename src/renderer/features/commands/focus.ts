/** Moving the focus between the panes of the window. Panes mark themselves with `data-pane`. */

/** A dialog that closes gives the focus back a moment later; what moves it on purpose waits this long. */
export const FOCUS_RETURN_MILLISECONDS = 40;

/** What takes the focus of a pane, the first that is there. */
const ENTRY = '[data-pane-entry]:not([disabled])';

function enter(pane: Element): boolean {
  const target = pane.querySelector<HTMLElement>(ENTRY) ?? (pane as HTMLElement);
  target.focus();
  return document.activeElement === target;
}

/** F6: the next pane, around the end; from outside of any pane the first. */
export function cyclePanes(direction: 1 | -1): void {
  const panes = [...document.querySelectorAll('[data-pane]')];
  if (panes.length === 0) return;
  const at = panes.findIndex((pane) => pane.contains(document.activeElement));
  for (let step = 1; step <= panes.length; step++) {
    const next = at === -1 ? (direction === 1 ? step - 1 : panes.length - step) : at + direction * step;
    if (enter(panes[((next % panes.length) + panes.length) % panes.length]!)) return;
  }
}

export function focusGrid(): void {
  // After the page that holds it was rendered.
  requestAnimationFrame(() =>
    document.querySelector<HTMLElement>('[data-pane="records"] [role="grid"] [tabindex="0"]')?.focus(),
  );
}

export function focusSearch(): void {
  requestAnimationFrame(() => {
    const input = document.querySelector<HTMLInputElement>('#search');
    input?.focus();
    input?.select();
  });
}

export function focusEditor(): void {
  requestAnimationFrame(() => {
    document.dispatchEvent(new CustomEvent('velescope-focus-editor'));
  });
}

/** The tab the right pane shows, for F2 and Enter from the grid. */
export function focusDetail(): void {
  document.querySelector<HTMLElement>('[data-pane="detail"] [data-pane-entry]')?.focus();
}
