import { useEffect, useState, useSyncExternalStore } from 'react';
import { DEFAULT_GENERATION, jsonReaderOf } from '../../../core/generation.ts';
import type { DifferenceKind } from '../../../core/json/differences.ts';
import { displayText } from '../../../core/json/layout.ts';
import type { JsonReader } from '../../../core/json/number.ts';
import { type Reading, readAs } from '../../../core/json/reading.ts';
import type { RecordDetail, StoredDraft } from '../../../shared/protocol.ts';
import { formatBytes, formatNoun } from '../../components/format.ts';
import { Icon } from '../../components/icon.tsx';
import { VisibleText } from '../../components/visible-text.tsx';
import { report } from '../../state/application.ts';
import { documentOf, type PayloadDocument } from '../../state/documents.ts';
import { textOf } from '../../state/editing.ts';
import { PLAIN_FROM } from '../../state/plain.ts';
import { useSession } from '../../state/session-state.ts';
import { LARGE_FROM, payloadWork } from '../../work/work.ts';
import { CodeDifference, CodeText } from './code-view.tsx';

const KIND_WORDS: Readonly<Record<DifferenceKind, string>> = {
  'duplicate-key-dropped': 'Duplicate key dropped',
  'number-changed': 'Number changed',
  'number-respelled': 'Number written otherwise',
  'keys-reordered': 'Keys reordered',
  'escape-changed': 'String escaped otherwise',
  whitespace: 'White space left out',
};
const SHOWN_DIFFERENCES = 200;

/** Live beside the text: refused and why, or what comes back, with each difference. Never applied unasked. */
export function VelesdbTab({ record, draft }: { record: RecordDetail | null; draft: StoredDraft | null }) {
  const id = draft?.id ?? record?.id;
  const edited = id !== undefined && (draft !== null || record?.state === 'live') ? documentOf(id) : null;
  const kept = draft?.text ?? (record ? textOf(record) : null);
  const text = useEditedText(edited, kept);
  const [asked, setAsked] = useState<string | null>(null);

  if (record && record.kind !== 'store' && !draft) return <p className="muted">There is no payload to read here.</p>;
  if (text === undefined) return <p className="muted">Reading…</p>;
  if (text === null) {
    return record?.payload?.encoding === 'binary' ? (
      <Refused message="the payload is not UTF-8" />
    ) : record?.payload?.encoding === 'large' ? (
      <p className="muted">This payload is {formatBytes(record.payload.bytes)}: too large to look at here.</p>
    ) : (
      <p className="muted">There is no payload to read here.</p>
    );
  }
  if (text.length >= PLAIN_FROM && asked !== text) {
    return (
      <div className="callout">
        <p>This payload has {formatNoun(text.length, 'character')}. Reading it as VelesDB does takes a moment.</p>
        <div>
          <button type="button" className="button" onClick={() => setAsked(text)}>
            Read it
          </button>
        </div>
      </div>
    );
  }
  return <ReadingOf text={text} crcFails={record?.verdict === 'crc-mismatch' && !draft} />;
}

function ReadingOf({ text, crcFails }: { text: string; crcFails: boolean }) {
  const reader = useSession((state) => jsonReaderOf(state.summary?.view ?? DEFAULT_GENERATION));
  const reading = useReading(text, reader);
  if (!reading) return <p className="muted">Reading…</p>;
  if (reading.state === 'refused') return <Refused message={reading.message} />;
  return (
    <>
      {crcFails ? (
        <div className="callout warning">
          <h3>
            <Icon name="warning" /> VelesDB skips this record
          </h3>
          <p>Its CRC does not hold, so replay leaves it out. Below is what the text alone would be read as.</p>
        </div>
      ) : null}
      {reading.state === 'same' ? (
        <>
          <div className="callout good">
            <h3>
              <Icon name="check" />{' '}
              {crcFails ? 'The text alone is JSON that VelesDB reads' : 'VelesDB reads exactly this'}
            </h3>
            <p>Writing it back would give the same bytes.</p>
          </div>
          <CodeText inline text={text.length < PLAIN_FROM ? displayText(text) : text} label="As VelesDB reads it" />
        </>
      ) : (
        <Differs before={text} reading={reading} />
      )}
    </>
  );
}

