import { VIEWS } from '../../../core/generation.ts';
import { VIEW_WORDS } from '../../components/words.ts';
import { connection } from '../../connection/current.ts';
import { setTheme, showDialog, showPage, type Theme, useApplication } from '../../state/application.ts';
import { chooseDirectory, leaveDirectory, reloadCollections } from '../../state/directory.ts';
import { redoEdit, undoEdit } from '../../state/documents.ts';
import { useDrafts } from '../../state/drafts.ts';
import { undoDrop, useDropped } from '../../state/dropped-drafts.ts';
import { beginDelete, dropSelectedDraft, saveCurrent } from '../../state/editing.ts';
import { walkDamage } from '../../state/go-to.ts';
import { moveFullTextAside, removeSnapshot, trimTail } from '../../state/maintenance.ts';
import { cancelSearch, setChip, setOrder } from '../../state/records-list.ts';
import { showTab } from '../../state/selection.ts';
import { rescan, setDurability, setFollow, setView, setWriting } from '../../state/session.ts';
import { type Chip, type Tab, useSession } from '../../state/session-state.ts';
import { copyPath, useShownDocument } from '../../state/shown-document.ts';
import { undoLastWrite } from '../../state/undo-write.ts';
import { cyclePanes, focusEditor, focusGrid, focusSearch } from './focus.ts';

/** Something a person can do: in the menu, in the palette, often by a key. */
export interface Command {
  id: string;
  title: string;
  group: CommandGroup;
  /** `Mod` is Command on a Mac and Ctrl elsewhere. The first one is shown. */
  keys?: readonly string[];
  /** Keys that are handled where the focus is (grid, editor), shown only. */
  shownKeys?: string;
  enabled?: () => boolean;
  /** For switches and choices: whether it is on. */
  checked?: () => boolean;
  run: () => void;
}

export const COMMAND_GROUPS = ['File', 'Record', 'Go', 'View', 'Log', 'Help'] as const;
export type CommandGroup = (typeof COMMAND_GROUPS)[number];

const session = useSession.getState;
const application = useApplication.getState;
const hasSession = () => session().session !== null;
const hasRecord = () => session().selected !== null;
const hasDrafts = () => useDrafts.getState().drafts.size > 0;
const canWrite = () => hasSession() && application().info?.readOnly !== true;

const THEMES: readonly { theme: Theme; title: string }[] = [
  { theme: 'system', title: 'Theme: follow the system' },
  { theme: 'light', title: 'Theme: light' },
  { theme: 'dark', title: 'Theme: dark' },
  { theme: 'contrast', title: 'Theme: high contrast' },
];
const CHIPS: readonly { chip: Chip; title: string }[] = [
  { chip: 'all', title: 'Show all records' },
  { chip: 'live', title: 'Show live records' },
  { chip: 'damaged', title: 'Show damaged records' },
  { chip: 'drafts', title: 'Show drafts' },
];
const TABS: readonly { tab: Tab; title: string }[] = [
  { tab: 'payload', title: 'Payload' },
  { tab: 'velesdb', title: 'As VelesDB reads it' },
  { tab: 'history', title: 'History' },
  { tab: 'bytes', title: 'Bytes' },
  { tab: 'repair', title: 'Repair' },
];

