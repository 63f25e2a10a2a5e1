import { useEffect, useMemo, useState } from 'react';
import { decodeUtf8 } from '../../../core/json/encode.ts';
import { CRC_SIZE, Marker, STORE_HEADER_SIZE } from '../../../core/record.ts';
import { type ErrorValue, toErrorValue } from '../../../shared/errors.ts';
import type { CandidateView, Damage, RecordDetail, Result } from '../../../shared/protocol.ts';
import { ErrorText } from '../../components/error-text.tsx';
import { formatCount, formatNoun, formatOffset } from '../../components/format.ts';
import { Icon } from '../../components/icon.tsx';
import { VisibleText } from '../../components/visible-text.tsx';
import { releasesOf } from '../../components/words.ts';
import { call } from '../../connection/current.ts';
import { announce } from '../../state/announcements.ts';
import { report, showPage } from '../../state/application.ts';
import { stageText } from '../../state/editing.ts';
import { goTo, walkDamage } from '../../state/go-to.ts';
import { runJob } from '../../state/jobs.ts';
import { useSession } from '../../state/session-state.ts';
import { fromBase64 } from '../bytes/byte-pieces.ts';
import { HexView } from '../bytes/hex-view.tsx';
import { keyWords } from '../commands/commands.ts';
import { takeAccepted, useAccepted } from './accepted.ts';

/** What is wrong with the selected record, what each generation makes of it, and what it was, proven by the CRC. */
export function RepairTab({ record }: { record: RecordDetail | null }) {
  const { session, summary } = useSession();
  const [damage, setDamage] = useState<{ row: number; damage: Damage | null } | null>(null);
  const [failure, setFailure] = useState<ErrorValue | null>(null);
  const row = record?.row ?? null;
  const revision = summary?.revision ?? 0;

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new revision is what makes the old answer stale
  useEffect(() => {
    if (!session || row === null) return;
    const controller = new AbortController();
    call('damage.at', { session, row }, { signal: controller.signal }).then(
      (found) => {
        setDamage({ row, damage: found });
        setFailure(null);
      },
      (thrown: unknown) => {
        const error = toErrorValue(thrown);
        if (error.code !== 'CANCELLED') setFailure(error);
      },
    );
    return () => controller.abort();
  }, [session, row, revision]);

  if (!record || !session || !summary) return <p className="muted">Nothing is selected.</p>;
  if (record.row === null) {
    return (
      <p className="muted">
        This row comes from the snapshot: the scan has not come here yet, and says then what is wrong, if anything is.
      </p>
    );
  }
  if (failure) return <ErrorText error={failure} title="The damage could not be explained" />;
  if (damage?.row !== row) return <p className="muted">Reading…</p>;
  if (!damage.damage) {
    return (
      <>
        <div className="callout good">
          <h3>
            <Icon name="check" /> Nothing to repair here
          </h3>
          <p>
            {record.verdict === 'unprotected'
              ? 'A legacy record has no CRC: nothing speaks against it, and nothing proves it.'
              : 'Framing and CRC hold, and VelesDB reads the payload.'}
          </p>
        </div>
        {summary.counts.damaged > 0 ? (
          <div className="row-of-buttons">
            <button type="button" className="button" onClick={() => void walkDamage(1)}>
              Next damage <kbd>{keyWords('F8')}</kbd>
            </button>
          </div>
        ) : null}
      </>
    );
  }
  return <Explained record={record} damage={damage.damage} session={session} />;
}

