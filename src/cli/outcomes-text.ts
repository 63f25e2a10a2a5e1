import { GENERATIONS, type Generation, POLICIES, type View } from '../core/generation.ts';
import type { ViewOutcome } from '../core/outcomes.ts';
import { number, type Page } from './page.ts';

const COUNTS = ['live', 'unreadable', 'lost', 'stale', 'resurrected', 'wrong'] as const;
/** So many ids are told one by one; who wants all of them takes --json. */
const IDS_AT_MOST = 50;
const INTACT = 'everything intact';

/** What is printed of releases that answer alike. */
interface Line {
  name: string;
  /** A count a column, or why the log is refused. */
  answer: string[] | string;
  ids: string[];
}

/** What each VelesDB makes of the log: one sentence where all hold the same and nothing is amiss, else a table of those that differ. */
export function printOutcomes(page: Page, outcomes: Record<View, ViewOutcome>, ids: boolean): void {
  const lines = alike(outcomes, ids);
  const intact = lineOf(INTACT, outcomes.salvage, ids);
  const [only] = lines;
  if (lines.length === 1 && only && isSound(only) && isSame(only, intact)) {
    const unread = only.answer[1] === '?' ? '; payloads were not read' : '';
    page.labelled('VelesDB', `every release opens it and holds everything intact: ${only.answer[0]} live${unread}`);
    return;
  }
  page.line('');
  printTable(page, [...lines, intact]);
}

/** Generations that follow each other and answer alike are one line. */
function alike(outcomes: Record<View, ViewOutcome>, ids: boolean): Line[] {
  const lines: Line[] = [];
  let first: Generation = GENERATIONS[0];
  for (const generation of GENERATIONS) {
    const line = lineOf(POLICIES[generation].releases, outcomes[generation], ids);
    const before = lines.at(-1);
    if (before && isSame(before, line)) {
      before.name = rangeName(first, generation);
    } else {
      first = generation;
      lines.push(line);
    }
  }
  return lines;
}

/** People's words for the releases from one generation to a later one. */
export function rangeName(first: Generation, last: Generation): string {
  const from = POLICIES[first].releases.split(' ')[0]!;
  const to = POLICIES[last].releases;
  return to.endsWith('and later') ? `${from} and later` : `${from} – ${to.split(' ').at(-1)}`;
}

function lineOf(name: string, outcome: ViewOutcome, ids: boolean): Line {
  if (!outcome.opens) {
    const { kind, message } = outcome.error;
    return { name, answer: `does not open: ${kind}: ${message}`, ids: [] };
  }
  const answer = COUNTS.map((count) => {
    const value = count === 'live' ? outcome.live : (outcome.lists[count]?.length ?? null);
    return value === null ? '?' : number(value);
  });
  return { name, answer, ids: ids ? idLines(outcome) : [] };
}

function isSame(a: Line, b: Line): boolean {
  return String(a.answer) === String(b.answer) && a.ids.join('\n') === b.ids.join('\n');
}

function isSound({ answer }: Line): boolean {
  return Array.isArray(answer) && answer.slice(1).every((count) => count === '0' || count === '?');
}

function idLines(outcome: Extract<ViewOutcome, { opens: true }>): string[] {
  const lines: string[] = [];
  for (const name of COUNTS) {
    const list = name === 'live' ? null : outcome.lists[name];
    if (!list || list.length === 0) continue;
    const rest = list.length > IDS_AT_MOST ? `, and ${number(list.length - IDS_AT_MOST)} more` : '';
    lines.push(`${name}: ${list.slice(0, IDS_AT_MOST).join(', ')}${rest}`);
  }
  return lines;
}

/** Columns are as wide as what stands in them: so the table fits into 80 characters for any log but a very large one. */
function printTable(page: Page, lines: readonly Line[]): void {
  const names = Math.max(...lines.map(({ name }) => name.length));
  const widths = COUNTS.map((heading, at) =>
    Math.max(heading.length, ...lines.map(({ answer }) => (Array.isArray(answer) ? answer[at]!.length : 0))),
  );
  const row = (name: string, cells: string[]) => page.line(`  ${name}${cells.map((cell) => `  ${cell}`).join('')}`);
  row(
    page.style('dim', 'VelesDB'.padEnd(names)),
    COUNTS.map((heading, at) => page.style('dim', heading.padStart(widths[at]!))),
  );
  for (const { name, answer, ids } of lines) {
    if (Array.isArray(answer)) {
      const cells = answer.map((count, at) => {
        const text = count.padStart(widths[at]!);
        return at === 0 || count === '0' || count === '?' ? text : page.style('red', text);
      });
      row(name.padEnd(names), cells);
    } else {
      page.beside(`  ${name.padEnd(names)}  `, names + 4, page.style('red', answer));
    }
    for (const line of ids) page.labelled('', line);
  }
}
