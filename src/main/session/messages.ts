import type { ErrorValue } from '../../shared/errors.ts';
import type { CallProgress, ProtocolEvent, Summary } from '../../shared/protocol.ts';
import type { SessionMethod } from './handlers.ts';

/** What a session is started with. */
export interface WorkerStart {
  session: string;
  directory: string;
  collectionName: string;
  settingsDirectory: string;
  readOnly: boolean;
  view: string;
}

export type ToWorker =
  | { type: 'start'; start: WorkerStart }
  | { type: 'call'; call: number; method: SessionMethod; params: unknown; path: string | null }
  | { type: 'cancel'; call: number }
  | { type: 'close' };

export type FromWorker =
  | { type: 'started'; summary: Summary }
  | { type: 'failed'; error: ErrorValue }
  | { type: 'result'; call: number; value: unknown }
  | { type: 'error'; call: number; error: ErrorValue }
  | { type: 'progress'; call: number; progress: CallProgress }
  | { type: 'event'; event: ProtocolEvent }
  | { type: 'closed' };
