import { setTimeout as pause } from 'node:timers/promises';
import type { RecordTable } from '../../core/record-table.ts';
import { planRecovery, type RecoveryPlan, type RecoveryPolicy } from '../../core/recovery/plan.ts';
import { runToEnd } from '../../core/steps.ts';
import { escapeInvisible } from '../../core/visible.ts';
import { crc32 } from '../../main/engine/crc32.ts';
import type { Files } from '../../main/engine/files.ts';
import { LOG_FILE } from '../../main/engine/lock.ts';
import { findHolder } from '../../main/engine/lock-holder.ts';
import { dryRun, type RecoveryResult, recoverTo } from '../../main/engine/recovery.ts';
import { type ReadLog, readForRecovery } from '../../main/engine/recovery-read.ts';
import { requireFreshTarget } from '../../main/engine/recovery-target.ts';
import { inspectDirectory, join } from '../../main/services/directory.ts';
import {
  endsTorn,
  holderOfCollection,
  holderWords,
  inFlightRefusal,
  inFlightWords,
  MOMENT_MILLISECONDS,
} from '../../main/services/in-flight.ts';
import { VelescopeError } from '../../shared/errors.ts';
import { type CommandLine, Exit, worse } from '../command-line.ts';
import { reporting, requireCollection } from '../directories.ts';
import { JsonLines } from '../json-lines.ts';
import type { Output } from '../output.ts';
import { counted, number, Page } from '../page.ts';

export interface RecoverCommandOptions {
  to: string;
  policy: RecoveryPolicy;
  dryRun?: boolean;
  applyCandidates?: boolean;
  compact?: boolean;
  json?: boolean;
}

/** `velescope recover`: everything that the policy keeps, written to a new directory and proven; of a root, each collection. */
export function recoverCommand(line: CommandLine, directory: string, options: RecoverCommandOptions): Promise<Exit> {
  return reporting(line, directory, options, async () => {
    const inspected = inspectDirectory(line.files, directory);
    if (inspected.kind !== 'root') {
      requireCollection(directory, inspected.kind === 'collection' ? inspected.collection : null);
      return recoverOne(line, directory, options.to, [], options);
    }
    // Before the first collection is written: the others would not be stopped by a target that the first one filled.
    requireFreshTarget(line.files, [directory], options.to);
    let status: Exit = Exit.done;
    for (const entry of inspected.collections) {
      const { path, name } = entry;
      const target = join(options.to, name);
      const result = await reporting(line, path, options, () => {
        requireCollection(path, entry);
        return recoverOne(line, path, target, [directory], options);
      });
      status = worse(status, result);
    }
    return status;
  });
}

async function recoverOne(
  line: CommandLine,
  directory: string,
  target: string,
  sources: readonly string[],
  options: RecoverCommandOptions,
): Promise<Exit> {
  const { read, holder } = await readSettled(line.files, directory);
  try {
    const { source, table } = read;
    const { policy, compact = false, applyCandidates = false } = options;
    const plan = runToEnd(planRecovery({ source, table, crc32, policy, compact, applyCandidates }));
    if (holder !== null && !plan.met) throw inFlightError(table, plan, holder);
    const carryOut = options.dryRun ? dryRun : recoverTo;
    const result = runToEnd(carryOut({ ...read, plan }, target, sources));
    if (holder !== null) {
      result.steps.unshift(`${inFlightWords(table, holder)}. It is left out. Stop that process and run this again.`);
    }
    const named = { directory, target };
    if (options.json) await printJson(new JsonLines(line.out), named, result, options);
    else await printText(line.out, named, result, options);
    await line.out.settle();
    // Where there should be a log and is none, there was nothing to recover, which is no good news.
    return plan.damage > 0 || plan.leftOut.pieces > 0 || read.log === null ? Exit.found : Exit.done;
  } finally {
    read.close();
  }
}

/**
 * Reads the log for a recovery; where it ends in a torn record beside a running VelesDB, once more after a moment. `holder` names who
 * is writing the record that is unfinished even then; null where none is.
 */
async function readSettled(files: Files, directory: string): Promise<{ read: ReadLog; holder: string | null }> {
  const read = runToEnd(readForRecovery(files, directory));
  const writer = () => holderOfCollection(files, directory, join(directory, LOG_FILE), findHolder);
  if (!endsTorn(read.table) || writer() === null) return { read, holder: null };
  read.close();
  await pause(MOMENT_MILLISECONDS);
  const again = runToEnd(readForRecovery(files, directory));
  const holder = endsTorn(again.table) ? writer() : null;
  return { read: again, holder: holder && holderWords(holder) };
}

