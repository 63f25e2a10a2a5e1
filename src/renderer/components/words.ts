import type { Generation, View } from '../../core/generation.ts';
import type { Verdict } from '../../core/segment.ts';
import type { Durability, Health, Outcome, Policy, Row } from '../../shared/protocol.ts';
import type { IconName } from './icon.tsx';

/** The window's words for the closed lists of the protocol, each with the icon and the tone it is shown in. */

export type Tone = 'plain' | 'good' | 'muted' | 'warning' | 'danger' | 'draft';
export interface Word {
  word: string;
  icon: IconName;
  tone: Tone;
}

export const VERDICT_WORDS: Readonly<Record<Verdict, Word>> = {
  ok: { word: 'Intact', icon: 'check', tone: 'good' },
  unprotected: { word: 'No CRC (legacy)', icon: 'circle', tone: 'muted' },
  'crc-mismatch': { word: 'CRC mismatch', icon: 'cross', tone: 'danger' },
  'payload-not-json': { word: 'Not JSON', icon: 'warning', tone: 'warning' },
  'payload-unreadable': { word: 'Unreadable', icon: 'warning', tone: 'warning' },
  torn: { word: 'Torn', icon: 'scissors', tone: 'danger' },
  'zero-filled': { word: 'Zero-filled', icon: 'zeros', tone: 'danger' },
  'unknown-bytes': { word: 'Unknown bytes', icon: 'unknown', tone: 'danger' },
};

/** Of rows that come from the snapshot, while the scan has not come to them. */
export const PROVISIONAL_WORDS: Readonly<Record<NonNullable<Row['provisional']>, Word>> = {
  intact: { word: 'Not yet verified', icon: 'unknown', tone: 'muted' },
  elsewhere: { word: 'Points elsewhere', icon: 'warning', tone: 'warning' },
};

/** What the State column says of a row: its damage first, then what it is in the view, then that it is intact. */
export function stateWord(row: Pick<Row, 'verdict' | 'state' | 'kind' | 'versions' | 'provisional'>): Word {
  if (row.provisional) return PROVISIONAL_WORDS[row.provisional];
  const verdict = VERDICT_WORDS[row.verdict];
  if (verdict.tone === 'danger' || verdict.tone === 'warning') return verdict;
  if (row.kind === 'delete') return { word: 'Deleted', icon: 'deleted', tone: 'muted' };
  // Its id's only record, intact, and yet not current: this view ends before it.
  if (row.state === 'superseded' && row.versions === 1)
    return { word: 'Not in this view', icon: 'circle', tone: 'muted' };
  if (row.state === 'superseded') return { word: 'Superseded', icon: 'superseded', tone: 'muted' };
  return verdict;
}

export const DRAFT_WORD: Word = { word: 'Draft', icon: 'dot', tone: 'draft' };
export const DRAFT_DELETE_WORD: Word = { word: 'Draft: delete', icon: 'dot', tone: 'draft' };
export const DRAFT_CONFLICT_WORD: Word = { word: 'Draft: conflict', icon: 'dot', tone: 'danger' };

/** How a person knows a view: the releases that answer so. */
export const VIEW_WORDS: Readonly<Record<View, { short: string; long: string; releases: string }>> = {
  'v1.6': { short: 'VelesDB 1.6 – 1.15', long: 'Refuses any torn or unknown record', releases: '1.6 – 1.15' },
  'v1.16': { short: 'VelesDB 1.16', long: 'As 1.15, and checks lengths against the file', releases: '1.16' },
  'v1.17': {
    short: 'VelesDB 1.17 – 3.11',
    long: 'Stops at a torn tail, refuses unknown bytes',
    releases: '1.17 – 3.11',
  },
  'v3.12': { short: 'VelesDB 3.12 – 7.x', long: 'Stops at the first unknown byte', releases: '3.12 – 7.x' },
  'v8.0': { short: 'VelesDB 8.0 and later', long: 'As 7.x, and reads floats exactly', releases: '8.0 and later' },
  salvage: { short: 'Salvage', long: 'Everything intact, whatever lies between', releases: 'Salvage' },
};

export function releasesOf(generation: Generation): string {
  return VIEW_WORDS[generation].releases;
}

export const HEALTH_ICONS: Readonly<Record<Health['state'], { icon: IconName; tone: Tone }>> = {
  unknown: { icon: 'circle', tone: 'muted' },
  healthy: { icon: 'check', tone: 'good' },
  empty: { icon: 'check', tone: 'good' },
  damaged: { icon: 'cross', tone: 'danger' },
  torn: { icon: 'scissors', tone: 'warning' },
  snapshot: { icon: 'warning', tone: 'warning' },
  missing: { icon: 'circle', tone: 'muted' },
  failed: { icon: 'warning', tone: 'danger' },
};

export const DURABILITY_WORDS: Readonly<Record<Durability, string>> = {
  fsync: 'On disk before it says saved (what VelesDB collections use)',
  flush: 'With the operating system before it says saved',
  none: 'Buffered: says accepted, checked when written',
};

export const OUTCOME_WORDS: Readonly<Record<Outcome, { word: string; meaning: string; tone: Tone }>> = {
  live: { word: 'Live', meaning: 'ids it holds after opening', tone: 'plain' },
  unreadable: { word: 'Unreadable', meaning: 'held, but reading the payload fails', tone: 'warning' },
  lost: { word: 'Lost', meaning: 'intact in the log, absent here', tone: 'danger' },
  stale: { word: 'Stale', meaning: 'an older version is served', tone: 'danger' },
  resurrected: { word: 'Resurrected', meaning: 'served although deleted later', tone: 'danger' },
  wrong: { word: 'Wrong', meaning: "served as good although damaged or another record's", tone: 'danger' },
};

export const POLICY_WORDS: Readonly<Record<Policy, { word: string; meaning: string }>> = {
  salvage: { word: 'Salvage', meaning: 'Every intact or believed record, in file order' },
  'tolerate-tail': {
    word: 'Tolerate the tail',
    meaning: 'Leaves out a torn or zero-filled tail; any other damage writes nothing',
  },
  'point-in-time': { word: 'Point in time', meaning: 'Everything before the first damage' },
  absolute: { word: 'Absolute', meaning: 'Any damage writes nothing' },
};
