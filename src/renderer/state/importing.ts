import { create } from 'zustand';
import { type ErrorValue, toErrorValue } from '../../shared/errors.ts';
import type { Params } from '../../shared/protocol.ts';
import { formatCount, formatNoun, percent } from '../components/format.ts';
import { call } from '../connection/current.ts';
import { importPieces } from '../features/records/import-pieces.ts';
import { announce } from './announcements.ts';
import { notify, useApplication } from './application.ts';
import { loadDrafts } from './drafts.ts';
import { takeBackDrafts } from './dropped-drafts.ts';
import { runJob } from './jobs.ts';
import { undoLastWrite } from './undo-write.ts';

export type ImportMode = Params<'import.lines'>['mode'];
export type ImportConflicts = Params<'import.lines'>['conflicts'];

/** How an import ended, and how far it came. */
export interface ImportOutcome {
  mode: ImportMode;
  applied: number;
  skipped: number;
  draftsReplaced: number;
  draftsKept: number;
  /** For taking drafts back. */
  change: string | null;
  /** Every line up to this one was taken or skipped. */
  lastLine: number;
  end:
    | { is: 'done' | 'cancelled' }
    | { is: 'refused'; line: number; code: string; message: string }
    /** Of these lines it is not known whether they were taken, where nobody answered. */
    | { is: 'failed'; error: ErrorValue; unknown: { from: number; to: number } | null };
}

/** The import that runs, or the last one of this window. It goes on when its dialog is closed. */
export const useImport = create<{
  running: { percent: number; cancel: () => void } | null;
  outcome: ImportOutcome | null;
}>(() => ({ running: null, outcome: null }));

let serial = 0;

/**
 * Imports a file, a piece at a time. It can be cancelled between two pieces: what was begun is waited for, so that it is known how far
 * it came. Never rejects.
 */
export async function importFile(
  session: string,
  file: Blob,
  mode: ImportMode,
  conflicts: ImportConflicts,
): Promise<ImportOutcome> {
  const outcome: ImportOutcome = {
    mode,
    applied: 0,
    skipped: 0,
    draftsReplaced: 0,
    draftsKept: 0,
    change: null,
    lastLine: 0,
    end: { is: 'done' },
  };
  const group = `import-${Date.now()}-${++serial}`;
  await runJob('Import', async (signal, onProgress, cancel) => {
    useImport.setState({ running: { percent: 0, cancel }, outcome: null });
    let asked: { from: number; to: number } | null = null;
    try {
      for await (const piece of importPieces(file)) {
        if (signal.aborted) {
          outcome.end = { is: 'cancelled' };
          return;
        }
        if ('refused' in piece) {
          outcome.end = { is: 'refused', ...piece.refused };
          return;
        }
        const { text, firstLine, lastLine, end } = piece;
        asked = { from: firstLine, to: lastLine };
        const result = await call('import.lines', { session, text, mode, conflicts, firstLine, group });
        asked = null;
        outcome.applied += result.applied;
        outcome.skipped += result.skipped;
        outcome.draftsReplaced += result.draftsReplaced;
        outcome.draftsKept += result.draftsKept;
        outcome.change = result.change ?? outcome.change;
        if (result.refused) {
          outcome.lastLine = result.refused.line - 1;
          outcome.end = { is: 'refused', ...result.refused };
          return;
        }
        outcome.lastLine = lastLine;
        onProgress({ done: end, total: file.size });
        useImport.setState({ running: { percent: percent(end, file.size), cancel } });
      }
    } catch (thrown) {
      const error = toErrorValue(thrown);
      // A piece that was refused as a whole is not taken; one that nobody answered for may be.
      const isUnknown = error.code === 'DISCONNECTED' || error.code === 'NO_SUCH_SESSION';
      outcome.end = { is: 'failed', error, unknown: isUnknown ? asked : null };
    }
  });
  useImport.setState({ running: null, outcome });
  announce(outcomeWords(outcome).join(' '));
  if (mode === 'drafts') await loadDrafts();
  tellWhereDialogIsClosed(outcome);
  return outcome;
}

function tellWhereDialogIsClosed(outcome: ImportOutcome): void {
  if (useApplication.getState().dialog?.name === 'import') return;
  const undo = undoOfImport(outcome);
  notify({
    tone: outcome.end.is === 'done' ? 'good' : outcome.end.is === 'cancelled' ? 'plain' : 'danger',
    text: outcomeWords(outcome).join(' '),
    ...(undo ? { action: { label: 'Undo', run: () => void undo() } } : {}),
  });
}

/** Takes back what an import took, all of it; null where it took nothing. */
export function undoOfImport({ mode, change, applied }: ImportOutcome): (() => Promise<void>) | null {
  if (applied === 0) return null;
  if (mode === 'batches') return undoLastWrite;
  return change === null ? null : () => takeBackDrafts(change);
}

/** What is said of an import: what was taken, and where and why it ended. */
export function outcomeWords(outcome: ImportOutcome): string[] {
  const { applied, skipped, draftsReplaced, draftsKept, lastLine, end } = outcome;
  const words = [`${formatNoun(applied, 'record')} taken, ${formatCount(skipped)} skipped.`];
  if (draftsReplaced > 0)
    words.push(`${formatNoun(draftsReplaced, 'draft')} that ${were(draftsReplaced)} there replaced.`);
  if (draftsKept > 0) words.push(`${formatNoun(draftsKept, 'draft')} that ${were(draftsKept)} there kept.`);
  if (end.is === 'cancelled') words.push(`Cancelled after line ${formatCount(lastLine)}: nothing behind it was taken.`);
  if (end.is === 'refused') words.push(`Stopped at line ${end.line}: ${end.message}`);
  if (end.is === 'failed') {
    words.push(
      end.unknown
        ? `Ended in the middle: ${end.error.message} Of lines ${end.unknown.from} to ${end.unknown.to} it is not known whether they were taken.`
        : `Stopped after line ${formatCount(lastLine)}: ${end.error.message}`,
    );
  }
  return words;
}

function were(count: number): string {
  return count === 1 ? 'was' : 'were';
}
