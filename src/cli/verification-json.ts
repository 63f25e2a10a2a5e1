import { VIEWS } from '../core/generation.ts';
import { OUTCOME_NAMES, type ViewOutcome } from '../core/outcomes.ts';
import type { Segment } from '../core/segment.ts';
import { formatU64 } from '../core/u64.ts';
import { DamageTeller } from './damage.ts';
import type { JsonLines } from './json-lines.ts';
import { liveIds, snapshotStateOf, type Verification } from './verification.ts';

export interface VerificationParts {
  /** Adds every segment of the log. */
  segments: boolean;
  /** Adds the ids behind each count of a generation. */
  ids: boolean;
}

/** Prints a verification as one line of JSON, piece by piece. Returns how many pieces of damage no repair was looked for. */
export async function printJson(
  json: JsonLines,
  verification: Verification,
  parts: VerificationParts,
): Promise<{ skippedCandidates: number }> {
  const { state, target, totals } = verification;
  const { records, stores, deletes, legacy, gaps, damagedBytes } = totals;
  const log = { bytes: state.size, records, stores, deletes, legacy, gaps, damagedBytes };
  json.open({ directory: target.directory, log });
  const teller = new DamageTeller(verification);
  await printDamage(json, verification, teller);
  if (parts.segments) await printSegments(json, verification);
  await printSnapshot(json, verification);
  await printGenerations(json, verification, parts.ids);
  json.piece('}\n');
  return { skippedCandidates: teller.skipped };
}

/** Prints `,"key":[…]` of any number of values. */
async function printList(json: JsonLines, key: string, values: Iterable<unknown>): Promise<void> {
  json.piece(`${key}[`);
  let separator = '';
  for (const value of values) {
    json.piece(separator);
    json.value(value);
    separator = ',';
    if (json.output.isFull) await json.output.settle();
  }
  json.piece(']');
}

/** A segment's id as JSON has it. */
function idsOf({ id, claimedId }: Segment): object {
  return {
    ...(id === undefined ? {} : { id: String(id) }),
    ...(claimedId === undefined ? {} : { claimedId: String(claimedId) }),
  };
}

function printDamage(json: JsonLines, verification: Verification, teller: DamageTeller): Promise<void> {
  const { table } = verification.state;
  function* damage() {
    for (const { row, explanation, candidates } of teller.pieces()) {
      const segment = table.segment(row);
      yield {
        offset: String(segment.offset),
        length: segment.length,
        verdict: segment.verdict,
        ...idsOf(segment),
        foundBySearch: segment.foundBySearch,
        ...(row === verification.inFlightRow ? { inFlight: true } : {}),
        explanation,
        possible: (table.possible.get(row)?.first() ?? []).map(({ offset, length, id }) => ({
          offset: String(offset),
          length,
          id: String(id),
        })),
        candidates: candidates.map(({ kind, description, provenByCrc }) => ({ kind, description, provenByCrc })),
      };
    }
  }
  return printList(json, ',"damage":', damage());
}

function printSegments(json: JsonLines, { state: { table } }: Verification): Promise<void> {
  function* segments() {
    for (let row = 0; row < table.rows; row++) {
      const segment = table.segment(row);
      const { offset, length, kind, format, verdict, foundBySearch } = segment;
      yield {
        offset: String(offset),
        length,
        kind,
        ...(format === undefined ? {} : { format }),
        ...idsOf(segment),
        verdict,
        foundBySearch,
      };
    }
  }
  return printList(json, ',"segments":', segments());
}

async function printSnapshot(json: JsonLines, verification: Verification): Promise<void> {
  const { snapshot } = verification.state;
  const check = verification.snapshotCheck;
  json.piece(',"snapshot":');
  json.open({
    state: snapshotStateOf(verification),
    ...(snapshot.state === 'invalid' ? { reason: snapshot.reason } : {}),
    ...(snapshot.state === 'read' ? { walPosition: String(snapshot.walPosition), entries: snapshot.count } : {}),
    // Only where the list is not all of them.
    ...(check && check.total > check.disagreements.length ? { disagreementsInAll: check.total } : {}),
  });
  function* disagreements() {
    for (const { id, kind, expected, found } of check?.disagreements ?? []) {
      yield {
        ...(id === undefined ? {} : { id: String(id) }),
        kind,
        ...(expected === undefined ? {} : { expected }),
        ...(found === undefined ? {} : { found }),
      };
    }
  }
  await printList(json, ',"disagreements":', disagreements());
  json.piece('}');
}

async function printGenerations(json: JsonLines, verification: Verification, ids: boolean): Promise<void> {
  json.piece(',"generations":{');
  let separator = '';
  for (const view of VIEWS) {
    const outcome = verification.outcomes[view];
    json.piece(`${separator}"${view}":`);
    separator = ',';
    json.open(countsOf(outcome));
    if (ids && outcome.opens) await printIds(json, verification, outcome);
    json.piece('}');
  }
  json.piece('}');
}

function countsOf(outcome: ViewOutcome): object {
  if (!outcome.opens) {
    const { kind, message } = outcome.error;
    const counts = { live: null, unreadable: null, lost: null, stale: null, resurrected: null, wrong: null };
    return { opens: false, error: { kind, message }, ...counts };
  }
  const { unreadable, lost, stale, resurrected, wrong } = outcome.lists;
  return {
    opens: true,
    live: outcome.live,
    unreadable: unreadable?.length ?? null,
    lost: lost.length,
    stale: stale.length,
    resurrected: resurrected.length,
    wrong: wrong.length,
  };
}

async function printIds(
  json: JsonLines,
  { state: { table } }: Verification,
  outcome: Extract<ViewOutcome, { opens: true }>,
): Promise<void> {
  json.piece(',"ids":{');
  const live = liveIds(table, outcome.difference, outcome.live);
  function* liveTexts() {
    for (let at = 0; at < live.count; at++) yield formatU64(live.low(at), live.high(at));
  }
  await printList(json, '"live":', liveTexts());
  for (const name of OUTCOME_NAMES) {
    const list = outcome.lists[name];
    if (list === null) continue;
    function* texts() {
      for (let at = 0; at < list!.length; at++) yield list!.text(at);
    }
    await printList(json, `,"${name}":`, texts());
  }
  json.piece('}');
}
