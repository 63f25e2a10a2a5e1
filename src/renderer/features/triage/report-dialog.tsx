import { useState } from 'react';
import { Modal } from '../../components/modal.tsx';
import { call } from '../../connection/current.ts';
import { notify, report } from '../../state/application.ts';
import { useSession } from '../../state/session-state.ts';

type Format = 'json' | 'markdown';

/** The damage report as a file. It leaves payload text out: reports get mailed. */
export function ReportDialog({ onClose }: { onClose: () => void }) {
  const session = useSession((state) => state.session);
  const [format, setFormat] = useState<Format>('markdown');
  const run = async () => {
    if (!session) return;
    try {
      const { fileName, text } = await call('report.render', { session, format });
      save(fileName, text, format === 'json' ? 'application/json' : 'text/markdown');
      notify({ tone: 'good', text: `The report is ready: ${fileName}.` });
      onClose();
    } catch (thrown) {
      report(thrown);
    }
  };
  return (
    <Modal
      title="Export the damage report"
      description="What was found, what each VelesDB makes of it, and the evidence. Payload text is left out."
      onClose={onClose}
      footer={
        <>
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button type="button" className="button primary" onClick={() => void run()}>
            Export…
          </button>
        </>
      }
    >
      <div className="choice-list" role="radiogroup" aria-label="Format">
        <label className="choice">
          <input type="radio" name="format" checked={format === 'markdown'} onChange={() => setFormat('markdown')} />
          <span>
            Markdown<small>For people</small>
          </span>
        </label>
        <label className="choice">
          <input type="radio" name="format" checked={format === 'json'} onChange={() => setFormat('json')} />
          <span>
            JSON<small>As the verify command prints it</small>
          </span>
        </label>
      </div>
    </Modal>
  );
}

/** Hands a text to the person as a file. */
function save(fileName: string, text: string, type: string): void {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement('a');
  link.href = address;
  link.download = fileName;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
