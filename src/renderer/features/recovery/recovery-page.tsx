import { useEffect, useState } from 'react';
import { type ErrorValue, toErrorValue } from '../../../shared/errors.ts';
import type { CallProgress, Plan, Policy, RecoveryResult, Result } from '../../../shared/protocol.ts';
import { ErrorText } from '../../components/error-text.tsx';
import { formatBytes, formatCount, formatNoun, formatOffset } from '../../components/format.ts';
import { Icon } from '../../components/icon.tsx';
import { Modal } from '../../components/modal.tsx';
import { VisibleText } from '../../components/visible-text.tsx';
import { POLICY_WORDS, VERDICT_WORDS } from '../../components/words.ts';
import { call } from '../../connection/current.ts';
import { announce, announceFailure } from '../../state/announcements.ts';
import { report, showDialog, showPage, useApplication } from '../../state/application.ts';
import { reloadCollections, showDatabase } from '../../state/directory.ts';
import { runJob } from '../../state/jobs.ts';
import { useSession } from '../../state/session-state.ts';
import { OutcomesTable } from '../triage/outcomes-table.tsx';
import { useAccepted } from './accepted.ts';

const POLICIES = Object.keys(POLICY_WORDS) as Policy[];

interface Choices {
  policy: Policy;
  compact: boolean;
  applyCandidates: boolean;
}

