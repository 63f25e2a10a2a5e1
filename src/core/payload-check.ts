import type { ByteSource } from './byte-source.ts';
import type { ReadInto } from './fast-scan-part.ts';
import { checkPart, PayloadFault, type PayloadFindings, type PayloadRanges } from './payload-part.ts';
import { decodeInfo, type RecordTable } from './record-table.ts';
import type { Steps } from './steps.ts';

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

/**
 * Looks at the payload of every intact store and sets `payload-not-json` or `payload-unreadable` where VelesDB would not read
 * it (docs/contract.md, "Segments"). A verdict is that of the releases up to 7.x; where those from 8.0 on answer differently the row is
 * remembered in the table (`readersDisagree`), so that no payload is read a second time for them. The scan leaves this out because framing alone is several times as fast. Running it twice
 * changes nothing and counts the same. Yields progress in bytes of the log.
 */
export function* checkPayloads({ source, table, fromRow, toRow }: PayloadCheckOptions): Steps<PayloadCheckResult> {
  const parts = new PayloadParts(table, fromRow, toRow);
  const read = readFrom(source);
  for (let part = parts.next(); part !== null; part = parts.next()) {
    const steps = checkPart(part.ranges, read);
    for (let step = steps.next(); ; step = steps.next()) {
      if (step.done) {
        parts.take(step.value);
        break;
      }
      yield { done: step.value, total: table.end };
    }
  }
  yield { done: table.end, total: table.end };
  return parts.result;
}

/** Reads a source into memory of one's own, so that other reads of it may come between. */
export function readFrom(source: ByteSource): ReadInto {
  return (into, start, length, position) => {
    const bytes = source.read(position, length);
    into.set(bytes, start);
    return bytes.length;
  };
}

/** A piece of the work: payloads to be looked at, and how many bytes of the log they lie in. */
export interface PayloadPart {
  ranges: PayloadRanges;
  bytes: number;
}

/** How much of the log a part holds, if no record is longer: some milliseconds of work. */
const PART_SIZE = 8 << 20;

/** For every info byte: a store whose payload is to be looked at, other records on the way, payloads known already, all else. */
const LOOK = 1;
const PASS = 2;
const KNOWN_NOT_JSON = 3;
const KNOWN_UNREADABLE = 4;
const WORK = Uint8Array.from({ length: 256 }, (_, info) => {
  const { kind, verdict } = decodeInfo(info);
  if (kind === 'gap') return 0;
  if (verdict === 'ok' || verdict === 'unprotected') return kind === 'store' ? LOOK : PASS;
  if (kind !== 'store') return 0;
  return verdict === 'payload-not-json' ? KNOWN_NOT_JSON : verdict === 'payload-unreadable' ? KNOWN_UNREADABLE : 0;
});

/** The payload check of a table in parts, which may be worked on side by side: hands them out, and takes what was found into the table. */
export class PayloadParts {
  readonly result: PayloadCheckResult = { checked: 0, notJson: 0, unreadable: 0 };
  readonly #table: RecordTable;
  readonly #partSize: number;
  readonly #toRow: number;
  #row: number;

  /** The rows [fromRow, toRow), all unless given. Only tests need parts of another size than the usual. */
  constructor(table: RecordTable, fromRow = 0, toRow = table.rows, partSize = PART_SIZE) {
    this.#table = table;
    this.#row = fromRow;
    this.#toRow = Math.min(toRow, table.rows);
    this.#partSize = partSize;
  }

  /** Bytes of the log not yet handed out. */
  get left(): number {
    return this.#startOf(this.#toRow) - this.#startOf(Math.min(this.#row, this.#toRow));
  }

  /** Whether any of the rows not yet handed out is longer than so many bytes. */
  hasLongerThan(bytes: number): boolean {
    for (let row = this.#row; row < this.#toRow; row++) {
      if (this.#startOf(row + 1) - this.#startOf(row) > bytes) return true;
    }
    return false;
  }

  /** The next part; null when all have been handed out. It may have nothing in it to be looked at. */
  next(): PayloadPart | null {
    if (this.#row >= this.#toRow) return null;
    const { info } = this.#table;
    const { result } = this;
    const ranges: number[] = [];
    const start = this.#startOf(this.#row);
    let inRange = false;
    let row = this.#row;
    for (; row < this.#toRow; row++) {
      const offset = this.#table.offsets[row]!;
      if (offset - start >= this.#partSize) break;
      const work = WORK[info[row]!]!;
      if (work === LOOK || work === PASS) {
        if (!inRange) ranges.push(offset);
        inRange = true;
        if (work === LOOK) result.checked++;
        continue;
      }
      if (inRange) ranges.push(offset);
      inRange = false;
      if (work === 0) continue;
      result.checked++;
      if (work === KNOWN_NOT_JSON) result.notJson++;
      else result.unreadable++;
    }
    this.#row = row;
    if (inRange) ranges.push(this.#startOf(row));
    return { ranges: Float64Array.from(ranges), bytes: this.#startOf(row) - start };
  }

  #startOf(row: number): number {
    return row < this.#table.rows ? this.#table.offsets[row]! : this.#table.end;
  }

  /** Sets the verdicts of payloads that were looked at. */
  take({ offsets, faults }: PayloadFindings): void {
    const { result } = this;
    const table = this.#table;
    offsets.forEach((offset, at) => {
      const row = table.rowStartingAt(offset);
      const fault = faults[at]!;
      if ((fault & PayloadFault.readersDisagree) !== 0) table.readersDisagree.add(row);
      if ((fault & PayloadFault.notJson) !== 0) {
        table.setVerdict(row, 'payload-not-json');
        result.notJson++;
      } else if ((fault & PayloadFault.unreadable) !== 0) {
        table.setVerdict(row, 'payload-unreadable');
        result.unreadable++;
      }
    });
  }
}
