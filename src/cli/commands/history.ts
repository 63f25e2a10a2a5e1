import type { ByteSource } from '../../core/byte-source.ts';
import type { View } from '../../core/generation.ts';
import { checkPayload } from '../../core/json/check.ts';
import { CRC_SIZE, LENGTH_FIELD_OFFSET, STORE_HEADER_SIZE } from '../../core/record.ts';
import type { RecordTable } from '../../core/record-table.ts';
import { replay } from '../../core/replay.ts';
import { isDamage, type Verdict } from '../../core/segment.ts';
import { runToEnd } from '../../core/steps.ts';
import { highU32, lowU32, readU32 } from '../../core/u64.ts';
import { crc32 } from '../../main/engine/crc32.ts';
import { loadSnapshot } from '../../main/engine/snapshot-file.ts';
import { openLogForReading, scanLog } from '../../main/services/read-collection.ts';
import { VelescopeError } from '../../shared/errors.ts';
import { type CommandLine, Exit } from '../command-line.ts';
import { oneCollection, reporting } from '../directories.ts';
import { JsonLines } from '../json-lines.ts';

export interface HistoryCommandOptions {
  as: View;
  json?: boolean;
}

/** `velescope history`: every version and delete of an id, oldest first, one JSON object a line. */
export function historyCommand(
  line: CommandLine,
  directory: string,
  id: bigint,
  options: HistoryCommandOptions,
): Promise<Exit> {
  return reporting(line, directory, options, async () => {
    const { entry } = oneCollection(line, directory, 'history');
    if (entry === null) {
      throw new VelescopeError('NOT_FOUND', `${directory} holds no payload log`, {
        next: 'Name the directory that holds payloads.log.',
      });
    }
    const log = openLogForReading(line.files, directory);
    try {
      const { source } = log;
      const table = await scanLog(line.files, log);
      const low = lowU32(id);
      const high = highU32(id);
      const live = liveRowIn(line, directory, options.as, source, table, low, high);
      const json = new JsonLines(line.out);
      let status: Exit = live === null ? Exit.found : Exit.done;
      for (const row of table.history(low, high)) {
        const { offset, length, kind, format, foundBySearch, verdict: framing } = table.segment(row);
        const payload = kind === 'store' ? payloadOf(source, offset, length, format === 'crc') : null;
        const verdict = payload && !isDamage(framing) ? verdictOf(payload, framing) : framing;
        if (isDamage(verdict)) status = Exit.found;
        json.open({ offset: String(offset), length, kind, format, verdict, foundBySearch, live: row === live });
        if (payload && checkPayload(payload).state === 'ok') {
          json.piece(',"payload":');
          await json.payload(payload);
        } else if (payload) {
          json.piece(',"base64":');
          await json.base64(payload);
        }
        json.piece('}\n');
        await line.out.settle();
      }
      return status;
    } finally {
      log.close();
    }
  });
}

/** The row a view serves for the id, -1 when it serves none of them, null when the generation refuses to open. */
function liveRowIn(
  line: CommandLine,
  directory: string,
  view: View,
  source: ByteSource,
  table: RecordTable,
  low: number,
  high: number,
): number | null {
  if (view === 'salvage') return table.liveRow(low, high);
  const found = loadSnapshot(line.files, directory);
  const snapshot = found.state === 'valid' ? found.snapshot : null;
  const result = runToEnd(replay({ source, crc32, generation: view, snapshot }));
  if (!result.ok) return null;
  const slot = result.index.find(low, high);
  // An offset that a snapshot made up may lie anywhere: only the start of a record of this id's counts.
  return slot < 0 ? -1 : table.rowStartingAt(result.index.offsetAt(slot) - LENGTH_FIELD_OFFSET);
}

/** What is present of a store's payload: a copy. Null where the record ends before its payload begins. */
function payloadOf(source: ByteSource, offset: number, length: number, hasCrc: boolean): Uint8Array | null {
  if (length < STORE_HEADER_SIZE) return null;
  const claimed = readU32(source.read(offset + LENGTH_FIELD_OFFSET, 4), 0);
  const present = length - STORE_HEADER_SIZE;
  const whole = present === claimed + (hasCrc ? CRC_SIZE : 0);
  return source.read(offset + STORE_HEADER_SIZE, whole ? claimed : Math.min(claimed, present)).slice();
}

function verdictOf(payload: Uint8Array, framing: Verdict): Verdict {
  const { state } = checkPayload(payload);
  return state === 'ok' ? framing : state === 'not-json' ? 'payload-not-json' : 'payload-unreadable';
}
