import { styleText } from 'node:util';
import { POLICIES, VIEWS, type View } from '../core/generation.ts';
import type { ViewOutcome } from '../core/outcomes.ts';
import type { Segment } from '../core/segment.ts';
import { escapeInvisible } from '../core/visible.ts';
import { Exit } from './command-line.ts';
import { DamageTeller } from './damage.ts';
import type { Output } from './output.ts';
import { snapshotStateOf, statusOf, type Verification } from './verification.ts';
import type { VerificationParts } from './verification-json.ts';

/** So much damage, and so many disagreements, are told one by one; who wants all of them takes --json. */
const TOLD_AT_MOST = 50;
const LABEL_WIDTH = 12;
const COLUMN = 13;
const COUNTS = ['live', 'unreadable', 'lost', 'stale', 'resurrected', 'wrong'] as const;

type Style = 'red' | 'green' | 'yellow' | 'bold' | 'dim';

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
  printGenerations(page, verification, parts.ids);
  page.line('');
  await output.settle();
  return { skippedCandidates: Math.max(0, teller.skipped - untold) };
}

/** Lines of text with styles where the output may have colour. */
class Page {
  constructor(readonly output: Output) {}

  /** Text of ours; what comes from names or payloads has gone through `escapeInvisible`. */
  line(text: string): void {
    this.output.write(`${text.trimEnd()}\n`);
  }

  /** A line with a label in the margin. */
  labelled(label: string, text: string): void {
    this.line(`  ${this.style('dim', label.padEnd(LABEL_WIDTH))}${text}`);
  }

  style(style: Style, text: string): string {
    // The caller has decided whether there is colour; styleText would look at the process's own stream.
    return this.output.colour ? styleText(style, text, { validateStream: false }) : text;
  }
}

function number(value: number): string {
  return value.toLocaleString('en');
}

function counted(value: number, one: string, many = `${one}s`): string {
  return `${number(value)} ${value === 1 ? one : many}`;
}

function printHead(page: Page, verification: Verification): void {
  const { state, target, totals } = verification;
  const snapshot = snapshotStateOf(verification);
  const words: [string, Style][] = [];
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

function printGenerations(page: Page, { outcomes }: Verification, ids: boolean): void {
  page.line('');
  const width = Math.max(...VIEWS.map((view) => nameOf(view).length));
  page.labelled('VelesDB', ' '.repeat(width) + COUNTS.map((name) => name.padStart(COLUMN)).join(''));
  for (const view of VIEWS) {
    const outcome = outcomes[view];
    const name = nameOf(view).padEnd(width);
    if (!outcome.opens) {
      const { kind, message } = outcome.error;
      page.labelled('', `${name}   ${page.style('red', `does not open: ${kind}: ${message}`)}`);
      continue;
    }
    page.labelled('', `${name}${COUNTS.map((count) => countText(page, outcome, count)).join('')}`);
    if (ids) printIds(page, outcome);
  }
}

function countText(page: Page, outcome: Extract<ViewOutcome, { opens: true }>, name: (typeof COUNTS)[number]): string {
  const count = name === 'live' ? outcome.live : (outcome.lists[name]?.length ?? null);
  const text = (count === null ? '?' : number(count)).padStart(COLUMN);
  return name !== 'live' && count !== null && count > 0 ? page.style('red', text) : text;
}

function printIds(page: Page, outcome: Extract<ViewOutcome, { opens: true }>): void {
  for (const name of COUNTS) {
    const list = name === 'live' ? null : outcome.lists[name];
    if (!list || list.length === 0) continue;
    const rest = list.length > TOLD_AT_MOST ? `, and ${number(list.length - TOLD_AT_MOST)} more` : '';
    page.labelled('', `  ${name}: ${list.slice(0, TOLD_AT_MOST).join(', ')}${rest}`);
  }
}

function nameOf(view: View): string {
  return view === 'salvage' ? 'everything intact' : POLICIES[view].releases;
}
