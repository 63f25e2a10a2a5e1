// @vitest-environment happy-dom
import { beforeEach, expect, it, vi } from 'vitest';
import { afterDialog, editorIsWanted, focusEditor, focusGrid } from './focus.ts';

beforeEach(() => {
  vi.useFakeTimers();
  return () => vi.useRealTimers();
});

it('what moves the focus after a dialog gives way to what the person asked for meanwhile', () => {
  const moved = vi.fn();
  afterDialog(moved);
  focusEditor();
  vi.advanceTimersByTime(200);
  expect(moved).not.toHaveBeenCalled();
  afterDialog(moved);
  vi.advanceTimersByTime(200);
  expect(moved).toHaveBeenCalledTimes(1);
});

it('an editor that was asked for before it was there is wanted, until something else is or too late', () => {
  focusEditor();
  expect(editorIsWanted()).toBe(true);
  focusGrid();
  expect(editorIsWanted()).toBe(false);
  focusEditor();
  document.dispatchEvent(new Event('pointerdown'));
  expect(editorIsWanted()).toBe(false);
  focusEditor();
  vi.advanceTimersByTime(5_000);
  expect(editorIsWanted()).toBe(false);
});