function Explained({ record, damage, session }: { record: RecordDetail; damage: Damage; session: string }) {
  const summary = useSession((state) => state.summary);
  const candidates = useCandidates(session, damage.row, summary?.revision ?? 0);
  const marks = useMemo(() => {
    const first = candidates?.value?.candidates[0];
    return new Set(first ? first.changes.flatMap((change) => bytesOf(change)) : []);
  }, [candidates]);
  const tone = damage.verdict === 'torn' || damage.verdict.startsWith('payload') ? 'warning' : 'danger';
  return (
    <>
      <div className={`callout ${tone}`}>
        <h3>
          <Icon name={tone === 'danger' ? 'cross' : 'warning'} /> {damage.title}
        </h3>
        <p>
          <VisibleText text={damage.explanation} />
        </p>
        {damage.hint ? (
          <p>
            <VisibleText text={damage.hint} />
          </p>
        ) : null}
      </div>
      <div className="row-of-buttons">
        <button type="button" className="button small" onClick={() => void walkDamage(-1)}>
          Previous <kbd>{keyWords('Shift+F8')}</kbd>
        </button>
        <button type="button" className="button small" onClick={() => void walkDamage(1)}>
          Next damage <kbd>{keyWords('F8')}</kbd>
        </button>
        <button type="button" className="button small" onClick={() => showPage('recovery')}>
          Recover…
        </button>
      </div>
      <div className="card">
        <HexView
          session={session}
          record={record}
          logBytes={summary?.log.bytes ?? 0}
          revision={summary?.revision ?? 0}
          marks={marks}
          rows={11}
        />
      </div>
      <dl className="facts-list">
        <dt>Record</dt>
        <dd>
          {damage.kind === 'gap' ? 'no record' : damage.kind}
          {record.format ? `, ${record.format} format` : ''}, {formatNoun(damage.length, 'byte')}
        </dd>
        {damage.id !== undefined || damage.claimedId !== undefined ? (
          <>
            <dt>{damage.id === undefined ? 'Claims to be' : 'Id'}</dt>
            <dd className="mono">{damage.id ?? damage.claimedId}</dd>
          </>
        ) : null}
        {record.crc ? (
          <>
            <dt>CRC</dt>
            <dd className="mono">
              stored {record.crc.stored.toUpperCase()}, computed {record.crc.computed.toUpperCase()}
            </dd>
          </>
        ) : null}
        {damage.foundBySearch ? (
          <>
            <dt>Found</dt>
            <dd>by search, after damage before it</dd>
          </>
        ) : null}
      </dl>
      {damage.consequences.length > 0 ? (
        <div className="card">
          <table className="table">
            <caption className="visually-hidden">What each VelesDB does here</caption>
            <tbody>
              {damage.consequences.map((entry) => (
                <tr key={entry.generation}>
                  <th scope="row">{releasesOf(entry.generation)}</th>
                  <td>
                    <VisibleText text={entry.text} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : null}
      {damage.possible.length > 0 ? (
        <section aria-label="Possible records">
          <h3>Possible records inside</h3>
          <p className="muted">
            Their CRC holds, but they may be text inside a payload. They are listed, never applied.
          </p>
          <ul>
            {damage.possible.map((entry) => (
              <li key={entry.offset} className="mono">
                {formatOffset(entry.offset)} · id {entry.id} · {formatCount(entry.length)} bytes
              </li>
            ))}
          </ul>
          {damage.morePossible > 0 ? (
            <p className="muted">
              and {formatCount(damage.morePossible)} more; <code>velescope verify --json</code> lists all
            </p>
          ) : null}
        </section>
      ) : null}
      <Candidates record={record} damage={damage} candidates={candidates} />
    </>
  );
}

interface Loaded {
  row: number;
  value: Result<'damage.candidates'> | null;
  failure: ErrorValue | null;
}

function useCandidates(session: string, row: number, revision: number): Loaded | null {
  const [loaded, setLoaded] = useState<Loaded | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new revision is what makes the old answer stale
  useEffect(() => {
    const controller = new AbortController();
    runJob('Looking for repairs', (cancelled, onProgress) => {
      cancelled.addEventListener('abort', () => controller.abort());
      return call('damage.candidates', { session, row }, { signal: controller.signal, onProgress });
    }).then(
      (value) => setLoaded({ row, value, failure: null }),
      (thrown: unknown) => {
        const error = toErrorValue(thrown);
        if (!controller.signal.aborted || error.code !== 'CANCELLED') setLoaded({ row, value: null, failure: error });
      },
    );
    return () => controller.abort();
  }, [session, row, revision]);
  return loaded?.row === row ? loaded : null;
}

function Candidates({
  record,
  damage,
  candidates,
}: {
  record: RecordDetail;
  damage: Damage;
  candidates: Loaded | null;
}) {
  const { accepted } = useAccepted();
  if (!candidates) return <p className="muted">Looking for what it was…</p>;
  if (candidates.failure) return <ErrorText error={candidates.failure} title="The search for repairs failed" />;
  const list = candidates.value?.candidates ?? [];
  const more = candidates.value?.more ?? 0;
  if (list.length === 0) {
    return (
      <p className="muted">
        No single change of a bit, of one or two neighbouring bytes, of the length or the marker makes the CRC hold:
        what it was cannot be proven. Recovery keeps the bytes as evidence.
      </p>
    );
  }
  const chosen = accepted.get(damage.row);
  return (
    <section className="card" aria-label="Candidates">
      {list.length + more > 1 ? (
        <div className="candidate">
          <p>
            <strong>{formatNoun(list.length + more, 'candidate')} fit.</strong> Only one can be what was written; those
            that leave valid JSON and a plausible id come first.
          </p>
        </div>
      ) : null}
      {list.map((candidate, index) => (
        <Candidate
          key={candidate.index}
          record={record}
          damage={damage}
          candidate={candidate}
          place={`${index + 1} of ${list.length + more}`}
          accepted={chosen === candidate.index}
        />
      ))}
    </section>
  );
}

function Candidate(props: {
  record: RecordDetail;
  damage: Damage;
  candidate: CandidateView;
  place: string;
  accepted: boolean;
}) {
  const { record, damage, candidate, place, accepted } = props;
  const [open, setOpen] = useState(false);
  const accept = async () => {
    const { session } = useSession.getState();
    if (!session) return;
    try {
      const result = await call('damage.accept', {
        session,
        row: damage.row,
        index: accepted ? null : candidate.index,
      });
      takeAccepted(result);
      announce(accepted ? 'Taken back.' : 'Accepted for the recovery plan.');
    } catch (thrown) {
      report(thrown);
    }
  };
  const keep = async () => {
    const text = await candidateText(record, candidate);
    if (text === null) {
      report(new Error('This candidate is not text: it can be accepted for recovery, not kept as a draft.'));
      return;
    }
    if (await stageText(candidate.id, text, `The repaired payload of id ${candidate.id} is a draft.`)) {
      await goTo({ by: 'row', row: damage.row });
    }
  };
  return (
    <div className="candidate">
      <p>
        Candidate {place}
        {candidate.provenByCrc ? ', proven by the stored CRC' : ''}: <VisibleText text={candidate.description} />
      </p>
      <p className="change">
        {candidate.changes.slice(0, 4).map((change) => (
          <span key={change.offset}>
            +{change.offset}: <del>{change.before}</del> → <ins>{change.after}</ins>{' '}
          </span>
        ))}
      </p>
      <p className="change">
        <VisibleText text={candidate.preview.slice(0, 240)} />
      </p>
      {candidate.leavesJson ? null : <p className="tone-warning">It does not leave JSON that VelesDB reads.</p>}
      <div className="row-of-buttons">
        <button
          type="button"
          className={accepted ? 'button' : 'button primary'}
          aria-pressed={accepted}
          onClick={() => void accept()}
        >
          {accepted ? 'Take back' : 'Accept for recovery'}
        </button>
        {candidate.mayBecomeDraft ? (
          <button type="button" className="button" onClick={() => void keep()}>
            Keep as draft
          </button>
        ) : null}
        <button type="button" className="button" aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? 'Hide difference' : 'Show difference'}
        </button>
      </div>
      {open ? <CandidateDifference record={record} candidate={candidate} /> : null}
    </div>
  );
}

/** Every changed byte, in its row of sixteen, before and after. */
function CandidateDifference({ record, candidate }: { record: RecordDetail; candidate: CandidateView }) {
  return (
    <div className="scroll-x">
      <table className="table">
        <thead>
          <tr>
            <th scope="col">Offset</th>
            <th scope="col">Stored</th>
            <th scope="col">Repaired</th>
          </tr>
        </thead>
        <tbody>
          {candidate.changes.map((change) => (
            <tr key={change.offset}>
              <td className="mono">{formatOffset(Number(record.offset) + change.offset)}</td>
              <td className="mono">
                <span className="deleted">{change.before}</span>
              </td>
              <td className="mono">
                <span className="inserted">{change.after}</span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The offsets of changed bytes in a segment. A change is hexadecimal text, two digits a byte. */
function bytesOf(change: CandidateView['changes'][number]): number[] {
  const count = Math.max(1, Math.ceil(change.before.replace(/\s/g, '').length / 2));
  return Array.from({ length: count }, (_, index) => change.offset + index);
}

/**
 * The payload text a candidate leaves: the log's bytes with its changes made, which may put in more or fewer bytes than they take
 * out; null when that is not UTF-8.
 */
async function candidateText(record: RecordDetail, candidate: CandidateView): Promise<string | null> {
  const { session } = useSession.getState();
  if (!session) return null;
  const changes = candidate.changes.map(({ offset, before, after }) => ({
    offset,
    removed: before.length / 2,
    inserted: fromHex(after),
  }));
  const grown = changes.reduce((sum, change) => sum + change.inserted.length - change.removed, 0);
  const { base64 } = await call('record.bytes', {
    session,
    offset: record.offset,
    length: candidate.length - grown,
  });
  const bytes = [...fromBase64(base64)];
  // From the last to the first: offsets are those of the unrepaired bytes.
  for (const change of changes.toSorted((a, b) => b.offset - a.offset)) {
    bytes.splice(change.offset, change.removed, ...change.inserted);
  }
  const end = bytes[0] === Marker.crcStore ? bytes.length - CRC_SIZE : bytes.length;
  return decodeUtf8(Uint8Array.from(bytes.slice(STORE_HEADER_SIZE, end)));
}

function fromHex(digits: string): number[] {
  return Array.from({ length: digits.length / 2 }, (_, index) =>
    Number.parseInt(digits.slice(index * 2, index * 2 + 2), 16),
  );
}
