import { VIEWS, type View } from '../../core/generation.ts';
import {
  type PredictedOutcome,
  planRecovery,
  predictedUnreadable,
  type RecoveryPlan,
} from '../../core/recovery/plan.ts';
import { FateCode } from '../../core/recovery/ranges.ts';
import { VelescopeError } from '../../shared/errors.ts';
import type { CallContext, OutcomeCounts, Params, Plan, RecoveryResult, Result } from '../../shared/protocol.ts';
import { crc32 } from '../engine/crc32.ts';
import { findHolder } from '../engine/lock-holder.ts';
import {
  type RecoveryResult as EngineResult,
  type InPlaceResult,
  moveFullTextAside,
  putInPlace,
  type RecoveryInput,
  recoverInPlace,
  recoverTo,
  removeSnapshot,
  trimTail,
} from '../engine/recovery.ts';
import { inFlightRefusal } from '../services/in-flight.ts';
import { AcceptedCandidates } from './accepted.ts';
import { type ExportLines, exportLines, linesOfRows, linesOfView } from './export-records.ts';
import type { Session } from './session.ts';
import { runSliced } from './slices.ts';

/** How many left-out pieces a plan names; it counts them all. */
const FIRST_PIECES = 100;
const KEPT_PLANS = 8;

/** Recovery of one session's log: the candidates a person accepted, the plans made of them, and carrying one out. */
export class RecoverySession {
  readonly accepted: AcceptedCandidates;
  /** Plans by name, with the revision of the log they were made of. */
  readonly #plans = new Map<string, { plan: RecoveryPlan; scannedBytes: number; result: EngineResult | null }>();
  #nextPlan = 1;

  constructor(private readonly session: Session) {
    this.accepted = new AcceptedCandidates(session);
  }

  /** Forgets what belongs to an older reading of the log: rows have other numbers now. */
  forget(): void {
    this.accepted.forgetRows();
    this.#plans.clear();
  }

