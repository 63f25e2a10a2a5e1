import { type FormEvent, useState } from 'react';
import { checkText } from '../../../core/json/check-text.ts';
import { parseU64 } from '../../../core/u64.ts';
import { Modal } from '../../components/modal.tsx';
import { useDrafts } from '../../state/drafts.ts';
import { currentVersion, stageNew } from '../../state/editing.ts';

/** A new record: an id and a payload, staged as a draft. */
export function NewRecordDialog({ onClose }: { onClose: () => void }) {
  const [id, setId] = useState('');
  const [text, setText] = useState('{}');
  const [taken, setTaken] = useState<string | null>(null);
  const drafts = useDrafts((state) => state.drafts);
  const parsed = parseU64(id.trim());
  const idProblem = id === '' || parsed !== null ? null : 'An id is a whole number from 0 to 18446744073709551615.';
  const check = checkText(text);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (parsed === null || check.state !== 'ok') return;
    const key = parsed.toString();
    if (taken !== key && ((await currentVersion(key)) !== null || drafts.has(key))) {
      setTaken(key);
      return;
    }
    if (await stageNew(key, text)) onClose();
  };
  return (
    <Modal
      title="New record"
      description="It is a draft until you write it."
      onClose={onClose}
      footer={
        <>
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button
            type="submit"
            form="new-record"
            className="button primary"
            disabled={parsed === null || check.state !== 'ok'}
          >
            {taken === parsed?.toString() && taken !== null ? 'Replace it as a draft' : 'Keep as draft'}
          </button>
        </>
      }
    >
      <form id="new-record" className="field" onSubmit={(event) => void submit(event)}>
        <label htmlFor="new-id">Id</label>
        <input
          id="new-id"
          className="input mono"
          inputMode="numeric"
          autoComplete="off"
          value={id}
          aria-invalid={idProblem !== null}
          aria-describedby="new-id-problem"
          onChange={(event) => setId(event.target.value)}
        />
        <p id="new-id-problem" role="alert" className={idProblem ? 'tone-danger' : 'tone-warning'}>
          {idProblem ??
            (taken !== null && taken === parsed?.toString()
              ? `The log or a draft has id ${taken} already: this would replace it.`
              : null)}
        </p>
        <label htmlFor="new-text">Payload (JSON)</label>
        <textarea
          id="new-text"
          className="input mono"
          rows={10}
          spellCheck={false}
          value={text}
          aria-invalid={check.state !== 'ok'}
          aria-describedby="new-text-problem"
          onChange={(event) => setText(event.target.value)}
        />
        <p id="new-text-problem" role="status" className={check.state === 'ok' ? 'tone-good' : 'tone-danger'}>
          {check.state === 'ok' ? 'VelesDB reads this.' : `VelesDB refuses this: ${check.message}`}
        </p>
      </form>
    </Modal>
  );
}
