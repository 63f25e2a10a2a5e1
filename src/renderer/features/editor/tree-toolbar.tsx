import { Toolbar } from 'radix-ui';
import type { ReactNode } from 'react';
import { Tip } from '../../components/tip.tsx';
import { keyWords } from '../commands/commands.ts';

/** Something that can be done with the selected value: the same in the toolbar, in the menu and by its key. */
export interface TreeAction {
  label: string;
  /** For the toolbar, where room is scarce. */
  short: string;
  keys: string;
  run: () => void;
  /** Whether it can be done with the selected value. */
  can: boolean;
}

/** What can be done with the selected value. One tab stop; the arrow keys go on from there. */
export function TreeToolbar({ actions, children }: { actions: readonly TreeAction[]; children: ReactNode }) {
  return (
    <Toolbar.Root className="toolbar tree-toolbar" aria-label="Change the selected value">
      {actions.map(({ label, short, keys, run, can }) => (
        <Tip key={short} text={`${label} (${keyWords(keys)})`}>
          <Toolbar.Button
            className="button small"
            aria-label={short === 'Up' || short === 'Down' ? label : undefined}
            // Not `disabled`: a button that loses its focus by being pressed would drop it to the page.
            aria-disabled={!can}
            onClick={() => can && run()}
          >
            {short}
          </Toolbar.Button>
        </Tip>
      ))}
      {children}
    </Toolbar.Root>
  );
}
