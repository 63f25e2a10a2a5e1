import { type ErrorValue, fromErrorValue } from '../../shared/errors.ts';
import { report } from './application.ts';
import { useSession } from './session-state.ts';

/** Warnings come to all windows; those that never turn out to be of this one's session are forgotten. */
const MOST_KEPT = 32;
const early: { session: string; error: ErrorValue }[] = [];

/**
 * Shows a warning of the open session. One may come before the answer to opening it: what could not be read of its drafts is found on
 * the way. It waits for that.
 */
export function takeWarning(session: string, error: ErrorValue): void {
  if (session === useSession.getState().session) {
    report(fromErrorValue(error));
    return;
  }
  early.push({ session, error });
  if (early.length > MOST_KEPT) early.shift();
}

/** Shows what was said of a session before it was known to be this window's. */
export function showEarlyWarnings({ session }: { session: string | null }, before: { session: string | null }): void {
  if (session === before.session || early.length === 0) return;
  const own = early.filter((warning) => warning.session === session);
  if (session !== null) early.length = 0;
  for (const { error } of own) report(fromErrorValue(error));
}
