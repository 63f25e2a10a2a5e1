import type { ByteSource } from './byte-source.ts';
import { acceptedBy, checkPayload } from './json/check.ts';
import { CRC_STORE_OVERHEAD, STORE_HEADER_SIZE } from './record.ts';
import { type RecordTable, VerdictCode } from './record-table.ts';
import type { Steps } from './steps.ts';
import { Window } from './window.ts';

export interface PayloadCheckOptions {
  source: ByteSource;
  /** Scanned; linked or not. Its verdicts are what this pass changes. */
  table: RecordTable;
  /** First row to look at; 0 unless given. */
  fromRow?: number;
  /** The row after the last to look at; all rows unless given. */
  toRow?: number;
}

export interface PayloadCheckResult {
  /** Stores in the range whose record is intact (or legacy and believed): the ones whose payload was looked at. */
  checked: number;
  /** Of these, how many payloads are no JSON text. */
  notJson: number;
  /** Of these, how many are JSON text that VelesDB refuses (docs/format.md, "JSON"). */
  unreadable: number;
}

/** How much text is looked at between two yields. */
const PIECE = 1 << 20;

/**
 * Looks at the payload of every intact store and sets `payload-not-json` or `payload-unreadable` where VelesDB would not read
 * it (docs/contract.md, "Segments"). A verdict is that of the releases up to 7.x; where those from 8.0 on answer differently the row is
 * remembered in the table (`readersDisagree`), so that no payload is read a second time for them. The scan leaves this out because framing alone is several times as fast. Running it twice
 * changes nothing and counts the same. Yields progress in bytes of the log.
 */
export function* checkPayloads(options: PayloadCheckOptions): Steps<PayloadCheckResult> {
  const { source, table } = options;
  const toRow = Math.min(options.toRow ?? table.rows, table.rows);
  const result: PayloadCheckResult = { checked: 0, notJson: 0, unreadable: 0 };
  // Its own buffer: between two yields a session reads other parts of the same source.
  const window = new Window(source, true);
  let nextReport = 0;
  for (let row = options.fromRow ?? 0; row < toRow; row++) {
    const offset = table.offsets[row]!;
    if (offset >= nextReport) {
      yield { done: offset, total: table.end };
      nextReport = offset + PIECE;
    }
    if (table.kind(row) !== 'store') continue;
    const code = table.verdictCode(row);
    if (code === VerdictCode['payload-not-json']) {
      result.checked++;
      result.notJson++;
      continue;
    }
    if (code === VerdictCode['payload-unreadable']) {
      result.checked++;
      result.unreadable++;
      continue;
    }
    if (code !== VerdictCode.ok && code !== VerdictCode.unprotected) continue;

    result.checked++;
    const legacy = code === VerdictCode.unprotected;
    const length = table.length(row);
    if (!window.load(offset, length)) throw new RangeError(`The log was cut: no ${length} bytes at ${offset}`);
    const start = offset - window.base + STORE_HEADER_SIZE;
    const end = start + length - (legacy ? STORE_HEADER_SIZE : CRC_STORE_OVERHEAD);
    const accepted = acceptedBy(window.bytes, start, end);
    if (accepted.approximate !== accepted.exact) table.readersDisagree.add(row);
    if (accepted.approximate) continue;
    const check = checkPayload(window.bytes, start, end);
    if (check.state === 'ok') continue;
    // That a legacy payload is JSON text is what its length was believed for, and what the id chains were built on; only an
    // enormous one was believed unparsed, and it must not turn into an unapplied record under a table that is linked.
    if (check.state === 'unreadable' || legacy) {
      table.setVerdict(row, 'payload-unreadable');
      result.unreadable++;
    } else {
      table.setVerdict(row, 'payload-not-json');
      result.notJson++;
    }
  }
  yield { done: table.end, total: table.end };
  return result;
}
