import { Command as CommandMenu, defaultFilter } from 'cmdk';
import { useState } from 'react';
import { Icon } from '../../components/icon.tsx';
import { Modal } from '../../components/modal.tsx';
import { makeVisible } from '../../components/visible-text.tsx';
import { useApplication } from '../../state/application.ts';
import { selectCollection } from '../../state/directory.ts';
import { COMMAND_GROUPS, COMMANDS, keyWords } from './commands.ts';
import { FOCUS_RETURN_MILLISECONDS } from './focus.ts';

/** One line of the palette. */
interface Entry {
  key: string;
  title: string;
  group: string;
  /** What it is found by beside its title. */
  also: string;
  keys: string | undefined;
  on: boolean;
  enabled: boolean;
  run: () => void;
}

/** What is typed in full comes first, then what begins with it: "Records" is the page, before the exports of records. 0 hides. */
function rank(entry: Entry, typed: string): number {
  const title = entry.title.toLowerCase();
  const wanted = typed.trim().toLowerCase();
  if (title === wanted) return 3;
  if (title.startsWith(wanted)) return 2;
  return Math.max(
    defaultFilter(entry.title, wanted, [entry.group]),
    0.9 * defaultFilter(`${entry.also} ${entry.title}`, wanted, []),
  );
}

/** The best first; what cannot be run now after all that can. */
function found(entries: readonly Entry[], typed: string): Entry[] {
  return entries
    .map((entry) => ({ entry, score: rank(entry, typed) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => Number(b.entry.enabled) - Number(a.entry.enabled) || b.score - a.score)
    .map(({ entry }) => entry);
}

function useEntries(): Entry[] {
  const database = useApplication((state) => state.database);
  const commands = COMMANDS.filter((command) => command.id !== 'palette').map((command): Entry => {
    const { id, title, group, run } = command;
    const keys = command.keys?.[0] ?? command.shownKeys;
    const on = command.checked?.() ?? false;
    return { key: id, title, group, also: group, keys, on, enabled: command.enabled?.() !== false, run };
  });
  const collections = database && database.collections.length > 1 ? database.collections : [];
  return [
    ...commands,
    ...collections.map(({ collection, name }): Entry => {
      const title = `Open ${makeVisible(name)}`;
      const run = () => void selectCollection(collection);
      return {
        key: collection,
        title,
        group: 'Collections',
        also: 'collection',
        keys: undefined,
        on: false,
        enabled: true,
        run,
      };
    }),
  ];
}

/**
 * Every command, found by typing a part of its name. In groups until something is typed, then in one list: a group would hold its best
 * entry together with worse ones, above better ones of other groups.
 */
export function Palette({ onClose }: { onClose: () => void }) {
  const [typed, setTyped] = useState('');
  const entries = useEntries();
  const shown = typed.trim() === '' ? null : found(entries, typed);
  const item = (entry: Entry, hint: boolean) => (
    <CommandMenu.Item
      key={entry.key}
      value={entry.key}
      disabled={!entry.enabled}
      onSelect={() => {
        onClose();
        // After the dialog gave the focus back: a command that moves it must come last.
        setTimeout(entry.run, FOCUS_RETURN_MILLISECONDS);
      }}
    >
      <span className="menu-text">{entry.title}</span>
      {entry.on ? (
        <>
          <Icon name="check" />
          <span className="visually-hidden">, on</span>
        </>
      ) : null}
      {hint ? <span className="menu-hint">{entry.group}</span> : null}
      {entry.keys ? <kbd>{keyWords(entry.keys)}</kbd> : null}
    </CommandMenu.Item>
  );
  return (
    <Modal title="Commands" onClose={onClose} top hideHeader className="palette">
      <CommandMenu label="Commands" loop shouldFilter={false}>
        <CommandMenu.Input placeholder="Type a command…" autoFocus value={typed} onValueChange={setTyped} />
        <CommandMenu.List>
          {shown?.length === 0 ? <p className="palette-empty">No such command.</p> : null}
          {shown
            ? shown.map((entry) => item(entry, true))
            : [...COMMAND_GROUPS, 'Collections'].map((group) => {
                const members = entries.filter((entry) => entry.group === group);
                return members.length === 0 ? null : (
                  <CommandMenu.Group key={group} heading={group}>
                    {members.map((entry) => item(entry, false))}
                  </CommandMenu.Group>
                );
              })}
        </CommandMenu.List>
      </CommandMenu>
    </Modal>
  );
}
