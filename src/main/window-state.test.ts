import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadWindowState, placeWindow, SMALLEST_WINDOW, saveWindowState } from './window-state.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'velescope-window-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const display = { x: 0, y: 0, width: 1920, height: 1080 };
const second = { x: 1920, y: 0, width: 1280, height: 1024 };

describe('the window state on disk', () => {
  test('comes back as it was saved, also into a directory that is not there yet', () => {
    const file = join(directory, 'new', 'window.json');
    const state = { bounds: { x: 1, y: -2, width: 900, height: 700 }, maximized: true };
    saveWindowState(file, state);
    expect(loadWindowState(file)).toEqual(state);
  });

  test.each(['', '{', '[]', '{"bounds":{"x":0},"maximized":false}', '{"bounds":null}', '"x"'])(
    'that is broken (%s) counts as none',
    (text) => {
      const file = join(directory, 'broken.json');
      writeFileSync(file, text);
      expect(loadWindowState(file)).toBeNull();
    },
  );

  test('that cannot be written troubles nobody', () => {
    const file = join(directory, 'a-file');
    writeFileSync(file, '');
    expect(() => saveWindowState(join(file, 'window.json'), { bounds: display, maximized: false })).not.toThrow();
  });
});

describe('where a window opens', () => {
  const at = (bounds: typeof display) => ({ bounds, maximized: false });

  test('in a usual size without a place the first time, never larger than the display', () => {
    expect(placeWindow(null, [display])).toEqual({ width: 1440, height: 900 });
    expect(placeWindow(null, [{ ...display, width: 1024, height: 700 }])).toEqual({ width: 1024, height: 700 });
    expect(placeWindow(null, [])).toEqual({ width: 1440, height: 900 });
  });

  test('where it was, on any display that is still there', () => {
    const bounds = { x: 2000, y: 100, width: 1000, height: 800 };
    expect(placeWindow(at(bounds), [display, second])).toEqual(bounds);
  });

  test('not where a display was that is gone, nor with a corner only in sight', () => {
    expect(placeWindow(at({ x: 2000, y: 100, width: 1000, height: 800 }), [display])).not.toHaveProperty('x');
    expect(placeWindow(at({ x: 1900, y: 1070, width: 1000, height: 800 }), [display])).not.toHaveProperty('x');
  });

  test('no smaller than can be used, no larger than its display', () => {
    expect(placeWindow(at({ x: 0, y: 0, width: 100, height: 100 }), [display])).toMatchObject(SMALLEST_WINDOW);
    expect(placeWindow(at({ x: 0, y: 0, width: 9000, height: 9000 }), [display])).toMatchObject({
      width: 1920,
      height: 1080,
    });
  });
});