/** Getting everything back: choose, look at the dry run, apply into a new directory, put it in place. */
export function RecoveryPage() {
  const { session, summary, collection } = useSession();
  const accepted = useAccepted((state) => state.accepted.size);
  const readOnly = useApplication((state) => state.info?.readOnly === true);
  const [choices, setChoices] = useState<Choices>({ policy: 'salvage', compact: false, applyCandidates: false });
  const [plan, setPlan] = useState<Plan | null>(null);
  const [failure, setFailure] = useState<ErrorValue | null>(null);
  const [target, setTarget] = useState<{ target: string; path: string } | null>(null);
  const [name, setName] = useState(`${collection?.name ?? 'collection'}-recovered`);
  const [result, setResult] = useState<{ recovery: RecoveryResult; plan: string; inPlace: boolean } | null>(null);
  const [confirming, setConfirming] = useState(false);
  const [working, setWorking] = useState(false);
  const revision = summary?.revision ?? 0;

  // The dry run is the default view: it follows the choices by itself, and touches nothing.
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new revision or another accepted candidate makes another plan
  useEffect(() => {
    if (!session || result) return;
    const controller = new AbortController();
    setPlan(null);
    runJob('Dry run', (cancelled, onProgress) => {
      cancelled.addEventListener('abort', () => controller.abort());
      return call('recovery.plan', { session, ...choices }, { signal: controller.signal, onProgress });
    }).then(
      (next) => {
        setPlan(next);
        setFailure(null);
        announce(
          `Dry run: ${formatNoun(next.kept.records, 'record')} kept, ${formatNoun(next.leftOut.bytes, 'byte')} left out. Nothing was touched.`,
        );
      },
      (thrown: unknown) => {
        const error = toErrorValue(thrown);
        if (error.code !== 'CANCELLED') setFailure(error);
      },
    );
    return () => controller.abort();
  }, [session, choices, revision, accepted, result]);

  if (!session || !summary) return null;
  if (result) {
    return (
      <Done
        result={result.recovery}
        putInPlace={
          result.inPlace || readOnly
            ? null
            : (signal, onProgress) =>
                call('recovery.putInPlace', { session, plan: result.plan }, { signal, onProgress })
        }
        onBack={() => setResult(null)}
      />
    );
  }

  const choose = async () => {
    try {
      const chosen = await call('recovery.chooseTarget', { session, name });
      if (chosen) setTarget(chosen);
    } catch (thrown) {
      setFailure(toErrorValue(thrown));
    }
  };
  const apply = async (inPlace: boolean) => {
    if (!plan || (!inPlace && !target)) return;
    setWorking(true);
    setConfirming(false);
    try {
      const made = await runJob('Recovery', (signal, onProgress) =>
        inPlace
          ? call('recovery.applyInPlace', { session, plan: plan.plan }, { signal, onProgress })
          : call('recovery.apply', { session, plan: plan.plan, target: target!.target }, { signal, onProgress }),
      );
      setResult({ recovery: made, plan: plan.plan, inPlace });
      announce('Recovery done and verified.');
      void reloadCollections();
    } catch (thrown) {
      setFailure(toErrorValue(thrown));
      report(thrown, { save: true });
    } finally {
      setWorking(false);
    }
  };

  return (
    <main className="pane page-scroll" aria-label="Recovery" data-pane="recovery" tabIndex={-1}>
      <div className="page-body">
        <div className="page-title">
          <h1>Recover</h1>
          <span className="muted">The dry run below touches nothing.</span>
          <span className="spacer" />
          <button type="button" className="button" onClick={() => showPage('triage')}>
            Triage
          </button>
        </div>
        <section aria-labelledby="choose">
          <h2 id="choose">1. What to keep</h2>
          <div className="choice-list" role="radiogroup" aria-labelledby="choose">
            {POLICIES.map((policy) => (
              <label key={policy} className="choice">
                <input
                  type="radio"
                  name="policy"
                  checked={choices.policy === policy}
                  onChange={() => setChoices({ ...choices, policy })}
                />
                <span>
                  {POLICY_WORDS[policy].word}
                  <small>{POLICY_WORDS[policy].meaning}</small>
                </span>
              </label>
            ))}
          </div>
          <div className="choice-list" style={{ marginTop: '0.6rem' }}>
            <label className="check">
              <input
                type="checkbox"
                checked={choices.applyCandidates}
                onChange={(event) => setChoices({ ...choices, applyCandidates: event.target.checked })}
              />
              Repair what the CRC proves, where only one candidate fits
              {accepted > 0 ? ` (and the ${formatNoun(accepted, 'accepted candidate')}, in any case)` : ''}
            </label>
            <label className="check">
              <input
                type="checkbox"
                checked={choices.compact}
                onChange={(event) => setChoices({ ...choices, compact: event.target.checked })}
              />
              Compact: keep live records only
            </label>
          </div>
        </section>
        <section aria-labelledby="dry-run" aria-busy={plan === null && failure === null}>
          <h2 id="dry-run">2. Dry run</h2>
          {failure ? <ErrorText error={failure} title="Recovery stopped" /> : null}
          {plan ? <DryRun plan={plan} /> : failure ? null : <p className="muted">Planning…</p>}
        </section>
        <section aria-labelledby="apply">
          <h2 id="apply">3. Into a new directory</h2>
          <p className="muted">
            The result is written beside its evidence and a report, opened again, replayed as every VelesDB would, and
            compared with this plan before it says done. The original is not touched.
          </p>
          <div className="row-of-buttons">
            <label htmlFor="target-name">Name</label>
            <input
              id="target-name"
              className="input"
              style={{ width: '18rem' }}
              value={name}
              onChange={(event) => {
                setName(event.target.value);
                setTarget(null);
              }}
            />
            <button type="button" className="button" disabled={name === ''} onClick={() => void choose()}>
              Choose where…
            </button>
            {target ? (
              <span className="mono">
                <VisibleText text={target.path} />
              </span>
            ) : null}
          </div>
          <div className="row-of-buttons" style={{ marginTop: '0.6rem' }}>
            <button
              type="button"
              className="button primary"
              disabled={!plan?.met || !target || working}
              onClick={() => void apply(false)}
            >
              Recover to the new directory
            </button>
            <button
              type="button"
              className="button"
              disabled={!plan?.met || working}
              onClick={() => setConfirming(true)}
            >
              In place instead…
            </button>
          </div>
        </section>
      </div>
      {confirming && plan ? (
        <Modal
          title="Recover in place?"
          onClose={() => setConfirming(false)}
          footer={
            <>
              <button type="button" className="button" onClick={() => setConfirming(false)}>
                Cancel
              </button>
              <button type="button" className="button danger" onClick={() => void apply(true)}>
                Replace the log
              </button>
            </>
          }
        >
          <p>
            The recovered log replaces payloads.log under the lock of this database. The original is kept under a second
            name, the snapshot is removed first, and payloads.log exists at every instant.
          </p>
          <p>
            {formatNoun(plan.kept.records, 'record')} stay, {formatNoun(plan.leftOut.bytes, 'byte')} are left out and
            kept as evidence.
          </p>
        </Modal>
      ) : null}
    </main>
  );
}

