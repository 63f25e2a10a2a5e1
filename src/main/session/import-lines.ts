import { highU32, lowU32 } from '../../core/u64.ts';
import { toErrorValue, VelescopeError } from '../../shared/errors.ts';
import type { Draft, Params, Result } from '../../shared/protocol.ts';
import type { Operation } from '../engine/log-payload-storage.ts';
import { readOperation } from '../services/operation-lines.ts';
import type { DraftStore } from './drafts.ts';
import { payloadText } from './record-detail.ts';
import type { Session } from './session.ts';
import type { Writer } from './writing.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Takes NDJSON lines, as `dump` prints them and `batch` reads them, as drafts or as one batch. A line is checked whole before
 * anything of it is taken; the first refused one ends the piece, and what came before it stays.
 */
export function importLines(
  session: Session,
  drafts: DraftStore,
  params: Params<'import.lines'>,
  writer: Writer | null,
): Result<'import.lines'> {
  const operations: Operation[] = [];
  let skipped = 0;
  let refused: Result<'import.lines'>['refused'] = null;
  for (const [index, text] of params.text.split('\n').entries()) {
    if (text.trim() === '') continue;
    try {
      const read = readOperation(encoder.encode(text), false);
      if (read.type !== 'write')
        throw new VelescopeError('BAD_REQUEST', `A line of an import cannot be "${read.type}".`);
      for (const operation of read.operations) {
        if (params.conflicts === 'overwrite' || liveRow(session, operation.id) < 0) operations.push(operation);
        else if (params.conflicts === 'skip') skipped++;
        else throw new VelescopeError('DRAFT_CONFLICT', `Id ${operation.id} is there already.`);
      }
    } catch (thrown) {
      const { code, message } = toErrorValue(thrown);
      refused = { line: params.firstLine + index, code, message };
      break;
    }
  }
  if (operations.length > 0) {
    if (writer) writer.apply(operations);
    else drafts.put(operations.map((operation) => draftOf(session, operation)));
  }
  return { applied: operations.length, skipped, refused };
}

function liveRow(session: Session, id: bigint): number {
  return session.state.table.liveRow(lowU32(id), highU32(id));
}

function draftOf(session: Session, operation: Operation): Draft {
  const row = liveRow(session, operation.id);
  const { state } = session;
  return {
    id: String(operation.id),
    action: operation.type,
    text: operation.type === 'delete' ? null : textOf(operation.payload),
    base: row < 0 ? null : { offset: String(state.table.offsets[row]!), text: payloadText(state, row) },
  };
}

function textOf(payload: Uint8Array | string): string {
  return typeof payload === 'string' ? payload : decoder.decode(payload);
}
