import { type FormEvent, useState } from 'react';
import { Modal } from '../../components/modal.tsx';
import { VisibleText } from '../../components/visible-text.tsx';
import { report } from '../../state/application.ts';
import { goToPath, useShownDocument } from '../../state/shown-document.ts';
import { afterDialog, focusEditor } from '../commands/focus.ts';

/** Ctrl/Cmd+Shift+O: to the value a path leads to, in the payload that is edited. */
export function GoToPathDialog({ onClose }: { onClose: () => void }) {
  const document = useShownDocument((state) => state.document);
  const [text, setText] = useState('$.');
  const [problem, setProblem] = useState<string | null>(null);
  const [looking, setLooking] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (looking) return;
    setLooking(true);
    const refusal = await goToPath(text).catch((thrown: unknown) => {
      report(thrown);
      return 'It could not be looked for.';
    });
    setLooking(false);
    setProblem(refusal);
    if (refusal !== null) return;
    onClose();
    // After the dialog gave the focus back to where it was.
    afterDialog(focusEditor);
  };
  return (
    <Modal title="Go to path" onClose={onClose} top>
      {document ? (
        <form className="field" onSubmit={(event) => void submit(event)}>
          <label htmlFor="goto-path">Path, as $.user.tags[0] or $["odd key"]</label>
          <input
            id="goto-path"
            className="input mono"
            autoComplete="off"
            spellCheck={false}
            aria-invalid={problem !== null}
            aria-describedby="goto-path-problem"
            value={text}
            onChange={(event) => {
              setText(event.target.value);
              setProblem(null);
            }}
          />
          <p id="goto-path-problem" role="alert" className="tone-danger">
            {problem === null ? null : <VisibleText text={problem} />}
          </p>
          <div className="row-of-buttons">
            <button type="submit" className="button primary" disabled={looking}>
              {looking ? 'Looking…' : 'Go'}
            </button>
          </div>
        </form>
      ) : (
        <p>Select a record whose payload can be edited: paths lead through the text in the editor.</p>
      )}
    </Modal>
  );
}