function Refused({ message }: { message: string }) {
  return (
    <div className="callout danger">
      <h3>
        <Icon name="cross" /> VelesDB refuses this payload
      </h3>
      <p>
        <VisibleText text={message} />
      </p>
      <p>To an application it looks as if the record had no payload, or were not there.</p>
    </div>
  );
}

function Differs(props: { before: string; reading: Extract<Reading, { state: 'differs' }> }) {
  const { before } = props;
  const { list, after } = props.reading;
  const changes = list.some((entry) => entry.kind === 'number-changed' || entry.kind === 'duplicate-key-dropped');
  return (
    <>
      <div className={changes ? 'callout warning' : 'callout'}>
        <h3>
          <Icon name={changes ? 'warning' : 'info'} />
          {changes ? 'VelesDB reads something else' : 'VelesDB reads the same values and writes them otherwise'}
        </h3>
        <p>
          {list.length > SHOWN_DIFFERENCES ? `More than ${SHOWN_DIFFERENCES} places` : formatNoun(list.length, 'place')}{' '}
          where what comes back differs from the text. Velescope saves the text as it stands.
        </p>
      </div>
      <div className="card scroll-x">
        <table className="table">
          <thead>
            <tr>
              <th scope="col">What</th>
              <th scope="col">Where</th>
              <th scope="col">Stored</th>
              <th scope="col">Read</th>
            </tr>
          </thead>
          <tbody>
            {list.slice(0, SHOWN_DIFFERENCES).map((entry) => (
              <tr key={`${entry.kind} ${entry.start} ${entry.pointer}`}>
                <td>{KIND_WORDS[entry.kind]}</td>
                <td className="mono">
                  <VisibleText text={entry.pointer || '(whole)'} />
                </td>
                <td className="mono">
                  <VisibleText text={entry.stored} />
                </td>
                <td className="mono">
                  <VisibleText text={entry.read} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {before.length < PLAIN_FROM ? (
        <CodeDifference
          before={displayText(before)}
          after={displayText(after)}
          label="Stored text against what VelesDB reads"
        />
      ) : null}
    </>
  );
}

const READING_DELAY_MILLISECONDS = 150;

function useReading(text: string, reader: JsonReader): Reading | null {
  const [found, setFound] = useState<{ of: string; reader: JsonReader; reading: Reading } | null>(null);
  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    const read = async () => {
      const params = { text, reader, limit: SHOWN_DIFFERENCES + 1 };
      const large = text.length >= LARGE_FROM;
      const reading = large
        ? await payloadWork.run('read', params, { signal })
        : readAs(params.text, params.reader, params.limit);
      if (!signal.aborted) setFound({ of: text, reader, reading });
    };
    const timer = setTimeout(() => void read().catch(report), READING_DELAY_MILLISECONDS);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [text, reader]);
  return found && found.of === text && found.reader === reader ? found.reading : null;
}

const NEVER = () => () => {};

/** The text as it will be stored, while it is being edited; `kept` where it is not. Undefined until a large one was put together. */
function useEditedText(document: PayloadDocument | null, kept: string | null): string | null | undefined {
  const moment = useSyncExternalStore(document?.subscribe ?? NEVER, () => document?.moment ?? 0);
  const [edited, setEdited] = useState<{ document: PayloadDocument; moment: number; text: string } | null>(null);
  useEffect(() => {
    if (!document) return;
    let wanted = true;
    document.stored().then((text) => {
      if (wanted) setEdited({ document, moment, text });
    }, report);
    return () => {
      wanted = false;
    };
  }, [document, moment]);
  if (!document) return kept;
  return edited?.document === document && edited.moment === moment ? edited.text : undefined;
}
