import type { Segment } from '../core/segment.ts';
import { escapeInvisible } from '../core/visible.ts';
import { quoted } from '../main/engine/recovery-steps.ts';
import { Exit } from './command-line.ts';
import { DamageTeller } from './damage.ts';
import { printOutcomes } from './outcomes-text.ts';
import type { Output } from './output.ts';
import { counted, number, Page } from './page.ts';
import { snapshotStateOf, statusOf, type Verification } from './verification.ts';
import type { VerificationParts } from './verification-json.ts';

/** So much damage, and so many disagreements, are told one by one; who wants all of them takes --json. */
const TOLD_AT_MOST = 50;

/** Prints a verification for people. Returns how many pieces of damage no repair was looked for. */
export async function printText(
  output: Output,
  verification: Verification,
  parts: VerificationParts,
): Promise<{ skippedCandidates: number }> {
  const page = new Page(output);
  printHead(page, verification);
  printLog(page, verification);
  printSnapshot(page, verification);
  const teller = new DamageTeller(verification);
  const untold = await printDamage(page, verification, teller);
  if (parts.segments) await printSegments(page, verification);
  printOutcomes(page, verification.outcomes, parts.ids);
  printNext(page, verification);
  page.line('');
  await output.settle();
  return { skippedCandidates: Math.max(0, teller.skipped - untold) };
}

function printHead(page: Page, verification: Verification): void {
  const { state, target, totals } = verification;
  const snapshot = snapshotStateOf(verification);
  const words: [string, 'red' | 'green' | 'yellow'][] = [];
  if (!state.exists) words.push(['the log is missing', 'red']);
  if (totals.damaged > 0) words.push([`damaged in ${counted(totals.damaged, 'place')}`, 'red']);
  if (snapshot === 'invalid') words.push(['the snapshot is no good', 'yellow']);
  if (snapshot === 'disagrees') words.push(['the snapshot disagrees with the log', 'red']);
  const problem = target.entry?.problem;
  if (statusOf(verification) === Exit.done) {
    words.push([`${problem ? 'the log is ' : ''}${state.size === 0 ? 'empty, nothing wrong' : 'healthy'}`, 'green']);
  }
  const verdict = words.map(([text, style]) => page.style(style, text)).join(', ');
  page.line(`${page.style('bold', escapeInvisible(target.directory))}: ${verdict}`);
  if (problem) page.labelled('collection', page.style('yellow', escapeInvisible(problem.message)));
}

function printLog(page: Page, { state, totals }: Verification): void {
  if (!state.exists) return;
  const { records, stores, deletes, legacy, gaps, damagedBytes } = totals;
  const parts = [
    counted(state.size, 'byte'),
    `${counted(records, 'record')} (${counted(stores, 'store')}, ${counted(deletes, 'delete')})`,
  ];
  if (legacy > 0) parts.push(`${number(legacy)} without CRC`);
  if (gaps > 0) parts.push(counted(gaps, 'gap'));
  if (damagedBytes > 0) parts.push(page.style('red', `${counted(damagedBytes, 'byte')} damaged`));
  page.labelled('log', parts.join(', '));
}

function printSnapshot(page: Page, verification: Verification): void {
  const { state, snapshotCheck: check } = verification;
  const { snapshot } = state;
  if (snapshot.state === 'absent') {
    page.labelled('snapshot', 'none');
  } else if (snapshot.state === 'invalid') {
    page.labelled('snapshot', `${page.style('yellow', 'ignored by VelesDB')}: ${escapeInvisible(snapshot.reason)}`);
  } else {
    const { walPosition, count } = snapshot;
    const covers = `${counted(count, 'entry', 'entries')} up to offset ${walPosition}`;
    if (!check || check.total === 0) {
      page.labelled('snapshot', covers);
    } else {
      page.labelled('snapshot', `${covers}; ${page.style('red', counted(check.total, 'disagreement'))}`);
      for (const { text } of check.disagreements.slice(0, TOLD_AT_MOST)) page.labelled('', `- ${text}`);
      sayRest(page, check.total - TOLD_AT_MOST);
    }
  }
}

