import type { MenuItemConstructorOptions } from 'electron';
import type { EXTERNAL_LINKS } from './external-links.ts';

/**
 * What the menu asks the window to do, by the names that the window's command palette knows them by. The window does them, so
 * that menu, palette and keys are one behaviour.
 */
export const MENU_COMMANDS = [
  'open',
  'record.new',
  'record.edit',
  'record.delete',
  'record.save',
  'changes.review',
  'export',
  'snapshot.create',
  'find',
  'goto',
  'damage.next',
  'damage.previous',
  'triage',
  'pane.next',
  'palette',
  'keys',
] as const;
export type MenuCommand = (typeof MENU_COMMANDS)[number];

/**
 * The application's menu. Its shortcuts are those that the page handles by itself as well: a key goes to the page first, and
 * reaches the menu only when the page did not take it, so none is done twice.
 *
 * @param platform `process.platform`
 * @param actions what the entries do
 */
export function menuTemplate(
  platform: NodeJS.Platform,
  developerTools: boolean,
  actions: {
    command(command: MenuCommand): void;
    newWindow(): void;
    openLink(link: keyof typeof EXTERNAL_LINKS): void;
  },
): MenuItemConstructorOptions[] {
  const mac = platform === 'darwin';
  const separator: MenuItemConstructorOptions = { type: 'separator' };
  const item = (label: string, command: MenuCommand, accelerator?: string): MenuItemConstructorOptions => ({
    label,
    ...(accelerator === undefined ? {} : { accelerator }),
    click: () => actions.command(command),
  });

  const template: MenuItemConstructorOptions[] = [
    {
      label: '&File',
      submenu: [
        item('Open Directory…', 'open', 'CmdOrCtrl+O'),
        { label: 'New Window', accelerator: 'CmdOrCtrl+Shift+N', click: () => actions.newWindow() },
        separator,
        item('Save Record', 'record.save', 'CmdOrCtrl+S'),
        item('Review and Write Changes…', 'changes.review', 'CmdOrCtrl+Shift+S'),
        item('Write Snapshot Now', 'snapshot.create'),
        separator,
        item('Export Records…', 'export'),
        separator,
        { role: mac ? 'close' : 'quit' },
      ],
    },
    {
      label: '&Edit',
      submenu: [
        { role: 'undo' },
        { role: 'redo' },
        separator,
        { role: 'cut' },
        { role: 'copy' },
        { role: 'paste' },
        { role: 'selectAll' },
        separator,
        item('Find…', 'find', 'CmdOrCtrl+F'),
        item('Go to Id or Offset…', 'goto', 'CmdOrCtrl+G'),
      ],
    },
    {
      label: '&Record',
      submenu: [
        item('New Record', 'record.new', 'CmdOrCtrl+N'),
        item('Edit Record', 'record.edit', 'CmdOrCtrl+E'),
        item('Delete Record', 'record.delete'),
        separator,
        item('Next Damaged Record', 'damage.next', 'F8'),
        item('Previous Damaged Record', 'damage.previous', 'Shift+F8'),
        item('Triage', 'triage'),
      ],
    },
    {
      label: '&View',
      submenu: [
        item('Command Palette…', 'palette', 'CmdOrCtrl+K'),
        item('Next Pane', 'pane.next', 'F6'),
        separator,
        { role: 'resetZoom' },
        { role: 'zoomIn' },
        { role: 'zoomOut' },
        { role: 'togglefullscreen' },
        ...(developerTools ? [separator, { role: 'reload' as const }, { role: 'toggleDevTools' as const }] : []),
      ],
    },
    { role: 'windowMenu' },
    {
      role: 'help',
      label: '&Help',
      submenu: [
        item('Keyboard Shortcuts', 'keys'),
        { label: 'VelesDB on GitHub', click: () => actions.openLink('velesdb') },
        ...(mac ? [] : [separator, { role: 'about' as const }]),
      ],
    },
  ];
  return mac ? [{ role: 'appMenu' }, ...template] : template;
}
