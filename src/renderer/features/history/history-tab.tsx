import { useEffect, useState } from 'react';
import { displayText } from '../../../core/json/layout.ts';
import { type ErrorValue, toErrorValue } from '../../../shared/errors.ts';
import type { RecordDetail, ScannedRow } from '../../../shared/protocol.ts';
import { ErrorText } from '../../components/error-text.tsx';
import { formatNoun, formatOffset } from '../../components/format.ts';
import { call } from '../../connection/current.ts';
import { notify, report } from '../../state/application.ts';
import { stageText, textOf } from '../../state/editing.ts';
import { PLAIN_FROM } from '../../state/plain.ts';
import { useSession } from '../../state/session-state.ts';
import { CodeDifference } from '../editor/code-view.tsx';
import { useVersions } from './use-versions.ts';
import { VersionList } from './version-list.tsx';

/** Every version and delete of an id, oldest first; any two compared, any restored. */
export function HistoryTab({ id, row }: { id: string | null; row: number | null }) {
  const phase = useSession((state) => state.summary?.phase);
  const { versions, failure, want } = useVersions(id);
  const [compared, setCompared] = useState<number[]>([]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another id has other versions
  useEffect(() => setCompared([]), [id]);

  if (id === null) return <p className="muted">These bytes belong to no id.</p>;
  if (failure) return <ErrorText error={failure} title="The history could not be read" />;
  if (!versions) return <p className="muted">Reading…</p>;
  if (versions.total === 0) {
    return (
      <p className="muted">
        {phase === 'scanning'
          ? `The scan has not come to a version of id ${id} yet.`
          : `The log holds no version of id ${id}.`}
      </p>
    );
  }

  const toggle = (which: number) =>
    setCompared((now) => (now.includes(which) ? now.filter((entry) => entry !== which) : [...now.slice(-1), which]));
  return (
    <>
      <p className="muted">
        {formatNoun(versions.total, 'version')} of id {id}, oldest first. Tick two to compare them.
      </p>
      <VersionList
        key={id}
        versions={versions}
        want={want}
        current={row}
        compared={compared}
        onCompare={toggle}
        onRestore={(version) => void restore(version)}
      />
      {compared.length === 2 ? <Compared rows={[...compared].sort((a, b) => a - b) as [number, number]} /> : null}
    </>
  );
}

async function restore(version: ScannedRow): Promise<void> {
  const { session } = useSession.getState();
  if (!session || version.id === undefined) return;
  const place = formatOffset(version.offset);
  try {
    const record = await call('record.read', { session, row: version.row });
    const text = textOf(record);
    if (text !== null) await stageText(version.id, text, `The version at ${place} is a draft of id ${version.id}.`);
    else {
      notify({
        tone: 'danger',
        text: `The payload at ${place} is no text, so it cannot be a draft. Its bytes are under Bytes.`,
      });
    }
  } catch (thrown) {
    report(thrown);
  }
}

/** Two versions side by side, the older one first. */
function Compared({ rows }: { rows: [number, number] }) {
  const session = useSession((state) => state.session);
  const [texts, setTexts] = useState<{ key: string; before: string | null; after: string | null } | null>(null);
  const [failure, setFailure] = useState<ErrorValue | null>(null);
  const [before, after] = rows;
  const key = `${before} ${after}`;
  useEffect(() => {
    if (!session) return;
    const controller = new AbortController();
    const read = (row: number): Promise<RecordDetail> =>
      call('record.read', { session, row }, { signal: controller.signal });
    Promise.all([read(before), read(after)]).then(
      ([older, newer]) => {
        setTexts({ key: `${before} ${after}`, before: textOf(older), after: textOf(newer) });
        setFailure(null);
      },
      (thrown: unknown) => {
        const error = toErrorValue(thrown);
        if (error.code !== 'CANCELLED') setFailure(error);
      },
    );
    return () => controller.abort();
  }, [session, before, after]);
  if (failure) return <ErrorText error={failure} title="The two could not be read" />;
  if (texts?.key !== key) return <p className="muted">Reading both…</p>;
  if (texts.before === null || texts.after === null) return <p className="muted">One of the two is not text.</p>;
  if (texts.before === texts.after) return <p>The two are the same, byte for byte.</p>;
  if (texts.before.length + texts.after.length > PLAIN_FROM)
    return <p className="muted">Too large for a difference.</p>;
  return (
    <CodeDifference
      before={displayText(texts.before)}
      after={displayText(texts.after)}
      label="Older version against newer"
    />
  );
}
