import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { retrieve } from '../../core/retrieve.ts';
import { VelescopeError } from '../../shared/errors.ts';
import type { CallContext } from '../../shared/protocol.ts';
import { payloadRange } from './rows.ts';
import type { Session } from './session.ts';

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Writes rows as NDJSON, the lines `dump` prints: payload text as stored, each CR or LF between tokens as a space. Deletes and gaps
 * are left out. The file is removed again when the export is cancelled or fails.
 */
export async function exportRows(
  session: Session,
  rows: Iterable<number>,
  total: number,
  path: string,
  context: CallContext,
): Promise<{ records: number; bytes: number }> {
  const stream = createWriteStream(path, { mode: 0o600 });
  let records = 0;
  let bytes = 0;
  let seen = 0;
  try {
    await once(stream, 'open');
    for (const row of rows) {
      if ((seen++ & 255) === 0) {
        if (context.signal.aborted) throw new VelescopeError('CANCELLED', 'The export was cancelled.');
        context.progress({ done: seen, total });
        await session.breathe();
      }
      const line = lineOf(session, row);
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

/** One line, or null for a row that holds no payload. */
function lineOf(session: Session, row: number): string | null {
  const { table, source } = session.state;
  if (table.kind(row) !== 'store' || !table.hasId(row)) return null;
  const id = JSON.stringify(session.idText(row));
  const generation = session.view === 'salvage' ? 'v3.12' : session.view;
  const verdict = table.verdict(row);
  const range = payloadRange(session.state, row)!;
  if (verdict === 'ok' || verdict === 'unprotected') {
    const text = strict.decode(source.read(range.from, range.to - range.from));
    return `{"id":${id},"payload":${text.replace(/[\r\n]/g, ' ')}}`;
  }
  const read = retrieve(source, table.offsets[row]! + 9, generation);
  const error = read.ok ? { kind: 'InvalidData', message: `the record is damaged: ${verdict}` } : read.error;
  const present = source.read(range.from, range.to - range.from);
  const base64 = present.length === 0 ? '' : `,"base64":${JSON.stringify(Buffer.from(present).toString('base64'))}`;
  return `{"id":${id},"error":${JSON.stringify(error)}${base64}}`;
}
