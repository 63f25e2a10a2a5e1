import { Command as CommandMenu } from 'cmdk';
import { Icon } from '../../components/icon.tsx';
import { Modal } from '../../components/modal.tsx';
import { VisibleText } from '../../components/visible-text.tsx';
import { useApplication } from '../../state/application.ts';
import { selectCollection } from '../../state/directory.ts';
import { COMMAND_GROUPS, COMMANDS, keyWords } from './commands.ts';
import { FOCUS_RETURN_MILLISECONDS } from './focus.ts';

/** Every command, found by typing a part of its name. */
export function Palette({ onClose }: { onClose: () => void }) {
  const database = useApplication((state) => state.database);
  const run = (action: () => void) => {
    onClose();
    // After the dialog gave the focus back: a command that moves it must come last.
    setTimeout(action, FOCUS_RETURN_MILLISECONDS);
  };
  return (
    <Modal title="Commands" onClose={onClose} top hideHeader className="palette">
      <CommandMenu label="Commands" loop>
        <CommandMenu.Input placeholder="Type a command…" autoFocus />
        <CommandMenu.List>
          <CommandMenu.Empty>No such command.</CommandMenu.Empty>
          {COMMAND_GROUPS.map((group) => (
            <CommandMenu.Group key={group} heading={group}>
              {COMMANDS.filter((command) => command.group === group && command.id !== 'palette').map((command) => {
                const shown = command.keys?.[0] ?? command.shownKeys;
                return (
                  <CommandMenu.Item
                    key={command.id}
                    value={`${group} ${command.title}`}
                    disabled={command.enabled?.() === false}
                    onSelect={() => run(command.run)}
                  >
                    <span className="menu-text">{command.title}</span>
                    {command.checked?.() ? (
                      <>
                        <Icon name="check" />
                        <span className="visually-hidden">, on</span>
                      </>
                    ) : null}
                    {shown ? <kbd>{keyWords(shown)}</kbd> : null}
                  </CommandMenu.Item>
                );
              })}
            </CommandMenu.Group>
          ))}
          {database && database.collections.length > 1 ? (
            <CommandMenu.Group heading="Collections">
              {database.collections.map((collection) => (
                <CommandMenu.Item
                  key={collection.collection}
                  value={`Collection ${collection.name} ${collection.collection}`}
                  onSelect={() => run(() => void selectCollection(collection.collection))}
                >
                  <span className="menu-text">
                    Open <VisibleText text={collection.name} />
                  </span>
                </CommandMenu.Item>
              ))}
            </CommandMenu.Group>
          ) : null}
        </CommandMenu.List>
      </CommandMenu>
    </Modal>
  );
}