function inFlightError(table: RecordTable, { refusal, policy }: RecoveryPlan, holder: string): VelescopeError {
  return new VelescopeError('POLICY_NOT_MET', inFlightRefusal(table, refusal ?? '', holder), {
    next: 'Stop that process, or wait until it has written the record, and run this again.',
    data: { policy },
  });
}

/** Directories as they were given. */
interface Named {
  directory: string;
  target: string;
}

async function printJson(
  json: JsonLines,
  { directory, target }: Named,
  result: RecoveryResult,
  options: RecoverCommandOptions,
): Promise<void> {
  const { plan } = result;
  const { records, ids, bytes } = plan.kept;
  json.open({ directory, target, policy: options.policy, kept: { records, ids, bytes } });
  json.piece(',"leftOut":[');
  let separator = '';
  for (const { offset, length, verdict, sha256 } of result.leftOut) {
    json.piece(separator);
    json.value({ offset: String(offset), length, verdict, sha256 });
    separator = ',';
    if (json.output.isFull) await json.output.settle();
  }
  json.piece(']');
  const rest = {
    ...(options.compact ? { compactedAway: plan.compactedAway } : {}),
    candidatesApplied: plan.candidatesApplied,
    evidence: result.evidence,
    inputSha256: result.inputSha256,
    outputSha256: result.outputSha256,
    // Nothing was written that could have been.
    ...(options.dryRun ? {} : { verified: result.verified }),
    steps: result.steps,
  };
  json.piece(',');
  json.members(rest);
  json.piece('}\n');
}

/** So many left-out pieces are told one by one; the report lists all. */
const TOLD_AT_MOST = 20;

async function printText(
  output: Output,
  { directory, target }: Named,
  result: RecoveryResult,
  options: RecoverCommandOptions,
): Promise<void> {
  const { plan } = result;
  const page = new Page(output);
  const done = options.dryRun ? 'would be written to' : 'recovered to';
  page.line(`${escapeInvisible(directory)}: ${done} ${escapeInvisible(target)}, policy ${options.policy}`);
  const { records, ids, bytes } = plan.kept;
  page.labelled('kept', `${counted(records, 'record')} of ${counted(ids, 'id')}, ${counted(bytes, 'byte')}`);
  if (plan.candidatesApplied > 0)
    page.labelled('repaired', `${counted(plan.candidatesApplied, 'record')}, proven by CRC`);
  if (plan.candidatesNotSought > 0)
    page.labelled(
      'unrepaired',
      `no repair was looked for in the last ${counted(plan.candidatesNotSought, 'damaged segment')}`,
    );
  const compacted = plan.compactedAway;
  if (options.compact)
    page.labelled('compacted', `${counted(compacted.records, 'record')}, ${counted(compacted.bytes, 'byte')}`);
  printLeftOut(page, result);
  page.labelled('in all', `${counted(plan.inputBytes, 'byte')} read, ${number(plan.outputBytes)} in the result`);
  if (result.verified) page.labelled('verified', 'read back and opened as every VelesDB would: as planned');
  page.line('  next');
  // Never broken into lines: they hold commands, which somebody will copy.
  result.steps.forEach((step, at) => {
    page.line(`    ${at + 1}. ${escapeInvisible(step)}`);
  });
  page.line('');
}

function printLeftOut(page: Page, { plan, leftOut, evidence }: RecoveryResult): void {
  const { pieces, bytes } = plan.leftOut;
  if (pieces === 0) {
    page.labelled('left out', 'nothing');
    return;
  }
  const kept = evidence === null ? '' : `, kept in ${escapeInvisible(evidence)}`;
  page.labelled('left out', `${counted(bytes, 'byte')} in ${counted(pieces, 'piece')}${kept}`);
  let told = 0;
  for (const { offset, length, verdict } of leftOut) {
    if (told++ === TOLD_AT_MOST) break;
    page.labelled('', `${verdict} at offset ${offset}, ${counted(length, 'byte')}`);
  }
  if (pieces > TOLD_AT_MOST) page.labelled('', `and ${number(pieces - TOLD_AT_MOST)} more`);
}
