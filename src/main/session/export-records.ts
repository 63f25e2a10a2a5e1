import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { DEFAULT_GENERATION } from '../../core/generation.ts';
import { LENGTH_FIELD_OFFSET } from '../../core/record.ts';
import { retrieve } from '../../core/retrieve.ts';
import type { Steps } from '../../core/steps.ts';
import { compareU64, formatU64 } from '../../core/u64.ts';
import { VelescopeError } from '../../shared/errors.ts';
import type { CallContext } from '../../shared/protocol.ts';
import { payloadRange, stateInView } from './rows.ts';
import type { Session } from './session.ts';
import { runSliced } from './slices.ts';
import { sortRows } from './sorting.ts';

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const PIECE = 1 << 16;

/** What an export takes: lines, null where a row holds no payload, and about how many there are. */
export interface ExportLines {
  lines: Iterable<string | null>;
  total: number;
}

/**
 * Writes NDJSON, the lines `dump` prints: payload text as stored, each CR or LF between tokens as a space. The file is removed again
 * when the export is cancelled or fails.
 */
export async function exportLines(
  session: Session,
  { lines, total }: ExportLines,
  path: string,
  context: CallContext,
): Promise<{ records: number; bytes: number }> {
  const stream = createWriteStream(path, { mode: 0o600 });
  let records = 0;
  let bytes = 0;
  let seen = 0;
  try {
    await once(stream, 'open');
    for (const line of lines) {
      if ((seen++ & 255) === 0) {
        if (context.signal.aborted) throw new VelescopeError('CANCELLED', 'The export was cancelled.');
        context.progress({ done: seen, total });
        await session.breathe();
      }
      if (line === null) continue;
      records++;
      const chunk = Buffer.from(`${line}\n`, 'utf8');
      bytes += chunk.length;
      if (!stream.write(chunk)) await once(stream, 'drain');
    }
    stream.end();
    await once(stream, 'finish');
    return { records, bytes };
  } catch (thrown) {
    stream.destroy();
    await rm(path, { force: true });
    throw thrown;
  }
}

/** Rows that were chosen, each as it stands in the log; deletes and gaps hold no payload. */
export function* linesOfRows(session: Session, rows: Iterable<number>): Generator<string | null> {
  for (const row of rows) yield lineOf(session, row);
}

/**
 * What the session's view holds, by id: byte for byte what `dump --as VIEW` prints. NOT_ALLOWED where that generation refuses the
 * log: an empty file would say that there was nothing.
 */
export async function linesOfView(session: Session, context: CallContext): Promise<ExportLines> {
  const { state, view } = session;
  const outcome = state.outcomes[view];
  if (outcome && !outcome.opens) {
    throw new VelescopeError(
      'NOT_ALLOWED',
      `This log is refused by the VelesDB it is read as: ${outcome.error.message}.`,
      {
        next: 'Read it as another VelesDB, or as Salvage, and export again.',
      },
    );
  }
  const rows = await runSliced(liveRowsById(session), { signal: context.signal });
  const strays = servedFromNoRow(session);
  return { lines: mergedById(session, rows, strays), total: rows.length + strays.length };
}

function* liveRowsById({ state, view }: Session): Steps<Uint32Array> {
  const { table } = state;
  const total = table.linkedRows;
  const rows = new Uint32Array(total);
  let count = 0;
  for (let from = 0; from < total; from += PIECE) {
    const to = Math.min(total, from + PIECE);
    for (let row = from; row < to; row++) if (stateInView(state, view, row) === 'live') rows[count++] = row;
    yield { done: to, total };
  }
  return yield* sortRows(table, rows.subarray(0, count), { by: 'id', direction: 'ascending' });
}

/** An id that is served from a place that is no live row of it: a snapshot says so, or damage led there. */
interface Stray {
  low: number;
  high: number;
  /** Of the length field. */
  offset: bigint;
}

function servedFromNoRow({ state, view }: Session): Stray[] {
  const served = state.difference(view)?.served;
  const { table } = state;
  const strays: Stray[] = [];
  served?.forEach((low, high, offset, slot) => {
    const row = table.rowStartingAt(offset - LENGTH_FIELD_OFFSET);
    const isItsOwn = row >= 0 && table.hasId(row) && compareU64(table.idLow[row]!, table.idHigh[row]!, low, high) === 0;
    if (!isItsOwn || stateInView(state, view, row) !== 'live')
      strays.push({ low, high, offset: served.offset64At(slot) });
  });
  return strays.sort((a, b) => compareU64(a.low, a.high, b.low, b.high));
}

function* mergedById(session: Session, rows: Uint32Array, strays: readonly Stray[]): Generator<string | null> {
  const { table } = session.state;
  let next = 0;
  for (const row of rows) {
    const low = table.idLow[row]!;
    const high = table.idHigh[row]!;
    for (; next < strays.length && compareU64(strays[next]!.low, strays[next]!.high, low, high) < 0; next++) {
      yield servedLine(session, strays[next]!);
    }
    yield isReadable(session, row)
      ? lineOf(session, row)
      : servedLine(session, { low, high, offset: table.offsets[row]! + LENGTH_FIELD_OFFSET });
  }
  for (; next < strays.length; next++) yield servedLine(session, strays[next]!);
}

/** Whether every JSON reader reads the payload, so that it need not be looked at again. */
function isReadable({ state: { table } }: Session, row: number): boolean {
  const verdict = table.verdict(row);
  return (verdict === 'ok' || verdict === 'unprotected') && !table.readersDisagree.has(row);
}

/** What the view answers for an id, read as VelesDB reads it. */
function servedLine(session: Session, { low, high, offset }: { low: number; high: number; offset: number | bigint }) {
  const generation = session.view === 'salvage' ? DEFAULT_GENERATION : session.view;
  const read = retrieve(session.state.source, offset, generation);
  const id = formatU64(low, high);
  return read.ok ? payloadLine(id, read.payload) : errorLine(id, read.error, read.bytes);
}

/** One line, or null for a row that holds no payload. */
function lineOf(session: Session, row: number): string | null {
  const { table, source } = session.state;
  if (table.kind(row) !== 'store' || !table.hasId(row)) return null;
  const id = session.idText(row);
  const generation = session.view === 'salvage' ? DEFAULT_GENERATION : session.view;
  const verdict = table.verdict(row);
  const range = payloadRange(session.state, row)!;
  const present = () => source.read(range.from, range.to - range.from);
  if (verdict === 'ok' || verdict === 'unprotected') return payloadLine(id, present());
  const read = retrieve(source, table.offsets[row]! + LENGTH_FIELD_OFFSET, generation);
  const error = read.ok ? { kind: 'InvalidData', message: `the record is damaged: ${verdict}` } : read.error;
  const bytes = present();
  return errorLine(id, error, bytes.length === 0 ? null : bytes);
}

function payloadLine(id: string, payload: Uint8Array): string {
  return `{"id":"${id}","payload":${strict.decode(payload).replace(/[\r\n]/g, ' ')}}`;
}

function errorLine(id: string, { kind, message }: { kind: string; message: string }, bytes: Uint8Array | null): string {
  const base64 = bytes === null ? '' : `,"base64":"${Buffer.from(bytes).toString('base64')}"`;
  return `{"id":"${id}","error":${JSON.stringify({ kind, message })}${base64}}`;
}
