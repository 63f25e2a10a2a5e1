import { ContextMenu } from 'radix-ui';
import type { ReactElement } from 'react';
import { keyWords } from '../commands/commands.ts';
import type { TreeAction } from './tree-toolbar.tsx';

/** The same as the toolbar where the pointer is, or by Shift+F10; each with its key, so that one learns it. Not modal, as all our menus. */
export function TreeMenu(props: { actions: readonly TreeAction[]; onClosed: () => void; children: ReactElement }) {
  const { actions, onClosed, children } = props;
  return (
    <ContextMenu.Root modal={false}>
      <ContextMenu.Trigger asChild>{children}</ContextMenu.Trigger>
      <ContextMenu.Portal>
        <ContextMenu.Content
          className="menu"
          collisionPadding={8}
          loop
          aria-label="The selected value"
          // An edit puts the focus into its field, everything else on the line: neither is where the menu was opened.
          onCloseAutoFocus={(event) => {
            event.preventDefault();
            onClosed();
          }}
        >
          {actions.map(({ label, keys, run, can }) => (
            <ContextMenu.Item key={label} className="menu-item" disabled={!can} onSelect={run}>
              <span className="menu-mark" />
              <span className="menu-text">{label}</span>
              <kbd>{keyWords(keys)}</kbd>
            </ContextMenu.Item>
          ))}
        </ContextMenu.Content>
      </ContextMenu.Portal>
    </ContextMenu.Root>
  );
}
