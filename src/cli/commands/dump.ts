import type { ByteSource } from '../../core/byte-source.ts';
import { DEFAULT_GENERATION, type Generation, type VelesError, type View } from '../../core/generation.ts';
import { LENGTH_FIELD_OFFSET } from '../../core/record.ts';
import { replay } from '../../core/replay.ts';
import { type Retrieved, retrieve } from '../../core/retrieve.ts';
import { runToEnd } from '../../core/steps.ts';
import { formatU64 } from '../../core/u64.ts';
import { crc32 } from '../../main/engine/crc32.ts';
import type { Files } from '../../main/engine/files.ts';
import { loadSnapshot } from '../../main/engine/snapshot-file.ts';
import { openLogForReading, type ReadableLog, scanLog } from '../../main/services/read-collection.ts';
import { type CommandLine, Exit } from '../command-line.ts';
import { eachCollection } from '../directories.ts';
import { JsonLines } from '../json-lines.ts';
import { SortedIds } from '../sorted-ids.ts';

export interface DumpCommandOptions {
  as: View;
  json?: boolean;
}

/** A view's ids in order, and what reading each gives. */
interface OpenedView {
  ok: true;
  ids: SortedIds;
  read(low: number, high: number): Retrieved;
}

/** `velescope dump`: every record of a view by id, one JSON object a line, payload text as stored. */
export function dumpCommand(
  line: CommandLine,
  directories: readonly string[],
  options: DumpCommandOptions,
): Promise<Exit> {
  const json = new JsonLines(line.out);
  return eachCollection(line, directories, options, async ({ directory, collection }) => {
    const log = openLogForReading(line.files, directory);
    const name = collection === null ? {} : { collection };
    try {
      const view =
        options.as === 'salvage'
          ? await openSalvage(line.files, log)
          : openGeneration(line, directory, log.source, options.as);
      if (!view.ok) {
        json.line({ ...name, ok: false, ...view.error });
        return Exit.found;
      }
      let status: Exit = Exit.done;
      const { ids } = view;
      for (let position = 0; position < ids.count; position++) {
        const low = ids.low(position);
        const high = ids.high(position);
        const read = view.read(low, high);
        json.open({ id: formatU64(low, high), ...name });
        if (read.ok) {
          json.piece(',"payload":');
          await json.payload(read.payload);
        } else {
          status = Exit.found;
          json.piece(',"error":');
          json.value({ kind: read.error.kind, message: read.error.message });
          if (read.bytes) {
            json.piece(',"base64":');
            await json.base64(read.bytes);
          }
        }
        json.piece('}\n');
        if (line.out.isFull) await line.out.settle();
      }
      return status;
    } finally {
      log.close();
    }
  });
}

function openGeneration(
  line: CommandLine,
  directory: string,
  source: ByteSource,
  generation: Generation,
): OpenedView | { ok: false; error: VelesError } {
  const found = loadSnapshot(line.files, directory);
  const snapshot = found.state === 'valid' ? found.snapshot : null;
  const result = runToEnd(replay({ source, crc32, generation, snapshot }));
  if (!result.ok) return { ok: false, error: { kind: result.kind, message: result.message } };
  const { index } = result;
  const ids = new SortedIds(index.size);
  index.forEach((low, high) => {
    ids.add(low, high);
  });
  return {
    ok: true,
    ids: ids.sort(),
    read: (low, high) => retrieve(source, index.offset64At(index.find(low, high)), generation),
  };
}

/** Everything intact, whatever lies between; the snapshot is not looked at. */
async function openSalvage(files: Files, log: ReadableLog): Promise<OpenedView> {
  const table = await scanLog(files, log);
  const { source } = log;
  const ids = new SortedIds(table.ids);
  for (let row = 0; row < table.rows; row++) {
    if (table.state(row) === 'live') ids.add(table.idLow[row]!, table.idHigh[row]!);
  }
  return {
    ok: true,
    ids: ids.sort(),
    // *Readable* means VelesDB's JSON rules, those of the default generation: only numbers next to the largest double differ.
    read: (low, high) =>
      retrieve(source, table.offsets[table.liveRow(low, high)]! + LENGTH_FIELD_OFFSET, DEFAULT_GENERATION),
  };
}
