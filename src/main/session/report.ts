import { VIEWS } from '../../core/generation.ts';
import type { Steps } from '../../core/steps.ts';
import { escapeInvisible } from '../../core/visible.ts';
import type { Result } from '../../shared/protocol.ts';
import { DamageList, describeDamages } from './damage.ts';
import { releasesOf } from './record-detail.ts';
import type { Session } from './session.ts';
import { describeOutcomes, describeSnapshot } from './summary.ts';

/** A report names this many pieces of damage; it says how many more there are. */
const MOST_DAMAGE = 10_000;

/**
 * What is wrong with a collection, to be mailed: no payload text is in it. The JSON form uses the names of `verify --json`.
 */
export function* renderReport(session: Session, format: 'json' | 'markdown'): Steps<Result<'report.render'>> {
  const { state } = session;
  const damaged = (yield* new DamageList(state).rows(session.revision)).slice(0, MOST_DAMAGE);
  const damage = yield* describeDamages(state, damaged, (row) => session.isInFlight(row));
  const { totals } = state;
  const report = {
    directory: session.directory,
    made: new Date().toISOString(),
    log: {
      bytes: state.size,
      records: totals.records,
      stores: totals.stores,
      deletes: totals.deletes,
      legacy: totals.legacy,
      gaps: totals.gaps,
      damagedBytes: totals.damagedBytes,
    },
    damage: damage.map(({ title: _title, consequences, row: _row, ...rest }) => ({ ...rest, consequences })),
    moreDamage: totals.damaged - damage.length,
    snapshot: describeSnapshot(state),
    generations: describeOutcomes(state),
  };
  const name = session.options.collectionName.replace(/[^A-Za-z0-9_-]/g, '_') || 'collection';
  if (format === 'json') {
    return { fileName: `${name}-report.json`, text: `${JSON.stringify(report, null, 2)}\n` };
  }

  const lines = [
    `# ${cell(session.options.collectionName)}`,
    '',
    `- Directory: ${cell(session.directory)}`,
    `- Made: ${report.made}`,
    `- Log: ${state.size} bytes, ${totals.records} records (${totals.stores} stores, ${totals.deletes} deletes, ${totals.legacy} legacy), ${totals.gaps} gaps`,
    `- Damaged: ${totals.damagedBytes} bytes in ${totals.damaged} places`,
    `- Snapshot: ${report.snapshot.state}${report.snapshot.reason ? ` (${cell(report.snapshot.reason)})` : ''}`,
    '',
    '## What each VelesDB makes of it',
    '',
    '| | opens | live | unreadable | lost | stale | resurrected | wrong |',
    '|---|---|---|---|---|---|---|---|',
  ];
  for (const view of VIEWS) {
    const outcome = report.generations[view];
    if (!outcome) continue;
    lines.push(
      outcome.opens
        ? `| ${releasesOf(view)} | yes | ${outcome.live} | ${outcome.unreadable} | ${outcome.lost} | ${outcome.stale} | ${outcome.resurrected} | ${outcome.wrong} |`
        : `| ${releasesOf(view)} | no: ${outcome.error?.kind}: ${cell(outcome.error?.message ?? '')} | | | | | | |`,
    );
  }
  lines.push('', '## Damage', '');
  if (damage.length === 0) lines.push('None.');
  for (const piece of damage) {
    lines.push(`- **${piece.offset}** (${piece.length} bytes, ${piece.verdict}): ${cell(piece.explanation)}`);
    if (piece.hint) lines.push(`  Likely cause, a guess: ${cell(piece.hint)}`);
  }
  if (report.moreDamage > 0) lines.push(`- and ${report.moreDamage} more`);
  return { fileName: `${name}-report.md`, text: `${lines.join('\n')}\n` };
}

/** Text that can neither break the table nor reach a terminal raw. */
function cell(text: string): string {
  return escapeInvisible(text).replace(/[|<>&`*_[\]\\]/g, (character) => `\\${character}`);
}
