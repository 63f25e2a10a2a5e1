import { join } from 'node:path';
import { GENERATIONS } from '../../core/generation.ts';
import type { RecoveryPlan } from '../../core/recovery/plan.ts';
import { escapeInvisible } from '../../core/visible.ts';
import type { Files } from './files.ts';
import { BufferedAppender, type LeftOutPieces, type PassResult } from './recovery-pass.ts';

export const EVIDENCE_DIRECTORY = 'evidence';
export const EVIDENCE_FILE = 'left-out.bin';
export const EVIDENCE_INDEX = 'index.json';
export const REPORT_JSON = 'recovery-report.json';
export const REPORT_MARKDOWN = 'recovery-report.md';

/** How many pieces the Markdown names one by one; all are in the JSON and in the evidence's index. */
const MARKDOWN_PIECES = 200;

/** Everything a report says. Payload text is no part of it: reports get mailed. */
export interface ReportFacts {
  /** ISO 8601, UTC. */
  time: string;
  directory: string;
  target: string;
  inPlace: boolean;
  plan: RecoveryPlan;
  pass: PassResult;
  steps: readonly string[];
}

/** Writes the index of the evidence: where each piece stood in the input and stands in `left-out.bin`, one line a piece. */
export function writeEvidenceIndex(files: Files, path: string, facts: ReportFacts): void {
  writeText(files, path, function* () {
    const { inputSha256, leftOut } = facts.pass;
    yield '{\n"format": "velescope evidence 1",\n';
    yield `"input": ${json({ bytes: facts.plan.inputBytes, sha256: inputSha256 })},\n`;
    yield `"file": ${json(EVIDENCE_FILE)},\n"pieces": `;
    yield* piecesJson(leftOut);
    yield '\n}\n';
  });
}

/** Writes `recovery-report.json` and `recovery-report.md` with every decision. Synced; the directory is not. */
export function writeReports(files: Files, directory: string, facts: ReportFacts): void {
  writeText(files, join(directory, REPORT_JSON), () => reportJson(facts));
  writeText(files, join(directory, REPORT_MARKDOWN), () => reportMarkdown(facts));
}

function writeText(files: Files, path: string, pieces: () => Generator<string>): void {
  const file = files.open(path, 'create');
  try {
    const out = new BufferedAppender(file);
    for (const piece of pieces()) out.text(piece);
    out.flush();
    file.sync();
  } finally {
    file.close();
  }
}

function json(value: unknown): string {
  return escapeInvisible(JSON.stringify(value));
}

function* piecesJson(leftOut: LeftOutPieces): Generator<string> {
  yield '[';
  let position = 0;
  let first = true;
  for (const { offset, length, verdict, sha256 } of leftOut) {
    yield `${first ? '\n' : ',\n'}${json({ offset: String(offset), length, verdict, sha256, position: String(position) })}`;
    position += length;
    first = false;
  }
  yield first ? ']' : '\n]';
}

function* reportJson(facts: ReportFacts): Generator<string> {
  const { plan, pass } = facts;
  const line = (name: string, value: unknown) => `${json(name)}: ${json(value)},\n`;
  yield '{\n';
  yield line('format', 'velescope recovery report 1');
  yield line('time', facts.time);
  yield line('directory', facts.directory);
  yield line('target', facts.target);
  yield line('inPlace', facts.inPlace);
  yield line('policy', plan.policy);
  yield line('compact', plan.compact);
  yield line('input', { bytes: plan.inputBytes, sha256: pass.inputSha256, damagedSegments: plan.damage });
  yield line('output', { bytes: plan.outputBytes, sha256: pass.outputSha256 });
  yield line('verified', true);
  yield line('kept', plan.kept);
  yield line('leftOutTotals', plan.leftOut);
  yield line('compactedAway', plan.compactedAway);
  yield line('added', plan.added);
  yield line('candidatesNotSought', plan.candidatesNotSought);
  yield `${json('candidates')}: [`;
  let first = true;
  for (const repair of plan.repairs) {
    const { offset, consumed, length, kind, id, how, provenByCrc, accepted, enters } = repair;
    const changed = repair.changes.map((change) => ({
      offset: String(offset + change.offset),
      bytesBefore: change.before.length,
      bytesAfter: change.after.length,
    }));
    yield `${first ? '\n' : ',\n'}${json({ offset: String(offset), replaced: consumed, length, kind, id: String(id), change: how, changed, provenByCrc, acceptedByPerson: accepted, applied: enters })}`;
    first = false;
  }
  yield first ? '],\n' : '\n],\n';
  if (plan.predicted) {
    const { live, unreadable, unreadableFrom8, lost, stale, resurrected, repaired } = plan.predicted;
    yield line('result', {
      live,
      unreadable: unreadable.length,
      unreadableFrom8: unreadableFrom8.length,
      lost: lost.length,
      stale: stale.length,
      resurrected: resurrected.length,
      repaired: repaired.length,
      openedBy: GENERATIONS,
    });
    for (const [name, ids] of Object.entries({ unreadable, unreadableFrom8, lost, stale, resurrected, repaired })) {
      if (ids.length === 0) continue;
      yield `${json(`${name}Ids`)}: [`;
      for (let at = 0; at < ids.length; at++) yield `${at === 0 ? '' : ','}"${ids.text(at)}"`;
      yield '],\n';
    }
  }
  yield `${json('leftOut')}: `;
  yield* piecesJson(pass.leftOut);
  yield `,\n${json('steps')}: ${json(facts.steps)}\n}\n`;
}

