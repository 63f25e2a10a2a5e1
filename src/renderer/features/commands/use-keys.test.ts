import { describe, expect, test } from 'vitest';
import { COMMANDS } from './commands.ts';
import { pressedKeys } from './use-keys.ts';

const none = { ctrlKey: false, metaKey: false, altKey: false, shiftKey: false };

describe('pressed keys', () => {
  test('Ctrl is the modifier, and Command on a Mac', () => {
    expect(pressedKeys({ ...none, key: 's', code: 'KeyS', ctrlKey: true }, false)).toBe('Mod+S');
    expect(pressedKeys({ ...none, key: 's', code: 'KeyS', metaKey: true }, true)).toBe('Mod+S');
    expect(pressedKeys({ ...none, key: 's', code: 'KeyS', ctrlKey: true }, true)).not.toBe('Mod+S');
  });

  test('Shift counts with a modifier and with keys that print nothing', () => {
    expect(pressedKeys({ ...none, key: 'S', code: 'KeyS', ctrlKey: true, shiftKey: true }, false)).toBe('Mod+Shift+S');
    expect(pressedKeys({ ...none, key: 'F8', code: 'F8', shiftKey: true }, false)).toBe('Shift+F8');
    expect(pressedKeys({ ...none, key: '?', code: 'Slash', shiftKey: true }, false)).toBe('?');
  });

  test('with Alt the key itself counts, not what the layout prints', () => {
    expect(pressedKeys({ ...none, key: '˜', code: 'KeyN', altKey: true }, false)).toBe('Alt+N');
  });
});

describe('commands', () => {
  test('no two commands share an id or a key', () => {
    const ids = COMMANDS.map((command) => command.id);
    expect(new Set(ids).size).toBe(ids.length);
    const keys = COMMANDS.flatMap((command) => command.keys ?? []);
    expect(new Set(keys).size).toBe(keys.length);
  });
});
