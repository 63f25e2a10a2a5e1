import { highU32, lowU32 } from '../../core/u64.ts';
import { toErrorValue, VelescopeError } from '../../shared/errors.ts';
import { DRAFTS_LIMIT, type Draft, type Params, type Result } from '../../shared/protocol.ts';
import type { Operation } from '../engine/log-payload-storage.ts';
import { readOperation } from '../services/operation-lines.ts';
import type { DraftHistory } from './draft-history.ts';
import type { DraftStore } from './drafts.ts';
import { payloadText } from './record-detail.ts';
import type { Session } from './session.ts';
import type { Writer } from './writing.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Why an id is there already: the log holds it, there is a draft of it, an earlier line of the file brought it. */
type Occupied = 'record' | 'draft' | 'line';

/** Where an import's lines go: what is there already, and how what is taken of a piece gets there. */
export interface ImportTarget {
  /** Null where the id is free. */
  occupied(id: bigint): Occupied | null;
  /** The same once an operation was taken. */
  occupiedBy(operation: Operation): Occupied | null;
  /** How many ids more it takes. */
  room: number;
  /** Takes a piece whole or throws; returns the name by which it is taken back, if it has one. */
  take(operations: readonly Operation[]): string | null;
}

const OCCUPIED_WORDS: Readonly<Record<Occupied, (id: bigint) => string>> = {
  record: (id) => `Id ${id} is there already.`,
  draft: (id) => `There is a draft of id ${id} already.`,
  line: (id) => `An earlier line of the file has id ${id} already.`,
};

/**
 * Takes NDJSON lines, as `dump` prints them and `batch` reads them. A line is checked whole before anything of it is taken; the first
 * refused one ends the piece, and what came before it stays. A line counts with those before it: an id they brought is there already.
 */
export function importLines(
  target: ImportTarget,
  params: Pick<Params<'import.lines'>, 'text' | 'conflicts' | 'firstLine'>,
): Result<'import.lines'> {
  const piece = new Piece(target, params.conflicts);
  let refused: Result<'import.lines'>['refused'] = null;
  for (const [index, text] of params.text.split('\n').entries()) {
    if (text.trim() === '') continue;
    try {
      const read = readOperation(encoder.encode(text), false);
      if (read.type !== 'write')
        throw new VelescopeError('BAD_REQUEST', `A line of an import cannot be "${read.type}".`);
      piece.addLine(read.operations);
    } catch (thrown) {
      const { code, message } = toErrorValue(thrown);
      refused = { line: params.firstLine + index, code, message };
      break;
    }
  }
  const { operations, counts } = piece;
  const change = operations.length > 0 ? target.take(operations) : null;
  return { applied: operations.length, ...counts, refused, change };
}

/** What is taken of a piece, line by line. */
class Piece {
  operations: Operation[] = [];
  counts = { skipped: 0, draftsReplaced: 0, draftsKept: 0 };
  /** What the lines so far made of an id. */
  readonly #made = new Map<bigint, Occupied | null>();
  #fresh = 0;

  constructor(
    private readonly target: ImportTarget,
    private readonly conflicts: Params<'import.lines'>['conflicts'],
  ) {}

  /** All of a line or nothing: a batch in one line holds several. Throws why a line is not taken. */
  addLine(operations: readonly Operation[]): void {
    const taken: Operation[] = [];
    const counts = { ...this.counts };
    for (const operation of operations) {
      const { id } = operation;
      const made = this.#made.get(id);
      const there = made === undefined ? this.target.occupied(id) : made;
      if (there !== null && this.conflicts === 'stop') {
        throw new VelescopeError('DRAFT_CONFLICT', OCCUPIED_WORDS[there](id));
      }
      if (there !== null && this.conflicts === 'skip') {
        counts.skipped++;
        if (there === 'draft') counts.draftsKept++;
        continue;
      }
      if (there === 'draft') counts.draftsReplaced++;
      else if (there !== 'line') this.#fresh++;
      this.#made.set(id, this.target.occupiedBy(operation));
      taken.push(operation);
    }
    if (this.#fresh > this.target.room) {
      throw new VelescopeError(
        'TOO_LARGE',
        `No more than ${DRAFTS_LIMIT} drafts are kept: import straight as batches.`,
      );
    }
    this.operations.push(...taken);
    this.counts = counts;
  }
}

/** Into the log, each piece as one batch with one sync. */
export function importIntoLog(writer: Writer, group: string): ImportTarget {
  return {
    // Asked of the writer: what it only accepted so far stands nowhere else.
    occupied: (id) => (writer.holds(id) ? 'record' : null),
    occupiedBy: ({ type }) => (type === 'store' ? 'record' : null),
    room: Number.POSITIVE_INFINITY,
    take(operations) {
      writer.apply(operations, 'import', group);
      return null;
    },
  };
}

/** As drafts. One that is there already counts as much as a record of the log. */
export function importAsDrafts(
  session: Session,
  drafts: DraftStore,
  history: DraftHistory,
  group: string,
): ImportTarget {
  const there = new Set(drafts.list().map(({ id }) => id));
  return {
    occupied(id) {
      if (there.has(String(id))) return history.has(group, String(id)) ? 'line' : 'draft';
      return liveRow(session, id) < 0 ? null : 'record';
    },
    occupiedBy: () => 'line',
    room: DRAFTS_LIMIT - there.size,
    take(operations) {
      const imported = new Map(operations.map((operation) => [String(operation.id), draftOf(session, operation)]));
      return history.remember(
        drafts.change(() => imported),
        group,
      );
    },
  };
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