function DryRun({ plan }: { plan: Plan }) {
  const share = (bytes: number) => (plan.inputBytes === 0 ? 0 : (bytes / plan.inputBytes) * 100);
  return (
    <>
      {plan.met ? null : (
        <div className="callout warning">
          <h3>
            <Icon name="warning" /> This policy writes nothing
          </h3>
          <p>{plan.refusal}</p>
        </div>
      )}
      <div className="figures">
        <div className="card figure">
          <div className="value">{formatCount(plan.kept.records)}</div>
          <div className="name">
            records kept, {formatCount(plan.kept.ids)} ids, {formatBytes(plan.kept.bytes)}
          </div>
        </div>
        <div className="card figure">
          <div className={plan.leftOut.bytes > 0 ? 'value tone-danger' : 'value'}>
            {formatCount(plan.leftOut.bytes)}
          </div>
          <div className="name">bytes left out, in {formatNoun(plan.leftOut.pieces, 'piece')}</div>
        </div>
        <div className="card figure">
          <div className="value">{formatCount(plan.compactedAway.records)}</div>
          <div className="name">records compacted away, {formatBytes(plan.compactedAway.bytes)}</div>
        </div>
        <div className="card figure">
          <div className="value">{formatCount(plan.candidatesApplied)}</div>
          <div className="name">records repaired</div>
        </div>
      </div>
      <div
        className="sum-bar"
        role="img"
        aria-label={`Of ${formatBytes(plan.inputBytes)}: ${formatBytes(plan.kept.bytes)} kept, ${formatBytes(plan.leftOut.bytes)} left out, ${formatBytes(plan.compactedAway.bytes)} compacted away`}
      >
        <span className="sum-kept" style={{ width: `${share(plan.kept.bytes)}%` }} />
        <span className="sum-compacted" style={{ width: `${share(plan.compactedAway.bytes)}%` }} />
        <span className="sum-left" style={{ width: `${share(plan.leftOut.bytes)}%` }} />
      </div>
      {plan.leftOut.first.length > 0 ? (
        <div className="card scroll-x">
          <table className="table">
            <caption className="visually-hidden">Bytes left out and kept as evidence</caption>
            <thead>
              <tr>
                <th scope="col">Left out at</th>
                <th scope="col" className="number">
                  Bytes
                </th>
                <th scope="col">Verdict</th>
              </tr>
            </thead>
            <tbody>
              {plan.leftOut.first.map((piece) => (
                <tr key={piece.offset}>
                  <td className="mono">{formatOffset(piece.offset)}</td>
                  <td className="number">{formatCount(piece.length)}</td>
                  <td>{VERDICT_WORDS[piece.verdict].word}</td>
                </tr>
              ))}
            </tbody>
          </table>
          {plan.leftOut.pieces > plan.leftOut.first.length ? (
            <p className="banner muted">
              and {formatNoun(plan.leftOut.pieces - plan.leftOut.first.length, 'more piece')}, all kept as evidence
            </p>
          ) : null}
        </div>
      ) : null}
      <h3>What each VelesDB would make of the result</h3>
      <OutcomesTable outcomes={plan.outcomes} open={false} />
    </>
  );
}

type PutInPlace = (
  signal: AbortSignal,
  onProgress: (progress: CallProgress) => void,
) => Promise<Result<'recovery.putInPlace'>>;

/** A step: what to do in words, and the command for it set apart, to be copied whole. */
function Step({ text }: { text: string }) {
  const at = text.search(/: (?:ln|cp|mv|rm|cat|mkdir|sync|velescope) /);
  if (at < 0) return <VisibleText text={text} />;
  return (
    <>
      <VisibleText text={text.slice(0, at + 1)} />
      <code className="step-command">
        <VisibleText text={text.slice(at + 2)} />
      </code>
    </>
  );
}