function* reportMarkdown(facts: ReportFacts): Generator<string> {
  const { plan, pass } = facts;
  yield '# Recovery report\n\n';
  yield `- Time: ${facts.time}\n- Source: ${code(facts.directory)}\n- Result: ${code(facts.target)}${facts.inPlace ? ' (put in place)' : ''}\n`;
  yield `- Policy: ${plan.policy}${plan.compact ? ', compacted to live records' : ''}\n`;
  yield `- Input: ${plan.inputBytes} bytes, ${plan.damage} damaged segments, SHA-256 ${pass.inputSha256}\n`;
  yield `- Output: ${plan.outputBytes} bytes, SHA-256 ${pass.outputSha256}\n`;
  yield '- Verified: the output was read back, scanned and opened as every VelesDB generation would open it, and is what was planned.\n\n';
  yield '| | records | ids | bytes of the input |\n|---|---|---|---|\n';
  yield `| kept as they are | ${plan.kept.records} | ${plan.kept.ids} | ${plan.kept.bytes} |\n`;
  yield `| left out, kept as evidence | ${plan.leftOut.records} | ${plan.leftOut.ids} | ${plan.leftOut.bytes} |\n`;
  yield `| compacted away | ${plan.compactedAway.records} | | ${plan.compactedAway.bytes} |\n`;
  yield `| together | | | ${plan.kept.bytes + plan.leftOut.bytes + plan.compactedAway.bytes} |\n\n`;
  if (plan.added.records > 0) {
    yield `Candidates gave back ${plan.added.records} records (${plan.added.bytes} bytes), in place of damaged bytes that are counted as left out.\n\n`;
  }
  if (plan.predicted) {
    const { live, unreadable, unreadableFrom8, lost, stale, resurrected, repaired } = plan.predicted;
    const from8 =
      unreadableFrom8.length === unreadable.length ? '' : ` (${unreadableFrom8.length} from release 8.0 on)`;
    yield `Every VelesDB generation opens the result: ${live} live ids, ${unreadable.length} of them unreadable${from8}. Against everything intact in the source, ${lost.length} ids are lost, ${stale.length} have an older version and ${resurrected.length} deleted ones are back.${repaired.length > 0 ? ` ${repaired.length} ids are as a repaired record says.` : ''}\n\n`;
  }
  const pieces = pass.leftOut;
  yield `## Left out\n\n`;
  if (pieces.count === 0) yield 'Nothing.\n\n';
  else {
    yield `The bytes are in ${code(`${EVIDENCE_DIRECTORY}/${EVIDENCE_FILE}`)}, one piece after the other.\n\n`;
    yield '| offset | bytes | verdict | SHA-256 |\n|---|---|---|---|\n';
    for (let at = 0; at < Math.min(pieces.count, MARKDOWN_PIECES); at++) {
      const { offset, length, verdict, sha256 } = pieces.at(at);
      yield `| ${offset} | ${length} | ${verdict} | ${sha256} |\n`;
    }
    if (pieces.count > MARKDOWN_PIECES) {
      yield `\n${pieces.count - MARKDOWN_PIECES} more are in ${code(`${EVIDENCE_DIRECTORY}/${EVIDENCE_INDEX}`)}.\n`;
    }
    yield '\n';
  }
  if (plan.repairs.length > 0) {
    yield '## Candidates\n\n| offset | id | change | proven by CRC | chosen by | in the output |\n|---|---|---|---|---|---|\n';
    for (const { offset, id, how, provenByCrc, accepted, enters } of plan.repairs.slice(0, MARKDOWN_PIECES)) {
      yield `| ${offset} | ${id} | ${how} | ${provenByCrc ? 'yes' : 'no'} | ${accepted ? 'a person' : 'being the only one proven'} | ${enters ? 'yes' : 'no'} |\n`;
    }
    if (plan.repairs.length > MARKDOWN_PIECES) {
      yield `\n${plan.repairs.length - MARKDOWN_PIECES} more are in ${code(REPORT_JSON)}.\n`;
    }
    yield '\n';
  }
  yield '## Next\n\n';
  let number = 1;
  for (const step of facts.steps) yield `${number++}. ${prose(step)}\n`;
}

/** Hostile names as code in Markdown: no character of theirs ends it. */
function code(text: string): string {
  const escaped = escapeInvisible(text);
  const longest = Math.max(0, ...[...escaped.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return longest === 0 ? `${fence}${escaped}${fence}` : `${fence} ${escaped} ${fence}`;
}

/** A step: the command behind its last colon, if any, as code. */
function prose(step: string): string {
  const match = /^(.*: )((?:ln|mv|cp|velescope) .*)$/s.exec(step);
  return match
    ? `${escapeInvisible(match[1]!)}${code(match[2]!)}`
    : escapeInvisible(step).replace(/[\\`*_[\]<>|#]/g, '\\$&');
}
