import { Modal } from '../../components/modal.tsx';
import { COMMAND_GROUPS, COMMANDS, keyWords } from './commands.ts';

/** Keys that belong to a place rather than to a command. */
const PLACES: readonly { place: string; keys: readonly [string, string][] }[] = [
  {
    place: 'In the records',
    keys: [
      ['Arrows', 'one cell'],
      ['Home, End', 'first, last cell of the row'],
      ['Mod+Home, Mod+End', 'first, last cell of the data'],
      ['Page Up, Page Down', 'one screen'],
      ['Enter, F2', 'edit, and F2 or Escape back'],
      ['Shift+Arrows', 'extend the selection'],
      ['Shift+Space', 'select the row'],
      ['Mod+Space', 'select the column'],
      ['Mod+A', 'select all'],
      ['Mod+C', 'copy'],
      ['Enter, Space', 'sort, on a header'],
      ['Delete', 'delete the record'],
    ],
  },
  {
    place: 'In the map of the log',
    keys: [
      ['Arrows, Page Up, Page Down', 'move'],
      ['Enter', 'go there'],
      ['D', 'next damage'],
    ],
  },
  {
    place: 'In the tree',
    keys: [
      ['Enter, F2', 'edit the value'],
      ['Shift+F2', 'rename the key'],
      ['Shift+Enter', 'change the type'],
      ['Insert', 'add'],
      ['Mod+D', 'duplicate'],
      ['Alt+Up, Alt+Down', 'move'],
      ['Delete', 'delete'],
      ['Mod+C', 'copy the value'],
      ['letters', 'go to the key that begins so'],
      ['*', 'open all beside it'],
      ['Shift+F10', 'all of this as a menu'],
    ],
  },
  {
    place: 'In the code',
    keys: [
      ['Mod+F', 'find in this payload'],
      ['Escape, Tab', 'leave the editor'],
      ['Mod+Alt+[', 'fold'],
    ],
  },
];

export function KeysDialog({ onClose }: { onClose: () => void }) {
  return (
    <Modal title="Keys" size="wide" onClose={onClose}>
      <div className="keys-list">
        {COMMAND_GROUPS.map((group) => {
          const commands = COMMANDS.filter((command) => command.group === group && (command.keys || command.shownKeys));
          if (commands.length === 0) return null;
          return (
            <section key={group} aria-label={group}>
              <h3>{group}</h3>
              <dl>
                {commands.map((command) => (
                  <Line
                    key={command.id}
                    what={command.title}
                    keys={(command.keys ?? [command.shownKeys!]).map(keyWords).join(', ')}
                  />
                ))}
              </dl>
            </section>
          );
        })}
        {PLACES.map(({ place, keys }) => (
          <section key={place} aria-label={place}>
            <h3>{place}</h3>
            <dl>
              {keys.map(([key, what]) => (
                <Line key={key} what={what} keys={key.split(', ').map(keyWords).join(', ')} />
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Modal>
  );
}

function Line({ what, keys }: { what: string; keys: string }) {
  return (
    <>
      <dt>{what}</dt>
      <dd>
        <kbd>{keys}</kbd>
      </dd>
    </>
  );
}
