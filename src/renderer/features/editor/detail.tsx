import { Tabs } from 'radix-ui';
import type { KeyboardEvent, ReactNode } from 'react';
import { ErrorText } from '../../components/error-text.tsx';
import { formatCount, formatOffset } from '../../components/format.ts';
import { StateWord } from '../../components/state-word.tsx';
import { DRAFT_CONFLICT_WORD, DRAFT_DELETE_WORD, DRAFT_WORD, stateWord } from '../../components/words.ts';
import { showDialog } from '../../state/application.ts';
import { useDrafts } from '../../state/drafts.ts';
import { showTab } from '../../state/selection.ts';
import { type Tab, useSession } from '../../state/session-state.ts';
import { BytesTab } from '../bytes/bytes-tab.tsx';
import { focusGrid } from '../commands/focus.ts';
import { HistoryTab } from '../history/history-tab.tsx';
import { RepairTab } from '../recovery/repair-tab.tsx';
import { DetailEdge } from './detail-edge.tsx';
import { PayloadTab } from './payload-tab.tsx';
import { VelesdbTab } from './velesdb-tab.tsx';

/** The right pane: one record in its tabs. */
export function Detail() {
  const { selected, record, recordFailure, tab } = useSession();
  const drafts = useDrafts((state) => state.drafts);
  const id = selected?.type === 'draft' ? selected.id : record?.id;
  const draft = id === undefined ? undefined : drafts.get(id);

  const onKeyDown = (event: KeyboardEvent) => {
    if ((event.key !== 'Escape' && event.key !== 'F2') || event.defaultPrevented) return;
    event.preventDefault();
    focusGrid();
  };

  return (
    // Escape and F2 lead back to the grid from anywhere in the pane.
    <aside className="pane detail" aria-label="Record" data-pane="detail" tabIndex={-1} onKeyDown={onKeyDown}>
      <h2 className="visually-hidden">Record</h2>
      <DetailEdge />
      {!selected ? (
        <NothingSelected />
      ) : recordFailure ? (
        <div className="tab-panel padded">
          <ErrorText error={recordFailure} title="This record could not be read" />
        </div>
      ) : (
        <Tabs.Root
          className="tabs"
          value={tab}
          onValueChange={(value) => showTab(value as Tab)}
          activationMode="automatic"
        >
          <Tabs.List className="tab-list" aria-label="About this record">
            <TabOf tab="payload" current={tab} label="Payload" />
            <TabOf tab="velesdb" current={tab} label="As VelesDB reads it" />
            <TabOf
              tab="history"
              current={tab}
              label={record && record.versions > 1 ? `History ${formatCount(record.versions)}` : 'History'}
            />
            <TabOf tab="bytes" current={tab} label="Bytes" />
            <TabOf tab="repair" current={tab} label="Repair" />
          </Tabs.List>
          <div className="record-title">
            {id !== undefined ? (
              <span className="id">{id}</span>
            ) : record?.claimedId !== undefined ? (
              <span className="id muted">claims {record.claimedId}</span>
            ) : null}
            {draft ? (
              <StateWord
                word={draft.conflict ? DRAFT_CONFLICT_WORD : draft.action === 'delete' ? DRAFT_DELETE_WORD : DRAFT_WORD}
              />
            ) : null}
            {record ? <StateWord word={stateWord(record)} /> : null}
            <span className="spacer" />
            {record ? (
              <span className="muted mono">
                {formatOffset(record.offset)} · {formatCount(record.length)} bytes
                {record.foundBySearch ? ' · found by search' : ''}
              </span>
            ) : null}
          </div>
          <Panel tab="payload" fill>
            <PayloadTab record={selected.type === 'draft' ? null : record} draft={draft ?? null} />
          </Panel>
          <Panel tab="velesdb">
            <VelesdbTab record={record} draft={draft ?? null} />
          </Panel>
          <Panel tab="history">
            <HistoryTab id={id ?? record?.claimedId ?? null} row={record?.row ?? null} />
          </Panel>
          <Panel tab="bytes" fill>
            <BytesTab record={record} />
          </Panel>
          <Panel tab="repair">
            <RepairTab record={record} />
          </Panel>
        </Tabs.Root>
      )}
    </aside>
  );
}

/** Says what would be here, and where there is nothing to select, what can be done instead. */
function NothingSelected() {
  const failure = useSession((state) => state.failure);
  const isEmpty = useSession((state) => state.summary?.phase === 'ready' && state.summary.counts.all === 0);
  const isOpen = useSession((state) => state.session !== null);
  if (failure) return null;
  if (!isEmpty || !isOpen) {
    return (
      <div className="detail-empty">
        <p>Select a record to see its payload, its history and its bytes.</p>
      </div>
    );
  }
  return (
    <div className="detail-empty">
      <p>There is no record to show yet. A new one is a draft until you write it.</p>
      <div className="row-of-buttons">
        <button type="button" className="button" onClick={() => showDialog({ name: 'new-record' })}>
          New record…
        </button>
        <button type="button" className="button" onClick={() => showDialog({ name: 'import' })}>
          Import records…
        </button>
      </div>
    </div>
  );
}

function TabOf({ tab, current, label }: { tab: Tab; current: Tab; label: string }) {
  return (
    <Tabs.Trigger value={tab} className="tab" {...(tab === current ? { 'data-pane-entry': '' } : {})}>
      {label}
    </Tabs.Trigger>
  );
}

function Panel({ tab, fill, children }: { tab: Tab; fill?: boolean; children: ReactNode }) {
  return (
    <Tabs.Content value={tab} className={fill ? 'tab-panel fill' : 'tab-panel padded'} tabIndex={-1}>
      {children}
    </Tabs.Content>
  );
}
