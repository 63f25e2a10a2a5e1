import { type ErrorValue, toErrorValue, VelescopeError } from '../../shared/errors.ts';
import type { ProtocolEvent, Summary } from '../../shared/protocol.ts';
import type { Connection } from '../connection/connect.ts';
import { call, setConnection } from '../connection/current.ts';
import { announce, announceFailure } from './announcements.ts';
import { useApplication } from './application.ts';
import { findAgain } from './directory.ts';
import { loadDrafts } from './drafts.ts';
import { hasWaitingEdits, resumeEdits } from './editing.ts';
import { moveSession, openCollection } from './session.ts';
import { useSession } from './session-state.ts';

/**
 * What is known of a way to the engine that broke: `silent` is one that still stands, and nothing comes back on it; at the others nobody
 * answers, one that was started anew answers and does not know this page, the way is being taken up again, or it is there and the
 * collection is not.
 */
export type LostState = 'silent' | 'unreachable' | 'another' | 'returning' | 'elsewhere';

/** How often is asked whether somebody answers again. */
const ASK_MILLISECONDS = 2_000;
/** An engine that says nothing for so long is busy with something that it should not be, or stopped. */
const SILENT_MILLISECONDS = 6_000;

export interface ConnectionCare {
  connect: () => Promise<Connection>;
  takeEvent: (event: ProtocolEvent) => void;
}

/**
 * Takes a connection for the window's own, and looks after it: says when it breaks or falls silent, and takes it up again by itself as
 * soon as the same engine answers. What is shown, and what was typed meanwhile, stays in the window: rejected is to load the page anew,
 * which loses every text that is not a draft yet, with its history of undo.
 */
export function careFor(connection: Connection, care: ConnectionCare): void {
  setConnection(connection);
  connection.client.onEvent(care.takeEvent);
  const over = new AbortController();
  connection.onLost((reason) => {
    over.abort();
    void comeBack(reason, care);
  });
  void listenFor(connection, over.signal);
}

/** Asks for a sign of life now and then. */
async function listenFor({ client }: Connection, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    await pause(ASK_MILLISECONDS);
    const late = setTimeout(() => {
      if (over.aborted) return;
      tell('silent', 'Velescope does not answer.');
      announceFailure('Velescope does not answer.');
    }, SILENT_MILLISECONDS);
    await client.call('app.info', {}).catch(() => {});
    clearTimeout(late);
    if (!over.aborted && useApplication.getState().lost?.state === 'silent') {
      useApplication.setState({ lost: null });
      announce('Velescope answers again.');
    }
  }
}

async function comeBack(reason: string, care: ConnectionCare): Promise<void> {
  tell('unreachable', reason);
  for (;;) {
    await pause(ASK_MILLISECONDS);
    const answer = await answerAt(`${window.location.origin}/`);
    if (answer !== 'ours') {
      tell(answer, reason);
      continue;
    }
    const connection = await care.connect().catch(() => null);
    if (!connection) continue;
    tell('returning', reason);
    careFor(connection, care);
    return goOn();
  }
}

/** Goes on over a new connection where the window was. */
async function goOn(): Promise<void> {
  const { session: before } = useSession.getState();
  let failure: ErrorValue | null = null;
  for (;;) {
    failure = await takeUpSession().then(
      () => null,
      (thrown: unknown) => toErrorValue(thrown),
    );
    // It broke once more, and is looked after from there.
    if (failure?.code === 'DISCONNECTED') return;
    if (failure === null || !hasWaitingEdits()) break;
    // A page that says what is wrong would take the place of the text, which is nowhere else.
    tell('elsewhere', failure.message);
    await pause(ASK_MILLISECONDS);
  }
  useApplication.setState({ lost: null });
  announce('Connected again.');
  if (failure) {
    useSession.setState({ failure });
    return;
  }
  await resumeEdits(before);
  await loadDrafts();
}

/** The same collection in a session of the new connection, in the place of the one that ended with the old. */
async function takeUpSession(): Promise<void> {
  const { session: before, collection, summary, failure } = useSession.getState();
  const database = await findAgain();
  if (!database || !collection) return;
  // By its name: one that was started anew calls it otherwise.
  const again = database.collections.find(({ name }) => name === collection.name);
  if (!again) throw new VelescopeError('NO_SUCH_COLLECTION', `${collection.name} is not listed any more.`);
  if (!before) {
    if (failure?.code === 'DISCONNECTED') await openCollection(database.database, again);
    return;
  }
  // It may not know yet that nobody is there, and has the journal of what was typed and the lock of a log that is written.
  await call('session.close', { session: before }).catch(() => {});
  const { view } = useApplication.getState();
  const opened = await call('session.open', { database: database.database, collection: again.collection, view });
  // Only once it is read: until then the rows that are shown have no numbers in it, and the record on the screen would go.
  const read = await untilRead(opened);
  const following = summary?.following ?? false;
  if (following) await call('session.setFollow', { session: opened.session, on: true });
  if (useSession.getState().session === before) {
    useSession.setState({ database: database.database, collection: again });
    await moveSession(following ? { ...read, following } : read);
  } else await call('session.close', { session: opened.session }).catch(() => {});
}

async function untilRead(opened: Summary): Promise<Summary> {
  let summary = opened;
  while (summary.phase === 'scanning') {
    await pause(200);
    summary = await call('session.summary', { session: opened.session });
  }
  if (summary.phase === 'failed' && summary.failure === null)
    throw new VelescopeError('INTERNAL', 'The collection could not be read.');
  return summary;
}

function tell(state: LostState, reason: string): void {
  useApplication.setState({ lost: { state, reason } });
}

/** Who answers at the page's address: nobody, the Velescope we were connected to, or one that was started anew and does not know us. */
async function answerAt(ownAddress: string): Promise<'unreachable' | 'ours' | 'another'> {
  try {
    const signal = AbortSignal.timeout(SILENT_MILLISECONDS);
    const { ok } = await fetch(ownAddress, { method: 'HEAD', cache: 'no-store', signal });
    return ok ? 'ours' : 'another';
  } catch {
    return 'unreachable';
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((done) => setTimeout(done, milliseconds));
}