function sayRest(page: Page, rest: number): void {
  if (rest > 0) page.labelled('', page.style('dim', `and ${number(rest)} more: --json lists them`));
}

/** Returns for how many pieces nothing was told, nor looked for. */
async function printDamage(page: Page, verification: Verification, teller: DamageTeller): Promise<number> {
  const { table } = verification.state;
  let told = 0;
  for (const { row, explanation, candidates } of teller.pieces()) {
    const segment = table.segment(row);
    const inFlight = row === verification.inFlightRow;
    const what = inFlight ? 'being written' : segment.verdict;
    page.line('');
    page.labelled(
      told === 0 ? 'damage' : '',
      `${page.style(inFlight ? 'dim' : 'red', what)} at offset ${segment.offset}, ${counted(segment.length, 'byte')}${idText(segment)}`,
    );
    page.labelled('', explanation);
    for (const { offset, length, id } of table.possible.get(row) ?? []) {
      page.labelled('', `possible: a record of id ${id} at ${offset}, ${counted(length, 'byte')}; not believed`);
    }
    for (const { description, provenByCrc } of candidates.slice(0, 3)) {
      page.labelled('', `${provenByCrc ? 'proven by CRC' : 'unproven'}: ${description}`);
    }
    if (candidates.length > 3) sayRest(page, candidates.length - 3);
    told++;
    await page.output.settle();
    if (told === TOLD_AT_MOST) break;
  }
  const rest = verification.totals.damaged + (verification.inFlightRow < 0 ? 0 : 1) - told;
  sayRest(page, rest);
  return rest;
}

function idText({ id, claimedId }: Segment): string {
  if (id !== undefined) return `, id ${id}`;
  return claimedId === undefined ? '' : `, claims id ${claimedId}`;
}

async function printSegments(page: Page, { state: { table } }: Verification): Promise<void> {
  page.line('');
  page.labelled('segments', page.style('dim', 'offset, length, kind, verdict, id'));
  const width = String(table.end).length;
  for (let row = 0; row < table.rows; row++) {
    const segment = table.segment(row);
    const kind = segment.format === 'legacy' ? `${segment.kind} (legacy)` : segment.kind;
    const columns = [
      String(segment.offset).padStart(width),
      String(segment.length).padStart(width),
      kind.padEnd(15),
      segment.verdict.padEnd(18),
    ];
    const found = segment.foundBySearch ? ', found by search' : '';
    page.labelled('', `${columns.join('  ')}${idText(segment).slice(2)}${found}`);
    if (page.output.isFull) await page.output.settle();
  }
}

/** One line below several collections, so that nobody has to count them. */
export function printInAll(output: Output, found: { healthy: number; troubled: number; unread: number }): void {
  const collections = found.healthy + found.troubled + found.unread;
  if (collections < 2) return;
  const page = new Page(output);
  const parts = [page.style('green', `${number(found.healthy)} healthy`)];
  if (found.troubled > 0) parts.push(page.style('red', `${number(found.troubled)} to look at`));
  if (found.unread > 0) parts.push(page.style('red', `${number(found.unread)} could not be read`));
  page.line(`${counted(collections, 'collection')}: ${parts.join(', ')}`);
}

/** The next step where something can be got back; it writes nothing, so that nobody hesitates. */
function printNext(page: Page, { target, totals, snapshotCheck }: Verification): void {
  if (totals.damaged === 0 && !snapshotCheck?.total) return;
  const directory = escapeInvisible(quoted(target.directory));
  page.line('');
  page.labelled('next', 'what can be got back, without writing anything:');
  // Never broken: somebody will copy it.
  page.line(`              velescope recover ${directory} --to NEWDIR --policy salvage --dry-run`);
}
