import type { Text } from '@codemirror/state';
import { type ReactNode, useEffect, useState, useSyncExternalStore } from 'react';
import type { TextCheck } from '../../../core/json/check-text.ts';
import { displayText } from '../../../core/json/layout.ts';
import type { RecordDetail, StoredDraft } from '../../../shared/protocol.ts';
import { formatBytes, formatNoun, formatOffset } from '../../components/format.ts';
import { Icon } from '../../components/icon.tsx';
import { report, showDialog } from '../../state/application.ts';
import { checkDocument, quickCheck } from '../../state/document-check.ts';
import { type PayloadDocument, useDocuments } from '../../state/documents.ts';
import { documentFor, dropDraft, saveCurrent, stageText, textOf } from '../../state/editing.ts';
import { goTo } from '../../state/go-to.ts';
import { PLAIN_FROM } from '../../state/plain.ts';
import { showTab } from '../../state/selection.ts';
import { showDocument } from '../../state/shown-document.ts';
import { LARGE_FROM } from '../../work/work.ts';
import { keyWords } from '../commands/commands.ts';
import { CodeText, CodeView } from './code-view.tsx';
import { CursorPath } from './cursor-path.tsx';
import { DomainHints } from './domain-hints.tsx';
import { TreeView } from './tree-view.tsx';

/** The payload of the selected record: edited where it is its id's current one, else shown, with the way to bring it back. */
export function PayloadTab({ record, draft }: { record: RecordDetail | null; draft: StoredDraft | null }) {
  useDocuments((state) => state.generation);
  const belongs =
    draft !== null &&
    record?.provisional === undefined &&
    (record === null || record.state === 'live' || record.state === 'dead' || draft.base?.offset === record.offset);
  const shownDraft = belongs ? draft : null;
  const document = documentFor(record, shownDraft);

  if (shownDraft?.action === 'delete') {
    return (
      <div className="tab-panel padded">
        <div className="callout draft">
          <h3>
            <Icon name="dot" /> This record will be deleted
          </h3>
          <p>The delete is a draft: the log does not change before you write it.</p>
          <DraftButtons draft={shownDraft} />
        </div>
        {shownDraft.base?.text != null ? (
          <CodeText inline text={laidOutIfSmall(shownDraft.base.text)} label="What will be deleted" />
        ) : null}
      </div>
    );
  }
  if (document) return <Editor document={document} draft={shownDraft} />;
  if (!record) {
    return (
      <div className="detail-empty" aria-busy="true">
        <p>Reading…</p>
      </div>
    );
  }
  return <Shown record={record} />;
}

type Face = 'code' | 'tree';

function Editor({ document, draft }: { document: PayloadDocument; draft: StoredDraft | null }) {
  useSyncExternalStore(document.subscribe, () => document.moment);
  const [face, setFace] = useState<Face>('code');
  const settled = useSettled(document);
  useEffect(() => showDocument(document), [document]);
  if (!document.ready) {
    return (
      <div className="detail-empty" aria-busy="true">
        <p>Laying out a large payload…</p>
      </div>
    );
  }
  return (
    <>
      <div className="toolbar">
        <div className="segmented" role="radiogroup" aria-label="Editor">
          {(['code', 'tree'] as const).map((value) => (
            // biome-ignore lint/a11y/useSemanticElements: a segmented control of buttons, not of form inputs
            <button
              key={value}
              type="button"
              role="radio"
              aria-checked={face === value}
              disabled={value === 'tree' && document.plain}
              onClick={() => setFace(value)}
            >
              {value === 'code' ? 'Code' : 'Tree'}
            </button>
          ))}
        </div>
        <span className="muted">
          {document.plain
            ? 'plain: too large for colours and tree'
            : document.compact
              ? 'stored compact'
              : 'stored with white space of its own'}
        </span>
        <span className="spacer" />
        {draft ? (
          <DraftButtons draft={draft} />
        ) : (
          <span className="muted">{document.version > 0 ? 'As in the log' : ''}</span>
        )}
      </div>
      {draft?.conflict ? (
        <div className="banner danger">
          <Icon name="warning" className="tone-danger" />
          <p>This record changed in the log since the draft began.</p>
          <button type="button" className="button small" onClick={() => showDialog({ name: 'review' })}>
            Compare all three…
          </button>
        </div>
      ) : null}
      {face === 'tree' && !document.plain ? <TreeView document={document} /> : <CodeView document={document} />}
      <div className="editor-footer">
        <CheckWords check={settled?.check ?? null} />
        {settled && !document.plain && settled.doc.length < PLAIN_FROM ? <DomainHints doc={settled.doc} /> : null}
        <CursorPath document={document} />
      </div>
    </>
  );
}

function DraftButtons({ draft }: { draft: StoredDraft }) {
  return (
    <span className="row-of-buttons">
      <button type="button" className="button small" onClick={() => void dropDraft(draft.id)}>
        Drop the draft
      </button>
      <button type="button" className="button small primary" onClick={() => void saveCurrent()}>
        Write <kbd>{keyWords('Mod+S')}</kbd>
      </button>
    </span>
  );
}

const CHECK_DELAY_MILLISECONDS = 150;
const LARGE_CHECK_DELAY_MILLISECONDS = 700;

/** A text a moment after the last key, and what VelesDB says to it; null while a large one is being checked. */
interface Settled {
  doc: Text;
  check: TextCheck | null;
}

