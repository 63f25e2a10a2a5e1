import type { ByteSource } from '../../core/byte-source.ts';
import type { View } from '../../core/generation.ts';
import type { RecordTable } from '../../core/record-table.ts';
import type { Steps } from '../../core/steps.ts';
import { StoreReader } from '../../core/store-reader.ts';
import { formatU64 } from '../../core/u64.ts';
import type { RecordDetail, Row } from '../../shared/protocol.ts';
import { crc32 } from '../engine/crc32.ts';
import type { CollectionState } from './collection.ts';
import { describeContent, describeRecord } from './record-detail.ts';
import { describeRow, payloadRangeOf, previewOf, type Shape } from './rows.ts';

/** A record as a snapshot names it: nothing of it is known to be so. */
export interface NamedRecord {
  low: number;
  high: number;
  /** Of the marker. */
  offset: bigint;
}

/** How far the scan has come: up to here the table says what the log holds. */
export function scannedEnd(table: RecordTable): number {
  return table.linkedRows < table.rows ? table.offsets[table.linkedRows]! : table.end;
}

/** Describes records that a snapshot names: by their rows once the scan has passed them, before that as they are read in their place. */
export class ProvisionalReader {
  /** Of its own: between two steps pages are read through the state's. */
  readonly #source: ByteSource;
  readonly #stores: StoreReader;

  constructor(
    private readonly state: CollectionState,
    private readonly view: View,
  ) {
    this.#source = state.sourceForPass();
    this.#stores = new StoreReader(this.#source, crc32);
  }

  *row(named: NamedRecord): Steps<Row> {
    const found = yield* this.#find(named);
    if (typeof found === 'number') return describeRow(this.state, this.view, found);
    return this.#describe(named, found);
  }

  *record(named: NamedRecord, revision: number): Steps<RecordDetail> {
    const found = yield* this.#find(named);
    if (typeof found === 'number') return describeRecord(this.state, this.view, found, revision);
    const nothing: Shape = {
      offset: Number(named.offset),
      length: 0,
      kind: 'gap',
      verdict: 'unknown-bytes',
      legacy: false,
    };
    const content = describeContent(this.#source, this.view, found ?? nothing);
    return { ...this.#describe(named, found), revision, ...content };
  }

  /** The row, once the scan has come there; else the shape of the intact record that stands there, or null. */
  *#find({ low, high, offset }: NamedRecord): Steps<number | Shape | null> {
    const { table } = this.state;
    const marker = Number(offset);
    const found = yield* this.#stores.storeAt(marker, low, high);
    // Asked last: the scan goes on while a long record is read.
    if (marker < scannedEnd(table)) {
      const row = table.rowStartingAt(marker);
      const isIts = row >= 0 && table.kind(row) === 'store' && table.idLow[row] === low && table.idHigh[row] === high;
      return isIts ? row : null;
    }
    if (!found) return null;
    const legacy = found.format === 'legacy';
    return { offset: marker, length: found.length, kind: 'store', verdict: legacy ? 'unprotected' : 'ok', legacy };
  }

  #describe({ low, high, offset }: NamedRecord, found: Shape | null): Row {
    const id = formatU64(low, high);
    const common = { row: null, offset: String(offset), foundBySearch: false, versions: 0 };
    if (!found) {
      return {
        ...common,
        provisional: 'elsewhere',
        length: 0,
        kind: 'gap',
        claimedId: id,
        verdict: 'unknown-bytes',
        state: 'gap',
        preview: '',
      };
    }
    const range = payloadRangeOf(found)!;
    return {
      ...common,
      provisional: 'intact',
      length: found.length,
      kind: 'store',
      format: found.legacy ? 'legacy' : 'crc',
      id,
      verdict: found.verdict,
      state: 'live',
      preview: previewOf(this.#source, range.from, range.to),
    };
  }
}
