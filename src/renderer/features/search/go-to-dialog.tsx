import { type FormEvent, useState } from 'react';
import { Modal } from '../../components/modal.tsx';
import { goTo } from '../../state/go-to.ts';
import { useSession } from '../../state/session-state.ts';
import { afterDialog, focusGrid } from '../commands/focus.ts';
import { parseTarget } from './parse-search.ts';

/** Ctrl/Cmd+G: to an id's current record, or to an offset. */
export function GoToDialog({ onClose }: { onClose: () => void }) {
  const [text, setText] = useState('');
  const [problem, setProblem] = useState<string | null>(null);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const target = parseTarget(text);
    if ('problem' in target) {
      setProblem(target.problem);
      return;
    }
    if (await goTo(target)) {
      onClose();
      // After the dialog gave the focus back to where it was.
      afterDialog(focusGrid);
    } else if (useSession.getState().summary?.phase === 'scanning') setProblem('The scan has not come there yet.');
    else setProblem(target.by === 'id' ? `No record has the id ${target.id}.` : 'Nothing lies at this offset.');
  };
  return (
    <Modal title="Go to" onClose={onClose} top>
      <form className="field" onSubmit={(event) => void submit(event)}>
        <label htmlFor="goto">Id, or offset as 0x1A2B</label>
        <input
          id="goto"
          className="input mono"
          autoComplete="off"
          spellCheck={false}
          aria-invalid={problem !== null}
          aria-describedby="goto-problem"
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setProblem(null);
          }}
        />
        <p id="goto-problem" role="alert" className="tone-danger">
          {problem}
        </p>
        <div className="row-of-buttons">
          <button type="submit" className="button primary">
            Go
          </button>
        </div>
      </form>
    </Modal>
  );
}
