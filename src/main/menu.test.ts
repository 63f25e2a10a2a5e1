import type { MenuItemConstructorOptions } from 'electron';
import { describe, expect, test } from 'vitest';
import { MENU_COMMANDS, menuTemplate } from './menu.ts';

function build(platform: NodeJS.Platform, developerTools = false) {
  const commands: string[] = [];
  const links: string[] = [];
  const template = menuTemplate(platform, developerTools, {
    command: (command) => commands.push(command),
    newWindow: () => commands.push('(new window)'),
    openLink: (link) => links.push(link),
  });
  const items = template.flatMap(({ submenu }) => (submenu as MenuItemConstructorOptions[] | undefined) ?? []);
  return { template, items, commands, links };
}

const click = (item: MenuItemConstructorOptions) => item.click?.({} as never, undefined, {} as never);

describe.each(['linux', 'darwin', 'win32'] as const)('the menu on %s', (platform) => {
  test('holds every command once, under a name', () => {
    const { items, commands } = build(platform);
    for (const item of items) click(item);
    expect(commands.filter((command) => command !== '(new window)').sort()).toEqual([...MENU_COMMANDS].sort());
    expect(items.every(({ label, role, type }) => label || role || type === 'separator')).toBe(true);
  });

  test('gives no key twice', () => {
    const accelerators = build(platform).items.flatMap(({ accelerator }) => accelerator ?? []);
    expect(accelerators.length).toBeGreaterThan(8);
    expect(new Set(accelerators).size).toBe(accelerators.length);
  });

  test('writes shortcuts with Command where that is the key, Ctrl elsewhere', () => {
    const accelerators = build(platform).items.flatMap(({ accelerator }) => accelerator ?? []);
    expect(accelerators.filter((key) => /^(Ctrl|Cmd|Command|Control)\+/.test(key))).toEqual([]);
    expect(accelerators).toContain('CmdOrCtrl+O');
    expect(accelerators).toContain('F8');
  });

  test('offers reloading and developer tools in development only', () => {
    const roles = (developerTools: boolean) => build(platform, developerTools).items.map(({ role }) => role);
    expect(roles(false)).not.toContain('toggleDevTools');
    expect(roles(false)).not.toContain('reload');
    expect(roles(true)).toContain('toggleDevTools');
  });
});

test('only macOS has an application menu, and closes windows where others quit', () => {
  expect(build('darwin').template[0]).toEqual({ role: 'appMenu' });
  expect(build('linux').template.some(({ role }) => role === 'appMenu')).toBe(false);
  expect(build('linux').items.some(({ role }) => role === 'quit')).toBe(true);
  expect(build('darwin').items.some(({ role }) => role === 'close')).toBe(true);
});

test('links are named, not spelled: the address comes from the list', () => {
  const { items, links } = build('linux');
  for (const item of items) click(item);
  expect(links).toEqual(['velesdb']);
});
