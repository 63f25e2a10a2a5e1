import type { Candidate } from '../../core/repair/candidates.ts';
import { VelescopeError } from '../../shared/errors.ts';
import type { CallContext, Params, Result } from '../../shared/protocol.ts';
import { exportRows } from './export-records.ts';
import type { Session } from './session.ts';

/** Recovery of one session's log: the candidates a person accepted, the plan made of them, and carrying it out. */
export class RecoverySession {
  readonly #accepted = new Map<number, { index: number; candidate: Candidate }>();

  constructor(private readonly session: Session) {}

  accept(row: number, index: number, candidate: Candidate): void {
    this.#accepted.set(row, { index, candidate });
  }

  takeBack(row: number): void {
    this.#accepted.delete(row);
  }

  accepted(): { row: number; index: number }[] {
    return [...this.#accepted].map(([row, { index }]) => ({ row, index }));
  }

  plan(_params: Params<'recovery.plan'>, _context: CallContext): Promise<Result<'recovery.plan'>> {
    throw notYet();
  }
  apply(_plan: string, _path: string, _context: CallContext): Promise<Result<'recovery.apply'>> {
    throw notYet();
  }
  applyInPlace(_plan: string, _context: CallContext): Promise<Result<'recovery.applyInPlace'>> {
    throw notYet();
  }
  removeSnapshot(): string {
    throw notYet();
  }
  trimTail(): Result<'writing.trimTail'> {
    throw notYet();
  }
  moveFullTextAside(): string[] {
    throw notYet();
  }

  async exportRecords(
    params: Params<'export.records'>,
    path: string | null,
    context: CallContext,
  ): Promise<Result<'export.records'>> {
    if (path === null) return null;
    const { session } = this;
    const query = params.query === null ? null : session.queryNamed(params.query);
    const total = params.rows?.length ?? query?.total ?? session.state.table.linkedRows;
    const rows = function* (): Generator<number> {
      if (params.rows) yield* params.rows;
      else for (let position = 0; position < total; position++) yield query ? query.rowAt(position) : position;
    };
    const made = await exportRows(session, rows(), total, path, context);
    return { ...made, path, download: null };
  }
}

function notYet(): VelescopeError {
  return new VelescopeError('NOT_ALLOWED', 'Recovery is not bound to the session yet.');
}
