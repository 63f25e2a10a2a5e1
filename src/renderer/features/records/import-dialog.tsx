import { useState } from 'react';
import { formatBytes } from '../../components/format.ts';
import { Modal } from '../../components/modal.tsx';
import { VisibleText } from '../../components/visible-text.tsx';
import { showDialog } from '../../state/application.ts';
import {
  type ImportConflicts,
  type ImportMode,
  type ImportOutcome,
  importFile,
  outcomeWords,
  undoOfImport,
  useImport,
} from '../../state/importing.ts';
import { setWriting } from '../../state/session.ts';
import { useSession } from '../../state/session-state.ts';

const CONFLICT_WORDS: Readonly<Record<ImportMode, Readonly<Record<ImportConflicts, string>>>> = {
  batches: {
    overwrite: 'Overwrite what the log holds',
    skip: 'Skip ids the log holds',
    stop: 'Stop at the first such id',
  },
  drafts: {
    overwrite: 'Take them, in the place of drafts that are there',
    skip: 'Skip ids the log holds, and keep drafts that are there',
    stop: 'Stop at the first such id',
  },
};

/** NDJSON in, as drafts or straight as batches. */
export function ImportDialog({ onClose }: { onClose: () => void }) {
  const [file, setFile] = useState<File | null>(null);
  const [mode, setMode] = useState<ImportMode>('drafts');
  const [conflicts, setConflicts] = useState<ImportConflicts>('stop');
  const [cancelling, setCancelling] = useState(false);
  const { running, outcome } = useImport();
  const writingOn = useSession((state) => state.summary?.writing.on ?? false);
  // Of an import before this dialog was opened there is nothing to show, unless it still runs.
  useState(() => running ?? useImport.setState({ outcome: null }));

  const run = async () => {
    const { session } = useSession.getState();
    if (!session || !file) return;
    if (mode === 'batches' && !writingOn && !(await setWriting(true, () => showDialog({ name: 'import' })))) return;
    setCancelling(false);
    await importFile(session, file, mode, conflicts);
  };

  return (
    <Modal
      title="Import records"
      description='Lines of {"id":"1","payload":…}, as export and dump write them. Payload text is taken as it stands.'
      onClose={onClose}
      footer={
        <>
          {running ? (
            <button
              type="button"
              className="button"
              disabled={cancelling}
              onClick={() => {
                setCancelling(true);
                running.cancel();
              }}
            >
              {cancelling ? 'Cancelling…' : 'Cancel the import'}
            </button>
          ) : null}
          <button type="button" className="button" onClick={onClose}>
            Close
          </button>
          <button
            type="button"
            className="button primary"
            disabled={!file || running !== null}
            onClick={() => void run()}
          >
            {running ? `Importing ${running.percent} %` : 'Import'}
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
            Straight as batches
            <small>For many records: turns writing on, and writes them as they are read, one sync a batch.</small>
          </span>
        </label>
      </fieldset>
      <fieldset className="choice-list" style={{ border: 'none', padding: 0, margin: 0 }}>
        <legend>
          {mode === 'drafts' ? 'Ids that the log holds, or that have a draft already' : 'Ids that are there already'}
        </legend>
        {(Object.keys(CONFLICT_WORDS[mode]) as ImportConflicts[]).map((value) => (
          <label key={value} className="check">
            <input type="radio" name="conflicts" checked={conflicts === value} onChange={() => setConflicts(value)} />
            {CONFLICT_WORDS[mode][value]}
          </label>
        ))}
      </fieldset>
      {outcome ? <Outcome outcome={outcome} onUndo={onClose} /> : null}
    </Modal>
  );
}

/** What came of an import, and how to take it back. */
function Outcome({ outcome, onUndo }: { outcome: ImportOutcome; onUndo: () => void }) {
  const { end } = outcome;
  const undo = undoOfImport(outcome);
  const tone = end.is === 'done' ? 'good' : end.is === 'cancelled' ? '' : 'danger';
  const code = end.is === 'refused' ? end.code : end.is === 'failed' ? end.error.code : null;
  return (
    <div className={`callout ${tone}`} role="status">
      {outcomeWords(outcome).map((words) => (
        <p key={words}>
          <VisibleText text={words} />
        </p>
      ))}
      {code ? <code>{code}</code> : null}
      {end.is === 'failed' && end.error.next ? <p className="muted">{end.error.next}</p> : null}
      {undo ? (
        <button
          type="button"
          className="button small"
          onClick={() => {
            onUndo();
            void undo();
          }}
        >
          Undo the import
        </button>
      ) : null}
    </div>
  );
}
