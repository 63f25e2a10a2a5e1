import { useEffect } from 'react';
import { connection } from '../../connection/current.ts';
import { useApplication } from '../../state/application.ts';
import { undoDrop } from '../../state/dropped-drafts.ts';
import { COMMANDS } from './commands.ts';

/** A pressed key in the notation of commands: "Mod+Shift+S", "F8", "?". */
export function pressedKeys(
  event: Pick<KeyboardEvent, 'key' | 'code' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey'>,
  apple: boolean,
): string {
  const modifier = apple ? event.metaKey : event.ctrlKey;
  // With Alt held, `key` is whatever the layout makes of it; the physical key is what the command means.
  const key = event.altKey && /^(Key|Digit)/.test(event.code) ? event.code.slice(-1) : event.key;
  const named = key.length === 1 ? key.toUpperCase() : key;
  const printable = key.length === 1 && !modifier && !event.altKey;
  return [modifier ? 'Mod' : '', event.altKey ? 'Alt' : '', event.shiftKey && !printable ? 'Shift' : '', named]
    .filter(Boolean)
    .join('+');
}

function isTyping(target: EventTarget | null): boolean {
  // An editor in a shadow root shows as its host here.
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable ||
      target.matches('input:not([type=checkbox], [type=radio]), textarea, select, .code-host'))
  );
}

/** Keys of commands, anywhere in the window. What an element handled itself, and what a dialog covers, is left alone. */
export function useKeys(): void {
  useEffect(() => {
    const byKeys = new Map(COMMANDS.flatMap((command) => (command.keys ?? []).map((keys) => [keys, command] as const)));
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing) return;
      const keys = pressedKeys(event, connection()?.platform === 'darwin');
      const command = byKeys.get(keys);
      if (!command) return;
      const { dialog } = useApplication.getState();
      // Drafts are dropped there, too.
      if (dialog?.name === 'review' && keys === 'Mod+Z' && !isTyping(event.target)) {
        event.preventDefault();
        undoDrop();
        return;
      }
      if (dialog !== null) {
        // Under a dialog nothing happens, but the browser's own Save or Open must not appear either.
        if (keys.startsWith('Mod+') && !isTyping(event.target)) event.preventDefault();
        return;
      }
      const typing = isTyping(event.target);
      if (typing && (!/^(Mod|Alt|F\d)/.test(keys.replace('Shift+', '')) || /^Mod\+(Shift\+)?[ZY]$/.test(keys))) return;
      event.preventDefault();
      if (command.enabled?.() !== false) command.run();
    };
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, []);
}
