import { toErrorValue } from '../../shared/errors.ts';
import type { ProtocolEvent, Summary } from '../../shared/protocol.ts';
import type { Connection } from '../connection/connect.ts';
import { call } from '../connection/current.ts';
import { runCommand } from '../features/commands/commands.ts';
import { followSession } from '../features/recovery/accepted.ts';
import { applyTheme, useApplication } from './application.ts';
import { loadRecents, showDatabase, takeHealth } from './directory.ts';
import { loadDrafts, useDrafts } from './drafts.ts';
import { showEarlyWarnings, takeWarning } from './early-warnings.ts';
import { flushEditsOnLeaving } from './editing.ts';
import { careFor } from './reconnecting.ts';
import { takeQueryEvent } from './records-list.ts';
import { takeSummary } from './session.ts';
import { useSession } from './session-state.ts';

/** Connects the window to the engine and shows what it was started with. Never rejects: what fails is shown. */
export async function start(connect: () => Promise<Connection>): Promise<void> {
  try {
    const connection = await connect();
    careFor(connection, { connect, takeEvent });
    useSession.subscribe(followSession);
    useSession.subscribe(showEarlyWarnings);
    flushEditsOnLeaving(window);
    const [info, settings] = await Promise.all([call('app.info', {}), call('settings.get', {})]);
    applyTheme(settings.theme);
    const initial = await call('directory.initial', {}).catch((thrown: unknown) => {
      useApplication.setState({ failure: { title: 'This directory cannot be opened', error: toErrorValue(thrown) } });
      return null;
    });
    const { theme, view, detailWidth } = settings;
    useApplication.setState({ info, theme, view, detailWidth });
    await loadRecents();
    if (initial) await showDatabase(initial);
  } catch (thrown) {
    useApplication.setState({ failure: { title: 'Velescope cannot be reached', error: toErrorValue(thrown) } });
  }
}

function takeEvent(event: ProtocolEvent): void {
  switch (event.event) {
    case 'session':
      takeSession(event.summary);
      return;
    case 'query':
      if (event.session === useSession.getState().session) takeQueryEvent(event);
      return;
    case 'drafts':
      if (event.session === useSession.getState().session) void loadDrafts();
      return;
    case 'warning':
      takeWarning(event.session, event.error);
      return;
    case 'health':
      takeHealth(event.database, event.collection, event.health);
      return;
    case 'command':
      runCommand(event.command);
      return;
    case 'opened':
      void showDatabase(event.database);
  }
}

/** Whether a draft conflicts depends on what the log holds: drafts are asked for again when it is known whole, and when it moved on. */
function takeSession(summary: Summary): void {
  const { session, summary: before } = useSession.getState();
  takeSummary(summary);
  if (session !== summary.session || summary.phase === 'scanning' || useDrafts.getState().drafts.size === 0) return;
  if (before?.phase === 'scanning' || before?.revision !== summary.revision) void loadDrafts();
}
