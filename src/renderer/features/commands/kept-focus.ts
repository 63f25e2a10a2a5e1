import { FOCUS_RETURN_MILLISECONDS } from './focus.ts';

/** A moment longer than a dialog takes to give the focus back, and whatever moves it on purpose. */
const PATIENCE_MILLISECONDS = FOCUS_RETURN_MILLISECONDS + 20;

/**
 * Sees to it that the focus never ends on the body: an element that goes away or is disabled while it has the focus (a button of a page
 * that is left, a row's menu, a notice) drops it there, and whoever works by keyboard stands at the beginning of the document again.
 * Then it goes to the pane the element was in, or to the page.
 *
 * Watched in one place, and not seen to by each button that may vanish: the one that is forgotten is the one that matters. Returns
 * what ends it.
 */
export function keepFocus(root: HTMLElement): () => void {
  let last: HTMLElement | null = null;
  /** The pane of `last`, asked for while it was in one. */
  let pane: Element | null = null;
  let timer: ReturnType<typeof setTimeout> | null = null;

  const remember = (event: FocusEvent) => {
    if (!(event.target instanceof HTMLElement)) return;
    last = event.target;
    pane = last.closest('[data-pane]');
  };
  const isLost = () =>
    last !== null && document.activeElement === document.body && (!last.isConnected || last.matches(':disabled'));
  const rescue = () => {
    timer = null;
    if (!isLost() || document.querySelector('[role="dialog"], [role="menu"]')) return;
    const home = pane?.isConnected ? pane : (root.querySelector('main') ?? root.querySelector('[data-pane]'));
    const target =
      home?.querySelector<HTMLElement>('[data-pane-entry]:not([disabled])') ?? (home as HTMLElement | null);
    target?.focus({ preventScroll: true });
  };
  const observer = new MutationObserver(() => {
    if (timer === null && isLost()) timer = setTimeout(rescue, PATIENCE_MILLISECONDS);
  });

  document.addEventListener('focusin', remember);
  observer.observe(document.body, { childList: true, subtree: true, attributeFilter: ['disabled'] });
  return () => {
    document.removeEventListener('focusin', remember);
    observer.disconnect();
    if (timer !== null) clearTimeout(timer);
  };
}
