import { Icon } from '../../components/icon.tsx';
import { Menu, MenuCheck, MenuItem, MenuSeparator, SubMenu } from '../../components/menu.tsx';
import { COMMAND_GROUPS, COMMANDS, type Command, keyWords } from './commands.ts';
import { FOCUS_RETURN_MILLISECONDS } from './focus.ts';

/** Every command, by group: what is not found in a menu does not exist for many people. */
export function MainMenu() {
  return (
    <Menu
      trigger={
        <button type="button" className="button quiet icon-only" aria-label="Menu">
          <Icon name="menu" />
        </button>
      }
    >
      {COMMAND_GROUPS.map((group, index) => (
        <Group key={group} group={group} separated={index === COMMAND_GROUPS.length - 1} />
      ))}
    </Menu>
  );
}

function Group({ group, separated }: { group: (typeof COMMAND_GROUPS)[number]; separated: boolean }) {
  return (
    <>
      {separated ? <MenuSeparator /> : null}
      <SubMenu label={group}>
        {COMMANDS.filter((command) => command.group === group).map((command) => (
          <CommandItem key={command.id} command={command} />
        ))}
      </SubMenu>
    </>
  );
}

function CommandItem({ command }: { command: Command }) {
  const shown = command.keys?.[0] ?? command.shownKeys;
  const common = {
    disabled: command.enabled?.() === false,
    ...(shown ? { keys: keyWords(shown) } : {}),
    // After the menu gave the focus back: a command that moves it must come last.
    onSelect: () => setTimeout(command.run, FOCUS_RETURN_MILLISECONDS),
  };
  return command.checked ? (
    <MenuCheck {...common} checked={command.checked()}>
      {command.title}
    </MenuCheck>
  ) : (
    <MenuItem {...common}>{command.title}</MenuItem>
  );
}
