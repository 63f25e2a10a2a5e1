import { create } from 'zustand';
import type { Result } from '../../../shared/protocol.ts';
import { call } from '../../connection/current.ts';
import { report } from '../../state/application.ts';
import { type SessionState, useSession } from '../../state/session-state.ts';

/** Candidates that were accepted for the recovery plan: table row → index of the candidate. The engine holds the truth. */
export const useAccepted = create<{ accepted: ReadonlyMap<number, number> }>(() => ({ accepted: new Map() }));

export function takeAccepted({ accepted }: Result<'damage.accepted'>): void {
  useAccepted.setState({ accepted: new Map(accepted.map(({ row, index }) => [row, index])) });
}

/**
 * Follows the session: what is accepted belongs to one, outlives the window, and is known once the log has been read. Another
 * reading of the log gives its rows other numbers, so it is asked for after each.
 */
export function followSession(now: SessionState, before: SessionState): void {
  if (now.session !== before.session) takeAccepted({ accepted: [] });
  if (now.summary?.phase !== 'ready') return;
  if (now.session !== before.session || before.summary?.phase !== 'ready') void loadAccepted();
}

async function loadAccepted(): Promise<void> {
  const { session } = useSession.getState();
  if (!session) return;
  try {
    const result = await call('damage.accepted', { session });
    if (useSession.getState().session === session) takeAccepted(result);
  } catch (thrown) {
    report(thrown);
  }
}
