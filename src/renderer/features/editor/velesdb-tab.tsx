import { useEffect, useState, useSyncExternalStore } from 'react';
import { DEFAULT_GENERATION, jsonReaderOf } from '../../../core/generation.ts';
import { canonicalize } from '../../../core/json/canonicalize.ts';
import { type Difference, type DifferenceKind, differences } from '../../../core/json/differences.ts';
import { decodeUtf8, encodeUtf8 } from '../../../core/json/encode.ts';
import { displayText } from '../../../core/json/layout.ts';
import type { JsonReader } from '../../../core/json/number.ts';
import type { RecordDetail, StoredDraft } from '../../../shared/protocol.ts';
import { formatBytes, formatNoun } from '../../components/format.ts';
import { Icon } from '../../components/icon.tsx';
import { VisibleText } from '../../components/visible-text.tsx';
import { documentOf, type PayloadDocument, PLAIN_FROM } from '../../state/documents.ts';
import { textOf } from '../../state/editing.ts';
import { useSession } from '../../state/session.ts';
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

/** What VelesDB makes of a text: refuses it, reads it as it is, or something else comes back. */
type Reading =
  | { state: 'refused'; message: string }
  | { state: 'same'; text: string }
  | { state: 'differs'; before: string; after: string; list: Difference[] };

function readAs(text: string, reader: JsonReader): Reading {
  const encoded = encodeUtf8(text);
  if (!encoded.ok) return { state: 'refused', message: 'a surrogate without its partner: no UTF-8 can stand for it' };
  const canonical = canonicalize(encoded.bytes, reader);
  if (!canonical.ok) return { state: 'refused', message: canonical.check.message };
  const after = decodeUtf8(canonical.bytes) ?? '';
  if (after === text) return { state: 'same', text };
  return { state: 'differs', before: text, after, list: differences(encoded.bytes, SHOWN_DIFFERENCES + 1, reader) };
}

/** Live beside the text: refused and why, or what comes back, with each difference. Never applied unasked. */
export function VelesdbTab({ record, draft }: { record: RecordDetail | null; draft: StoredDraft | null }) {
  const id = draft?.id ?? record?.id;
  const edited = id !== undefined && (draft !== null || record?.state === 'live') ? documentOf(id) : null;
  const text = useEditedText(edited) ?? draft?.text ?? (record ? textOf(record) : null);
  const [asked, setAsked] = useState<string | null>(null);

  if (record && record.kind !== 'store' && !draft) return <p className="muted">There is no payload to read here.</p>;
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
              <Icon name="check" /> VelesDB reads exactly this
            </h3>
            <p>Writing it back would give the same bytes.</p>
          </div>
          <CodeText
            inline
            text={reading.text.length < PLAIN_FROM ? displayText(reading.text) : reading.text}
            label="As VelesDB reads it"
          />
        </>
      ) : (
        <Differs reading={reading} />
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

function Differs({ reading }: { reading: Extract<Reading, { state: 'differs' }> }) {
  const { list, before, after } = reading;
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
  const [reading, setReading] = useState<{ of: string; reading: Reading } | null>(null);
  useEffect(() => {
    const timer = setTimeout(() => setReading({ of: text, reading: readAs(text, reader) }), READING_DELAY_MILLISECONDS);
    return () => clearTimeout(timer);
  }, [text, reader]);
  return reading?.reading ?? null;
}

const NEVER = () => () => {};

/** The text as it will be stored, while it is being edited. */
function useEditedText(document: PayloadDocument | null): string | null {
  useSyncExternalStore(document?.subscribe ?? NEVER, () => document?.version ?? 0);
  return document?.stored ?? null;
}
