import { useState } from 'react';
import { formatBytes, formatNoun, percent } from '../../components/format.ts';
import { Modal } from '../../components/modal.tsx';
import { call } from '../../connection/current.ts';
import { announce } from '../../state/announcements.ts';
import { report, showDialog } from '../../state/application.ts';
import { loadDrafts } from '../../state/drafts.ts';
import { runJob } from '../../state/jobs.ts';
import { setWriting, useSession } from '../../state/session.ts';
import { importPieces } from './import-pieces.ts';

type Mode = 'drafts' | 'batches';
type Conflicts = 'overwrite' | 'skip' | 'stop';
const CONFLICT_WORDS: Readonly<Record<Conflicts, string>> = {
  overwrite: 'Overwrite what the log holds',
  skip: 'Skip ids the log holds',
  stop: 'Stop at the first such id',
};

interface Outcome {
  applied: number;
  skipped: number;
  refused: { line: number; code: string; message: string } | null;
}

/** NDJSON in, as drafts or straight as batches. */
export function ImportDialog({ onClose }: { onClose: () => void }) {
  const [file, setFile] = useState<File | null>(null);
  const [mode, setMode] = useState<Mode>('drafts');
  const [conflicts, setConflicts] = useState<Conflicts>('stop');
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const [done, setDone] = useState<number | null>(null);
  const writingOn = useSession((state) => state.summary?.writing.on ?? false);

  const run = async () => {
    const { session } = useSession.getState();
    if (!session || !file) return;
    if (mode === 'batches' && !writingOn && !(await setWriting(true, () => showDialog({ name: 'import' })))) return;
    const total: Outcome = { applied: 0, skipped: 0, refused: null };
    setOutcome(null);
    setDone(0);
    try {
      await runJob('Import', async (signal, onProgress) => {
        for await (const piece of importPieces(file)) {
          const result = await call(
            'import.lines',
            { session, text: piece.text, mode, conflicts, firstLine: piece.firstLine },
            { signal },
          );
          total.applied += result.applied;
          total.skipped += result.skipped;
          total.refused = result.refused;
          onProgress({ done: piece.end, total: file.size });
          setDone(percent(piece.end, file.size));
          if (result.refused) break;
        }
      });
    } catch (thrown) {
      report(thrown, { save: true });
    }
    setDone(null);
    setOutcome(total);
    announce(`Import: ${formatNoun(total.applied, 'record')} taken.`);
    await loadDrafts();
  };

  return (
    <Modal
      title="Import records"
      description='Lines of {"id":"1","payload":…}, as export and dump write them. Payload text is taken as it stands.'
      onClose={onClose}
      footer={
        <>
          <button type="button" className="button" onClick={onClose}>
            Close
          </button>
          <button type="button" className="button primary" disabled={!file || done !== null} onClick={() => void run()}>
            {done === null ? 'Import' : `Importing ${done} %`}
          </button>
        </>
      }
    >
      <div className="field">
        <label htmlFor="import-file">File</label>
        <input
          id="import-file"
          type="file"
          accept=".ndjson,.jsonl,.json,application/x-ndjson"
          onChange={(event) => setFile(event.target.files?.[0] ?? null)}
        />
        {file ? <p className="muted">{formatBytes(file.size)}</p> : null}
      </div>
      <fieldset className="choice-list" style={{ border: 'none', padding: 0, margin: 0 }}>
        <legend>Take them</legend>
        <label className="choice">
          <input type="radio" name="mode" checked={mode === 'drafts'} onChange={() => setMode('drafts')} />
          <span>
            As drafts<small>Nothing is written until you review them.</small>
          </span>
        </label>
        <label className="choice">
          <input type="radio" name="mode" checked={mode === 'batches'} onChange={() => setMode('batches')} />
          <span>
            Straight as batches<small>For many records: written as they are read, one sync a batch.</small>
          </span>
        </label>
      </fieldset>
      <fieldset className="choice-list" style={{ border: 'none', padding: 0, margin: 0 }}>
        <legend>Ids that are there already</legend>
        {(Object.keys(CONFLICT_WORDS) as Conflicts[]).map((value) => (
          <label key={value} className="check">
            <input type="radio" name="conflicts" checked={conflicts === value} onChange={() => setConflicts(value)} />
            {CONFLICT_WORDS[value]}
          </label>
        ))}
      </fieldset>
      {outcome ? (
        <div className={outcome.refused ? 'callout danger' : 'callout good'} role="status">
          <p>
            {formatNoun(outcome.applied, 'record')} taken, {outcome.skipped} skipped.
          </p>
          {outcome.refused ? (
            <p>
              Stopped at line {outcome.refused.line}: {outcome.refused.message} <code>{outcome.refused.code}</code>
            </p>
          ) : null}
        </div>
      ) : null}
    </Modal>
  );
}
