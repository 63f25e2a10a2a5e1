import type { Generation } from '../../core/generation.ts';
import { replay } from '../../core/replay.ts';
import { runToEnd } from '../../core/steps.ts';
import { formatU64 } from '../../core/u64.ts';
import { crc32 } from '../../main/engine/crc32.ts';
import { loadSnapshot } from '../../main/engine/snapshot-file.ts';
import { openLogForReading } from '../../main/services/read-collection.ts';
import { type CommandLine, Exit } from '../command-line.ts';
import { eachCollection } from '../directories.ts';
import { JsonLines } from '../json-lines.ts';
import { SortedIds } from '../sorted-ids.ts';

export interface ReplayCommandOptions {
  as: Generation;
  json?: boolean;
}

/** `velescope replay`: what one generation of VelesDB holds after opening each directory, as one JSON object a line. */
export function replayCommand(
  line: CommandLine,
  directories: readonly string[],
  options: ReplayCommandOptions,
): Promise<Exit> {
  const json = new JsonLines(line.out);
  return eachCollection(line, directories, options, async ({ directory }) => {
    const log = openLogForReading(line.files, directory);
    try {
      const found = loadSnapshot(line.files, directory);
      const snapshot = found.state === 'valid' ? found.snapshot : null;
      const result = runToEnd(replay({ source: log.source, crc32, generation: options.as, snapshot }));
      const { usedSnapshot } = result;
      if (!result.ok) {
        json.line({ directory, ok: false, usedSnapshot, kind: result.kind, message: result.message });
        return Exit.found;
      }
      const { index } = result;
      const lastSnapshotWalPosition = String(result.lastSnapshotWalPosition);
      const head = { directory, ok: true, usedSnapshot, lastSnapshotWalPosition, count: index.size };
      json.open(head);
      json.piece(',"index":[');
      const ids = new SortedIds(index.size);
      index.forEach((low, high) => {
        ids.add(low, high);
      });
      ids.sort();
      for (let position = 0; position < ids.count; position++) {
        const low = ids.low(position);
        const high = ids.high(position);
        const offset = index.offset64At(index.find(low, high));
        json.piece(`${position === 0 ? '' : ','}["${formatU64(low, high)}","${offset}"]`);
        if (line.out.isFull) await line.out.settle();
      }
      json.piece(']}\n');
      await line.out.settle();
      return Exit.done;
    } finally {
      log.close();
    }
  });
}
