import { create } from 'zustand';
import type { View } from '../../core/generation.ts';
import { type ErrorValue, toErrorValue } from '../../shared/errors.ts';
import type { Database, Result } from '../../shared/protocol.ts';
import { call } from '../connection/current.ts';
import { announceFailure } from './announcements.ts';
import type { LostState } from './reconnecting.ts';

export type Theme = Result<'settings.get'>['theme'];
export type Page = 'records' | 'triage' | 'recovery';

/** The dialog that is open; one at a time. */
export type OpenDialog =
  | { name: 'palette' }
  | { name: 'keys' }
  | { name: 'goto' }
  | { name: 'goto-path' }
  | { name: 'places' }
  | { name: 'review' }
  | { name: 'new-record' }
  | { name: 'delete-record'; id: string }
  | { name: 'undo-write'; figures: Result<'writing.previewUndo'> }
  | { name: 'writing'; refusal: ErrorValue | null; next: (() => void) | null }
  | { name: 'snapshot' }
  | { name: 'export' }
  | { name: 'import' }
  | { name: 'report' }
  | { name: 'outcome'; view: View; outcome: 'live' | 'unreadable' | 'lost' | 'stale' | 'resurrected' | 'wrong' };

export interface Notice {
  serial: number;
  tone: 'good' | 'plain' | 'danger';
  text: string;
  next?: string;
  action?: { label: string; run: () => void };
}

export interface ApplicationState {
  /** Null until the engine answered. */
  info: Result<'app.info'> | null;
  theme: Theme;
  view: View;
  recents: Result<'directory.recents'>;
  database: Database | null;
  /** Something that must be said instead of any page: the engine cannot be reached, a directory does not open. */
  failure: { title: string; error: ErrorValue } | null;
  opening: boolean;
  page: Page;
  dialog: OpenDialog | null;
  notices: Notice[];
  /** Width of the record's pane in pixels, where the person moved its edge. */
  detailWidth: number | null;
  /** The way to the engine broke, or nothing comes back on it. */
  lost: { state: LostState; reason: string } | null;
}

export const useApplication = create<ApplicationState>(() => ({
  info: null,
  theme: 'system',
  view: 'v3.12',
  recents: [],
  database: null,
  failure: null,
  opening: false,
  page: 'records',
  dialog: null,
  notices: [],
  detailWidth: null,
  lost: null,
}));

export function showDialog(dialog: OpenDialog): void {
  useApplication.setState({ dialog });
}

export function closeDialog(): void {
  useApplication.setState({ dialog: null });
}

export function showPage(page: Page): void {
  useApplication.setState({ page });
}

/** Keeps the width that the person gave the record's pane; null for the one it has by itself. */
export function keepDetailWidth(detailWidth: number | null): void {
  useApplication.setState({ detailWidth });
  void call('settings.set', { detailWidth }).catch(() => {});
}

let serial = 0;
const NOTICE_MILLISECONDS = 8_000;

/** Shows a notice; good and plain ones leave by themselves, failures stay until they are dismissed. */
export function notify(notice: Omit<Notice, 'serial'>): void {
  const entry = { ...notice, serial: ++serial };
  // What is said again takes the place of what was said: four times the same sentence says no more than once.
  const others = useApplication
    .getState()
    .notices.filter(({ tone, text }) => tone !== entry.tone || text !== entry.text);
  useApplication.setState({ notices: [...others.slice(-3), entry] });
  if (entry.tone !== 'danger') setTimeout(() => dismiss(entry.serial), NOTICE_MILLISECONDS);
}

export function dismiss(which: number): void {
  useApplication.setState((state) => ({ notices: state.notices.filter((notice) => notice.serial !== which) }));
}

/** Shows what an action failed with; a cancelled one is no failure. */
export function report(thrown: unknown, options: { save?: boolean; action?: Notice['action'] } = {}): void {
  const error = toErrorValue(thrown);
  if (error.code === 'CANCELLED') return;
  notify({
    tone: 'danger',
    text: error.message,
    ...(error.next ? { next: error.next } : {}),
    ...(options.action ? { action: options.action } : {}),
  });
  if (options.save) announceFailure(`Not saved. ${error.message}`);
}

export function applyTheme(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

export async function setTheme(theme: Theme): Promise<void> {
  applyTheme(theme);
  useApplication.setState({ theme });
  await call('settings.set', { theme }).catch(report);
}