/** The last page: what was made, proven, and how it is put in place: by one button, or by the exact steps. */
function Done(props: {
  result: RecoveryResult;
  /** Null where the result is in place already, or nothing may be written. */
  putInPlace: PutInPlace | null;
  onBack: () => void;
}) {
  const { result, putInPlace, onBack } = props;
  const [confirming, setConfirming] = useState(false);
  const [working, setWorking] = useState(false);
  const [put, setPut] = useState<Result<'recovery.putInPlace'> | null>(null);
  const [failure, setFailure] = useState<ErrorValue | null>(null);
  const replace = async () => {
    if (!putInPlace) return;
    setConfirming(false);
    setWorking(true);
    setFailure(null);
    try {
      setPut(await runJob('Putting the result in place', putInPlace));
      announce('The recovered log is in place.');
      void reloadCollections();
    } catch (thrown) {
      setFailure(toErrorValue(thrown));
      announceFailure('The recovered log was not put in place.');
    } finally {
      setWorking(false);
    }
  };
  const open = async () => {
    if (!result.database) return;
    try {
      await showDatabase(await call('database.list', { database: result.database }));
    } catch (thrown) {
      report(thrown);
    }
  };
  return (
    <main className="pane page-scroll" aria-label="Recovery" data-pane="recovery" tabIndex={-1}>
      <div className="page-body">
        <div className="page-title">
          <h1>{put ? 'Recovered, and in place' : 'Recovered'}</h1>
        </div>
        <div className={result.verified ? 'callout good' : 'callout danger'} role="status">
          <h2>
            <Icon name={result.verified ? 'check' : 'cross'} />
            {result.verified ? 'Recovered, opened again and verified' : 'Written, but the check did not hold'}
          </h2>
          <p>
            {formatNoun(result.kept.records, 'record')} of {formatNoun(result.kept.ids, 'id')} in{' '}
            <span className="mono">
              <VisibleText text={result.target} />
            </span>
            . {formatNoun(result.leftOutBytes, 'byte')} left out, kept as evidence.
          </p>
        </div>
        <dl className="facts-list">
          <dt>Input SHA-256</dt>
          <dd className="mono">{result.inputSha256}</dd>
          <dt>Output SHA-256</dt>
          <dd className="mono">{result.outputSha256}</dd>
        </dl>
        {put ? (
          <div className="callout good" role="status">
            <h2>
              <Icon name="check" /> The recovered log is in place
            </h2>
            <p>
              The log that was there is kept as{' '}
              <span className="mono">
                <VisibleText text={put.keptAs} />
              </span>
              . Keep{' '}
              <span className="mono">
                <VisibleText text={put.keptIn} />
              </span>{' '}
              until you are sure.
            </p>
          </div>
        ) : null}
        {failure ? <ErrorText error={failure} title="The result was not put in place" /> : null}
        {result.steps.length > 0 && !put ? (
          <section aria-labelledby="steps">
            <h2 id="steps">To put it in place</h2>
            {putInPlace ? (
              <div className="row-of-buttons">
                <button type="button" className="button" disabled={working} onClick={() => setConfirming(true)}>
                  Put in place…
                </button>
                <span className="muted">or by hand:</span>
              </div>
            ) : null}
            <ol className="steps-list">
              {result.steps.map((step) => (
                <li key={step}>
                  <Step text={step} />
                </li>
              ))}
            </ol>
          </section>
        ) : null}
        <div className="row-of-buttons">
          {result.database ? (
            <button type="button" className="button primary" onClick={() => void open()}>
              Open the result
            </button>
          ) : null}
          <button type="button" className="button" onClick={onBack}>
            Back to recovery
          </button>
          <button type="button" className="button" onClick={() => showPage('records')}>
            Records
          </button>
          <button type="button" className="button" onClick={() => showDialog({ name: 'report' })}>
            Export the damage report…
          </button>
        </div>
      </div>
      {confirming ? (
        <Modal
          title="Put the result in place?"
          onClose={() => setConfirming(false)}
          footer={
            <>
              <button type="button" className="button" onClick={() => setConfirming(false)}>
                Cancel
              </button>
              <button type="button" className="button danger" onClick={() => void replace()}>
                Replace the log
              </button>
            </>
          }
        >
          <p>
            Under the lock of this database, a copy of the recovered log replaces the collection’s payloads.log, if that
            is still the log that was recovered. payloads.log exists at every instant.
          </p>
          <p>
            The log that is there now is kept, with its snapshot, in a new folder velescope-recovery-… of the
            collection. The result in the new directory stays where it is.
          </p>
        </Modal>
      ) : null}
    </main>
  );
}
