import { useState } from 'react';
import { VelescopeError } from '../../../shared/errors.ts';
import { formatBytes, formatCount, formatNoun } from '../../components/format.ts';
import { Modal } from '../../components/modal.tsx';
import { VIEW_WORDS } from '../../components/words.ts';
import { call } from '../../connection/current.ts';
import { notify, report } from '../../state/application.ts';
import { runJob } from '../../state/jobs.ts';
import { useSession } from '../../state/session-state.ts';
import { useGridSelection } from './grid-selection.ts';

const SELECTION_LIMIT = 100_000;
type What = 'everything' | 'filter' | 'selection';

/** NDJSON out: everything, what the filter shows, or the selected rows; ids as strings, payload text as stored. */
export function ExportDialog({ onClose }: { onClose: () => void }) {
  const { query, summary, search, chip } = useSession();
  const { range } = useGridSelection();
  const selected = range ? Math.abs(range.head - range.anchor) + 1 : 0;
  const filtered = search.kind === 'filter' || chip !== 'all';
  const [what, setWhat] = useState<What>(selected > 1 ? 'selection' : filtered ? 'filter' : 'everything');
  if (!summary || !query) return null;
  const choices: readonly { what: What; label: string; hint: string; off: boolean }[] = [
    {
      what: 'everything',
      label: 'Everything live',
      hint: `${formatNoun(summary.counts.live, 'record')}, as ${VIEW_WORDS[summary.view].short} holds them`,
      off: false,
    },
    { what: 'filter', label: 'What the grid shows', hint: formatNoun(query.total, 'row'), off: chip === 'drafts' },
    {
      what: 'selection',
      label: 'The selected rows',
      hint:
        selected > SELECTION_LIMIT
          ? `${formatCount(selected)} are more than ${formatCount(SELECTION_LIMIT)}: use a filter`
          : formatNoun(selected, 'row'),
      off: selected === 0 || selected > SELECTION_LIMIT || chip === 'drafts',
    },
  ];
  return (
    <Modal
      title="Export records"
      description="One JSON object a line: the id as a string, the payload's text as it is stored. It can be imported again."
      onClose={onClose}
      footer={
        <>
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button
            type="button"
            className="button primary"
            onClick={() => {
              onClose();
              void run(what);
            }}
          >
            Export…
          </button>
        </>
      }
    >
      <fieldset className="choice-list" style={{ border: 'none', padding: 0, margin: 0 }}>
        <legend className="visually-hidden">What to export</legend>
        {choices.map((choice) => (
          <label key={choice.what} className="choice">
            <input
              type="radio"
              name="export"
              checked={what === choice.what}
              disabled={choice.off}
              onChange={() => setWhat(choice.what)}
            />
            <span>
              {choice.label}
              <small>{choice.hint}</small>
            </span>
          </label>
        ))}
      </fieldset>
    </Modal>
  );
}

async function run(what: What): Promise<void> {
  const { session, query } = useSession.getState();
  if (!session || !query) return;
  try {
    const rows = what === 'selection' ? await selectedRows(session, query.name) : null;
    const result = await runJob('Export', (signal, onProgress) =>
      call(
        'export.records',
        { session, query: what === 'everything' ? null : query.name, rows },
        { signal, onProgress },
      ),
    );
    if (!result) return;
    const words = `Exported ${formatNoun(result.records, 'record')}, ${formatBytes(result.bytes)}${result.path ? `, to ${result.path}` : ''}.`;
    notify({ tone: 'good', text: words });
    if (result.download) download(`/download/${encodeURIComponent(result.download)}`);
  } catch (thrown) {
    report(thrown);
  }
}

/** The table rows of the selected positions, fetched a page at a time. */
async function selectedRows(session: string, query: string): Promise<number[]> {
  const { range } = useGridSelection.getState();
  if (!range) return [];
  const from = Math.min(range.anchor, range.head);
  const to = Math.max(range.anchor, range.head);
  const rows: number[] = [];
  for (let at = from; at <= to; at += 1_000) {
    const page = await call('records.page', { session, query, from: at, count: Math.min(1_000, to - at + 1) });
    for (const { row } of page.rows) {
      if (row === null) {
        throw new VelescopeError(
          'NOT_ALLOWED',
          'Some of the selected rows come from the snapshot and are not verified yet.',
          {
            next: 'Export them once the scan is complete.',
          },
        );
      }
      rows.push(row);
    }
  }
  return rows;
}

/** Browser door: the file is ready under an address of our own origin. */
function download(address: string): void {
  const link = document.createElement('a');
  link.href = address;
  link.download = '';
  link.click();
}