  /** The dry run: what a policy would keep and leave out. Touches nothing. */
  async plan(params: Params<'recovery.plan'>, context: CallContext): Promise<Plan> {
    const { state } = this.session;
    this.#requireReady();
    const accepted = await this.accepted.list();
    const plan = await runSliced(
      planRecovery({
        source: state.sourceForPass(),
        table: state.table,
        crc32,
        policy: params.policy,
        compact: params.compact,
        applyCandidates: params.applyCandidates,
        acceptedCandidates: new Map(accepted.map(({ row, candidate }) => [row, candidate])),
      }),
      { signal: context.signal, onProgress: context.progress },
    );
    const { holder } = this.session.lock();
    if (plan.refusal !== null && holder !== null && this.session.isInFlight(state.table.rows - 1)) {
      plan.refusal = inFlightRefusal(state.table, plan.refusal, holder);
    }
    const name = `plan-${this.#nextPlan++}`;
    if (this.#plans.size >= KEPT_PLANS) this.#plans.delete(this.#plans.keys().next().value!);
    this.#plans.set(name, { plan, scannedBytes: state.size, result: null });
    return describePlan(name, plan);
  }

  /** Writes the result into a new directory and proves it there. */
  async apply(name: string, target: string, context: CallContext): Promise<RecoveryResult> {
    const entry = this.#planNamed(name);
    const result = await runSliced(recoverTo({ ...this.#input(), plan: entry.plan }, target), {
      signal: context.signal,
      onProgress: context.progress,
    });
    entry.result = result;
    return describeResult(result);
  }

  async applyInPlace(name: string, context: CallContext): Promise<RecoveryResult> {
    const { plan } = this.#planNamed(name);
    const result: InPlaceResult = await runSliced(recoverInPlace({ ...this.#input(), plan }, { findHolder }), {
      signal: context.signal,
      onProgress: context.progress,
    });
    this.accepted.clear();
    this.forget();
    return describeResult(result);
  }

  /** Puts the proven result of an applied plan where the collection is. */
  async putInPlace(name: string, context: CallContext): Promise<Result<'recovery.putInPlace'>> {
    const { result } = this.#planNamed(name);
    if (result === null) {
      throw new VelescopeError('NO_SUCH_PLAN', 'This plan was not carried out yet.', {
        next: 'Recover to a new directory first.',
      });
    }
    const { files, directory } = this.session.state;
    const { target, inputSha256, outputSha256 } = result;
    const kept = await runSliced(putInPlace({ files, directory, target, inputSha256, outputSha256 }, { findHolder }), {
      signal: context.signal,
      onProgress: context.progress,
    });
    this.accepted.clear();
    this.forget();
    return { keptIn: kept.keptIn, keptAs: kept.keptAs };
  }

  async trimTail(context: CallContext): Promise<Result<'writing.trimTail'>> {
    const { state } = this.session;
    this.#requireReady();
    const trimmed = await runSliced(trimTail({ ...this.#input(), source: state.sourceForPass() }, { findHolder }), {
      signal: context.signal,
      onProgress: context.progress,
    });
    this.forget();
    return { bytes: trimmed.trimmedBytes, keptAs: trimmed.trimmedAs };
  }

  removeSnapshot(): string {
    const { files, directory } = this.session.state;
    return removeSnapshot({ files, directory }, { findHolder }).keptAs;
  }

  moveFullTextAside(): string[] {
    const { files, directory } = this.session.state;
    return moveFullTextAside({ files, directory }, { findHolder }).moved;
  }

  /** The rows of a list, rows that were chosen, or all that the view holds, as NDJSON in a file. */
  async exportRecords(
    params: Params<'export.records'>,
    path: string | null,
    context: CallContext,
  ): Promise<Result<'export.records'>> {
    if (path === null) return null;
    const made = await exportLines(this.session, await this.#exported(params, context), path, context);
    return { ...made, path, download: null };
  }

  #exported({ rows, query: name }: Params<'export.records'>, context: CallContext): ExportLines | Promise<ExportLines> {
    const { session } = this;
    if (rows) {
      for (const row of rows) session.requireRow(row);
      return { lines: linesOfRows(session, rows), total: rows.length };
    }
    if (name === null) {
      this.#requireReady();
      return linesOfView(session, context);
    }
    const query = session.queryNamed(name);
    if (query.tailCount > 0) throw notVerifiedYet();
    const { total } = query;
    const listed = function* (): Generator<number> {
      for (let position = 0; position < total; position++) yield query.rowAt(position);
    };
    return { lines: linesOfRows(session, listed()), total };
  }

  #planNamed(name: string): { plan: RecoveryPlan; scannedBytes: number; result: EngineResult | null } {
    const entry = this.#plans.get(name);
    if (!entry)
      throw new VelescopeError('NO_SUCH_PLAN', 'This plan is not known any more.', { next: 'Make it again.' });
    if (entry.scannedBytes !== this.session.state.size) {
      throw new VelescopeError('SOURCE_CHANGED', 'The log has grown since the plan was made.', {
        next: 'Make the plan again.',
      });
    }
    return entry;
  }

  #input(): Omit<RecoveryInput, 'plan'> {
    const { state } = this.session;
    return {
      files: state.files,
      directory: state.directory,
      log: state.log?.file ?? null,
      seen: state.log?.seen ?? null,
      table: state.table,
    };
  }

  #requireReady(): void {
    if (this.session.phase === 'ready') return;
    throw new VelescopeError('NOT_ALLOWED', 'The log is still being read.', {
      next: 'Wait until the scan is complete.',
    });
  }
}

function describePlan(name: string, plan: RecoveryPlan): Plan {
  const first: Plan['leftOut']['first'] = [];
  for (let range = 0; range < plan.ranges.count && first.length < FIRST_PIECES; range++) {
    if (plan.ranges.fateCode(range) !== FateCode.leftOut) continue;
    first.push({
      offset: String(plan.ranges.offset(range)),
      length: plan.ranges.length(range),
      verdict: plan.ranges.verdict(range),
    });
  }
  const predicted = plan.predicted;
  return {
    plan: name,
    policy: plan.policy === 'trim-tail' ? 'tolerate-tail' : plan.policy,
    compact: plan.compact,
    met: plan.met,
    refusal: plan.refusal,
    inputBytes: plan.inputBytes,
    kept: { records: plan.kept.records, ids: plan.kept.ids, bytes: plan.kept.bytes },
    leftOut: { pieces: plan.leftOut.pieces, bytes: plan.leftOut.bytes, first },
    compactedAway: plan.compactedAway,
    candidatesApplied: plan.candidatesApplied,
    outcomes:
      predicted === null ? {} : Object.fromEntries(VIEWS.map((view) => [view, describePrediction(predicted, view)])),
  };
}

/** The output is sound, so every generation holds the same records. */
function describePrediction(predicted: PredictedOutcome, view: View): OutcomeCounts {
  return {
    opens: true,
    error: null,
    live: predicted.live,
    unreadable: predictedUnreadable(predicted, view).length,
    lost: predicted.lost.length,
    stale: predicted.stale.length,
    resurrected: predicted.resurrected.length,
    wrong: 0,
  };
}

function describeResult(result: EngineResult): RecoveryResult {
  return {
    target: result.target,
    database: null,
    kept: { records: result.plan.kept.records, ids: result.plan.kept.ids, bytes: result.plan.kept.bytes },
    leftOutBytes: result.plan.leftOut.bytes,
    inputSha256: result.inputSha256,
    outputSha256: result.outputSha256,
    verified: result.verified,
    steps: result.steps,
  };
}

function notVerifiedYet(): VelescopeError {
  return new VelescopeError('NOT_ALLOWED', 'A part of this list comes from the snapshot and is not verified yet.', {
    next: 'Export it once the scan is complete.',
  });
}