/** What one edits, a moment after the last key. Nothing here is done at each key: it costs by the size of the text. */
function useSettled(document: PayloadDocument): Settled | null {
  const [settled, setSettled] = useState<Settled | null>(null);
  const { moment } = document;
  useEffect(() => {
    if (moment < 0) return;
    const { doc } = document.state;
    const large = doc.length >= LARGE_FROM;
    const controller = new AbortController();
    if (large) setSettled((before) => (before && before.doc !== doc ? { ...before, check: null } : before));
    const check = () => {
      setSettled({ doc, check: quickCheck(doc) });
      if (!large) return;
      checkDocument(doc, controller.signal).then((found) => {
        if (!controller.signal.aborted) setSettled({ doc, check: found });
      }, report);
    };
    const timer = setTimeout(check, large ? LARGE_CHECK_DELAY_MILLISECONDS : CHECK_DELAY_MILLISECONDS);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [document, moment]);
  return settled;
}

function CheckWords({ check }: { check: TextCheck | null }) {
  if (!check) return <span className="muted">Checking…</span>;
  if (check.state === 'ok') {
    return (
      <span className="word tone-good">
        <Icon name="check" /> VelesDB reads this
      </span>
    );
  }
  return (
    <span className="word tone-danger">
      <Icon name="cross" /> VelesDB refuses this: {check.message}
    </span>
  );
}

/** A record that is not edited in place. */
function Shown({ record }: { record: RecordDetail }) {
  const text = textOf(record);
  const { id } = record;
  if (record.provisional === 'elsewhere') {
    return (
      <Explained
        title="The snapshot points elsewhere"
        text={`The snapshot lists id ${record.claimedId ?? ''} at ${formatOffset(record.offset)}, but no intact record of it is there. What the log holds for it shows when the scan is complete.`}
      />
    );
  }
  if (record.kind === 'gap') {
    return (
      <Explained
        title={record.verdict === 'zero-filled' ? 'Zeros' : 'Bytes that are no record'}
        text={`${formatNoun(record.length, 'byte')} between records. The Bytes tab shows them, the Repair tab what can be said of them.`}
      />
    );
  }
  if (record.kind === 'delete') {
    return (
      <Explained
        title={record.verdict === 'torn' ? 'A delete that was cut' : 'A delete'}
        text={`This record deletes id ${id ?? ''}. Its earlier versions are in the History tab and can be restored from there.`}
      >
        <button type="button" className="button" onClick={() => showTab('history')}>
          History
        </button>
      </Explained>
    );
  }
  if (text === null) {
    return (
      <Explained
        title={record.payload === null ? 'The payload is not all there' : 'Not text'}
        text={
          record.payload?.encoding === 'large'
            ? `This payload is ${formatBytes(record.payload.bytes)}: more than an editor holds. The Bytes tab reads it piece by piece.`
            : record.payload === null
              ? 'The file ends, or the framing breaks, before the payload does. The Bytes tab shows what is there.'
              : 'These bytes are not UTF-8, so they cannot be shown as text without inventing characters. The Bytes tab shows them.'
        }
      >
        <button type="button" className="button" onClick={() => showTab('bytes')}>
          Bytes
        </button>
        {id === undefined || record.provisional ? null : (
          <button
            type="button"
            className="button"
            onClick={() => void stageText(id, '{}', `A new payload for id ${id} is a draft.`)}
          >
            Replace as a draft
          </button>
        )}
      </Explained>
    );
  }
  const replaced = record.state === 'superseded';
  const provisional = record.provisional !== undefined;
  return (
    <>
      <div className="toolbar">
        <span className="muted">
          {provisional
            ? `Not yet verified: read where the snapshot says, ${record.format === 'legacy' ? 'a legacy record without CRC' : 'its CRC holds'}. A later version may follow; edit it once the scan has passed.`
            : replaced
              ? 'An older version.'
              : 'Shown as it is stored, not edited in place.'}
        </span>
        <span className="spacer" />
        {replaced && id !== undefined && record.versions > 1 ? (
          <button type="button" className="button small" onClick={() => void goTo({ by: 'id', id })}>
            Current version
          </button>
        ) : null}
        {id === undefined || provisional ? null : (
          <button
            type="button"
            className="button small"
            onClick={() =>
              void stageText(
                id,
                text,
                replaced ? `The older version of id ${id} is a draft.` : `The payload of id ${id} is a draft.`,
              )
            }
          >
            {replaced ? 'Restore as a draft' : 'Edit as a draft'}
          </button>
        )}
      </div>
      <CodeText text={laidOutIfSmall(text)} label={`Payload of id ${id ?? 'unknown'}`} />
      <div className="editor-footer">
        {record.verdict === 'crc-mismatch' ? (
          <span className="word tone-danger">
            <Icon name="cross" /> VelesDB skips this record: its CRC does not hold
          </span>
        ) : record.check?.state === 'ok' ? (
          <CheckWords check={{ state: 'ok' }} />
        ) : record.check ? (
          <CheckWords check={{ state: 'not-json', message: record.check.message ?? 'not JSON', from: 0 }} />
        ) : null}
      </div>
    </>
  );
}

/** Text to look at, indented where that takes no noticeable time. */
function laidOutIfSmall(text: string): string {
  return text.length < PLAIN_FROM ? displayText(text) : text;
}

function Explained({ title, text, children }: { title: string; text: string; children?: ReactNode }) {
  return (
    <div className="detail-empty">
      <h2>{title}</h2>
      <p>{text}</p>
      {children ? <div className="row-of-buttons">{children}</div> : null}
    </div>
  );
}