export const COMMANDS: readonly Command[] = [
  { id: 'open', title: 'Open a directory…', group: 'File', keys: ['Mod+O'], run: () => void chooseDirectory() },
  {
    id: 'file.reload',
    title: 'Read the list of collections again',
    group: 'File',
    enabled: () => application().database !== null,
    run: () => void reloadCollections(),
  },
  {
    id: 'file.close',
    title: 'Close the directory',
    group: 'File',
    enabled: () => application().database !== null,
    run: () => void leaveDirectory(),
  },
  {
    id: 'export',
    title: 'Export records…',
    group: 'File',
    enabled: hasSession,
    run: () => showDialog({ name: 'export' }),
  },
  {
    id: 'import',
    title: 'Import records…',
    group: 'File',
    enabled: canWrite,
    run: () => showDialog({ name: 'import' }),
  },
  {
    id: 'report',
    title: 'Export the damage report…',
    group: 'File',
    enabled: hasSession,
    run: () => showDialog({ name: 'report' }),
  },

  {
    id: 'record.new',
    title: 'New record…',
    group: 'Record',
    keys: ['Alt+N'],
    enabled: canWrite,
    run: () => showDialog({ name: 'new-record' }),
  },
  {
    id: 'record.edit',
    title: 'Edit the payload',
    group: 'Record',
    keys: ['Mod+E'],
    enabled: hasRecord,
    run: () => {
      showPage('records');
      showTab('payload');
      focusEditor();
    },
  },
  {
    id: 'record.save',
    title: 'Write the draft of this record',
    group: 'Record',
    keys: ['Mod+S'],
    enabled: () => hasSession(),
    run: () => void saveCurrent(),
  },
  {
    id: 'record.delete',
    title: 'Delete this record…',
    group: 'Record',
    shownKeys: 'Delete',
    enabled: () => canWrite() && hasRecord(),
    run: () => void beginDelete(),
  },
  {
    id: 'record.drop-draft',
    title: 'Drop the draft of this record',
    group: 'Record',
    enabled: () => hasRecord() && hasDrafts(),
    run: () => void dropSelectedDraft(),
  },
  {
    id: 'changes.review',
    title: 'Review and write drafts…',
    group: 'Record',
    keys: ['Mod+Shift+S'],
    enabled: hasDrafts,
    run: () => showDialog({ name: 'review' }),
  },
  {
    id: 'record.undo-write',
    title: 'Undo the last write',
    group: 'Record',
    enabled: () => session().summary?.writing.undoable != null,
    run: () => void undoLastWrite(),
  },
  {
    id: 'edit.undo',
    title: 'Undo the last edit',
    group: 'Record',
    keys: ['Mod+Z'],
    enabled: () => hasRecord() || useDropped.getState().last !== null,
    run: () => {
      if (!undoDrop()) undoEdit();
    },
  },
  {
    id: 'edit.redo',
    title: 'Redo the edit',
    group: 'Record',
    keys: ['Mod+Shift+Z', 'Mod+Y'],
    enabled: hasRecord,
    run: redoEdit,
  },

  { id: 'find', title: 'Find', group: 'Go', keys: ['Mod+F'], enabled: hasSession, run: focusSearch },
  {
    id: 'goto',
    title: 'Go to an id or offset…',
    group: 'Go',
    keys: ['Mod+G'],
    enabled: hasSession,
    run: () => showDialog({ name: 'goto' }),
  },
  {
    id: 'go.path',
    title: 'Go to a path in the payload…',
    group: 'Go',
    keys: ['Mod+Shift+O'],
    enabled: hasRecord,
    run: () => {
      showPage('records');
      showTab('payload');
      showDialog({ name: 'goto-path' });
    },
  },
  {
    id: 'go.copy-path',
    title: 'Copy the path of the cursor',
    group: 'Go',
    enabled: () => useShownDocument.getState().document !== null,
    run: () => void copyPath(),
  },
  {
    id: 'damage.next',
    title: 'Next damage',
    group: 'Go',
    keys: ['F8'],
    enabled: hasSession,
    run: () => void walkDamage(1),
  },
  {
    id: 'damage.previous',
    title: 'Previous damage',
    group: 'Go',
    keys: ['Shift+F8'],
    enabled: hasSession,
    run: () => void walkDamage(-1),
  },
  { id: 'pane.next', title: 'Next pane', group: 'Go', keys: ['F6'], run: () => cyclePanes(1) },
  { id: 'pane.previous', title: 'Previous pane', group: 'Go', keys: ['Shift+F6'], run: () => cyclePanes(-1) },
  {
    id: 'records',
    title: 'Records',
    group: 'Go',
    keys: ['Alt+1'],
    enabled: hasSession,
    checked: () => application().page === 'records',
    run: () => {
      showPage('records');
      focusGrid();
    },
  },
  {
    id: 'triage',
    title: 'Triage',
    group: 'Go',
    keys: ['Alt+2'],
    enabled: hasSession,
    checked: () => application().page === 'triage',
    run: () => showPage('triage'),
  },
  {
    id: 'recovery',
    title: 'Recover…',
    group: 'Go',
    keys: ['Alt+3'],
    enabled: hasSession,
    checked: () => application().page === 'recovery',
    run: () => showPage('recovery'),
  },
  {
    id: 'go.cancel-search',
    title: 'Stop the running search',
    group: 'Go',
    enabled: () => session().querying || session().query?.complete === false,
    run: cancelSearch,
  },

  ...CHIPS.map(
    ({ chip, title }): Command => ({
      id: `view.chip-${chip}`,
      title,
      group: 'View',
      enabled: hasSession,
      checked: () => session().chip === chip,
      run: () => setChip(chip),
    }),
  ),
  {
    id: 'view.order-log',
    title: 'Sort in log order',
    group: 'View',
    enabled: hasSession,
    checked: () => session().order.by === 'offset',
    run: () => setOrder({ by: 'offset', direction: 'ascending' }),
  },
  {
    id: 'view.order-id',
    title: 'Sort by id',
    group: 'View',
    enabled: hasSession,
    checked: () => session().order.by === 'id',
    run: () => setOrder({ by: 'id', direction: 'ascending' }),
  },
  ...TABS.map(
    ({ tab, title }): Command => ({
      id: `view.tab-${tab}`,
      title: `Tab: ${title}`,
      group: 'View',
      enabled: hasRecord,
      checked: () => session().tab === tab,
      run: () => showTab(tab),
    }),
  ),
  ...VIEWS.map(
    (view): Command => ({
      id: `view.as-${view}`,
      title: `Read as ${VIEW_WORDS[view].short}`,
      group: 'View',
      enabled: hasSession,
      checked: () => session().summary?.view === view,
      run: () => void setView(view),
    }),
  ),
  ...THEMES.map(
    ({ theme, title }): Command => ({
      id: `view.theme-${theme}`,
      title,
      group: 'View',
      checked: () => application().theme === theme,
      run: () => void setTheme(theme),
    }),
  ),

  {
    id: 'log.writing',
    title: 'Writing',
    group: 'Log',
    enabled: canWrite,
    checked: () => session().summary?.writing.on ?? false,
    run: () => void setWriting(!(session().summary?.writing.on ?? false)),
  },
  {
    id: 'snapshot.create',
    title: 'Snapshot now…',
    group: 'Log',
    enabled: canWrite,
    run: () => showDialog({ name: 'snapshot' }),
  },
  {
    id: 'log.remove-snapshot',
    title: 'Move the snapshot aside',
    group: 'Log',
    enabled: () => canWrite() && session().summary?.snapshot.state !== 'absent',
    run: () => void removeSnapshot(),
  },
  ...(['fsync', 'flush', 'none'] as const).map(
    (durability): Command => ({
      id: `log.durability-${durability}`,
      title: `Durability: ${durability}`,
      group: 'Log',
      enabled: canWrite,
      checked: () => session().summary?.writing.durability === durability,
      run: () => setDurability(durability),
    }),
  ),
  {
    id: 'log.follow',
    title: 'Follow the log as it grows',
    group: 'Log',
    enabled: hasSession,
    checked: () => session().summary?.following ?? false,
    run: () => setFollow(!(session().summary?.following ?? false)),
  },
  { id: 'log.rescan', title: 'Scan again from the start', group: 'Log', enabled: hasSession, run: rescan },
  {
    id: 'log.trim-tail',
    title: 'Trim the tail',
    group: 'Log',
    enabled: () => canWrite() && (session().summary?.damage.tail ?? null) !== null,
    run: () => void trimTail(),
  },
  {
    id: 'log.full-text-aside',
    title: 'Move the full-text index aside',
    group: 'Log',
    enabled: () => canWrite() && (session().summary?.fullText.present ?? false),
    run: () => void moveFullTextAside(),
  },

  {
    id: 'palette',
    title: 'All commands…',
    group: 'Help',
    keys: ['Mod+K', 'Mod+Shift+P', 'F1'],
    run: () => showDialog({ name: 'palette' }),
  },
  { id: 'keys', title: 'Keys', group: 'Help', keys: ['?'], run: () => showDialog({ name: 'keys' }) },
];

/** Runs a command by its id, if there is one and it can run now. Returns whether it ran. */
export function runCommand(id: string): boolean {
  const command = COMMANDS.find((entry) => entry.id === id);
  if (!command || command.enabled?.() === false) return false;
  command.run();
  return true;
}

/** Keys in the words of the person's platform: "⌘S" or "Ctrl+S". */
export function keyWords(keys: string): string {
  const apple = connection()?.platform === 'darwin';
  if (!apple) return keys.replace('Mod', 'Ctrl');
  return keys.replace('Mod', '⌘').replace('Shift', '⇧').replace('Alt', '⌥').replaceAll('+', '');
}
