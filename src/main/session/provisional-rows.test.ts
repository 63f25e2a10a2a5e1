import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IdIndex } from '../../core/id-index.ts';
import { LogBuilder } from '../../core/log-builder.fixture.ts';
import { encodeLegacyStore, encodeStore } from '../../core/record.ts';
import { encodeSnapshot, SNAPSHOT_ENTRY_SIZE, SNAPSHOT_HEADER_SIZE } from '../../core/snapshot.ts';
import { runToEnd } from '../../core/steps.ts';
import { readU32, writeU32, writeU64 } from '../../core/u64.ts';
import type { CallContext, Row } from '../../shared/protocol.ts';
import { crc32 } from '../engine/crc32.ts';
import { MemoryFiles } from '../engine/memory-files.ts';
import { Session } from './session.ts';

const LOG = '/c/payloads.log';
const contextOf = (): CallContext => ({
  signal: new AbortController().signal,
  onPeerClosed: () => {},
  progress: () => {},
});
const { signal } = new AbortController();
const ascending = { by: 'offset', direction: 'ascending' } as const;
const descending = { by: 'offset', direction: 'descending' } as const;

interface Entry {
  id: bigint;
  offset: bigint;
}

/** A snapshot whose own bytes are sound, whatever its entries are. */
function snapshotOf(walPosition: number, entries: readonly Entry[]): Uint8Array {
  const bytes = new Uint8Array(SNAPSHOT_HEADER_SIZE + entries.length * SNAPSHOT_ENTRY_SIZE + 4);
  bytes.set(encodeSnapshot(walPosition, new IdIndex(), crc32).subarray(0, SNAPSHOT_HEADER_SIZE));
  writeU64(bytes, 13, BigInt(entries.length));
  for (const [at, { id, offset }] of entries.entries()) {
    writeU64(bytes, SNAPSHOT_HEADER_SIZE + at * SNAPSHOT_ENTRY_SIZE, id);
    writeU64(bytes, SNAPSHOT_HEADER_SIZE + at * SNAPSHOT_ENTRY_SIZE + 8, offset);
  }
  writeU32(bytes, bytes.length - 4, crc32(bytes.subarray(0, -4)));
  return bytes;
}

/**
 * A session in the middle of its scan: the rows before `scanned` are in the table, the rest of the log is there and not looked at. No
 * pass runs, so nothing depends on the time.
 */
function inTheMiddle(log: Uint8Array, scanned: number, snapshot: Uint8Array) {
  const files = new MemoryFiles();
  files.put(LOG, log.subarray(0, scanned));
  files.put('/c/payloads.snapshot', snapshot);
  const session = new Session({
    name: 'test',
    files,
    directory: '/c',
    collectionName: 'c',
    settingsDirectory: '/settings',
    readOnly: true,
    view: 'v3.12',
    emit: () => {},
  });
  const { state } = session;
  state.open();
  runToEnd(state.scanOn());
  const file = files.open(LOG, 'append');
  if (log.length > scanned) file.append(log, scanned, log.length - scanned);
  file.close();
  state.lookAgain();
  runToEnd(state.orderSnapshot());
  return { session, finish: () => runToEnd(state.scanOn()) };
}

async function list(
  session: Session,
  filter: Parameters<Session['query']>[0],
  order: typeof ascending | typeof descending,
) {
  const { query, total } = await session.query(filter, order, contextOf());
  const rows: Row[] = [];
  for (let from = 0; from < total; from += 7) rows.push(...(await session.page(query, from, 7, signal)).rows);
  expect(rows).toHaveLength(total);
  return { query, rows };
}

const payload = fc.oneof(
  fc.json(),
  fc.string({ maxLength: 300 }).map((text) => JSON.stringify(text)),
);
const operation = fc.record({
  id: fc.bigInt({ min: 1n, max: 9n }),
  kind: fc.constantFrom('store', 'store', 'store', 'legacy', 'delete'),
  payload,
});
const operations = fc.array(operation, { minLength: 1, maxLength: 30 });

function build(list: readonly { id: bigint; kind: string; payload: string }[]) {
  const log = new LogBuilder();
  const live = new Map<bigint, number>();
  for (const { id, kind, payload: text } of list) {
    if (kind === 'delete') {
      log.delete(id);
      live.delete(id);
      continue;
    }
    if (kind === 'legacy') log.legacyStore(id, text);
    else log.store(id, text);
    live.set(id, log.offsets.at(-1)!);
  }
  return { log, live };
}

describe('rows from a snapshot, while the scan runs', () => {
  it('agree with the rows of the scan once it has passed them, and keep their places in the list', async () => {
    await fc.assert(
      fc.asyncProperty(operations, fc.nat(), async (list_, cut) => {
        const { log, live } = build(list_);
        const scanned = [...log.offsets, log.length][cut % (log.offsets.length + 1)]!;
        const entries = [...live].map(([id, offset]) => ({ id, offset: BigInt(offset + 9) })).reverse();
        const { session, finish } = inTheMiddle(log.bytes(), scanned, snapshotOf(log.length, entries));
        expect(session.summary().provisional).toBe(true);

        const all = await list(session, {}, ascending);
        const marked = all.rows.filter((row) => row.row === null);
        const expected = [...live].filter(([, offset]) => offset >= scanned).sort((a, b) => a[1] - b[1]);
        expect(marked.map(({ id, offset, provisional }) => [id, offset, provisional])).toEqual(
          expected.map(([id, offset]) => [String(id), String(offset), 'intact']),
        );
        expect(all.rows.slice(0, all.rows.length - marked.length).map((row) => row.row)).toEqual([
          ...Array(log.offsets.filter((offset) => offset < scanned).length).keys(),
        ]);
        const backwards = await list(session, {}, descending);
        expect(backwards.rows).toEqual([...all.rows].reverse());
        const liveList = await list(session, { states: ['live'] }, ascending);
        expect(liveList.rows.filter((row) => row.row === null)).toEqual(marked);

        const before = new Map<string, unknown>();
        for (const row of marked) {
          const position = all.rows.indexOf(row);
          const named = { id: row.id!, offset: row.offset };
          const found = { position, row: null, provisional: named };
          expect(await session.locate(all.query, { by: 'id', id: row.id! })).toEqual(found);
          expect(await session.locate(all.query, { by: 'offset', offset: row.offset })).toEqual(found);
          const last = all.rows.length - 1 - position;
          expect(await session.locate(backwards.query, { by: 'id', id: row.id! })).toMatchObject({ position: last });
          const byId = await list(session, { id: row.id! }, ascending);
          expect(byId.rows.at(-1)).toEqual(row);
          const { row: none, payload: text, check, crc, fields } = await session.recordAt(row.id!, row.offset, signal);
          expect(none).toBeNull();
          before.set(row.offset, { text, check, crc, fields });
        }

        finish();
        const after = await list(session, {}, ascending);
        // The scan has come to the end: nothing is marked any more, in the list that was made before neither.
        expect(after.rows.every((row) => row.row !== null && row.provisional === undefined)).toBe(true);
        for (const [position, row] of all.rows.entries()) {
          const now = (await session.page(all.query, position, 1, signal)).rows[0]!;
          expect(now.row).not.toBeNull();
          expect(now).toEqual(after.rows[now.row!]);
          expect({ ...now, row: row.row, versions: row.versions, state: row.state }).toEqual({
            ...(row.provisional ? { ...row, provisional: undefined } : row),
          });
          if (row.row !== null) continue;
          expect(now.state).toBe('live');
          expect((await session.locate(all.query, { by: 'row', row: now.row! })).position).toBe(position);
          const {
            row: number,
            payload: text,
            check,
            crc,
            fields,
          } = await session.recordAt(row.id!, row.offset, signal);
          expect(number).toBe(now.row);
          expect({ text, check, crc, fields }).toEqual(before.get(row.offset));
        }
        session.close();
      }),
      { numRuns: 100 },
    );
  });

  it('show nothing that the log does not hold in that place for that id, whatever the snapshot claims', async () => {
    const wrong = fc.array(
      fc.record({
        /** Null: that of the record which stands there. */
        id: fc.oneof(fc.constant(null), fc.bigInt({ min: 0n, max: 10n }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
        at: fc.nat({ max: 40 }),
        off: fc.oneof(
          fc.constant(0n),
          fc.constant(0n),
          fc.bigInt({ min: -20n, max: 40n }),
          fc.bigInt({ min: 0n, max: 2n ** 64n }),
        ),
      }),
      { maxLength: 30 },
    );
    const damage = fc.array(fc.record({ at: fc.nat(), change: fc.integer({ min: 1, max: 255 }) }), { maxLength: 3 });
    let intact = 0;
    let elsewhere = 0;
    await fc.assert(
      fc.asyncProperty(operations, fc.nat(), wrong, damage, async (list_, cut, claims, changes) => {
        const { log } = build(list_);
        const bytes = log.bytes();
        const scanned = [...log.offsets, log.length][cut % (log.offsets.length + 1)]!;
        for (const { at, change } of changes)
          if (scanned + (at % bytes.length) < bytes.length) bytes[scanned + (at % bytes.length)]! ^= change;
        const entries = claims.map(({ id, at, off }) => ({
          id: id ?? list_[at % list_.length]!.id,
          offset: BigInt.asUintN(64, BigInt(log.offsets[at % log.offsets.length]! + 9) + off),
        }));
        const { session } = inTheMiddle(bytes, scanned, snapshotOf(log.length, entries));
        const rows = (await list(session, {}, ascending)).rows;
        for (const { id } of entries) rows.push(...(await list(session, { id: String(id) }, ascending)).rows);
        for (const row of rows) {
          if (row.row !== null) continue;
          const id = BigInt(row.id ?? row.claimedId!);
          expect(entries).toContainEqual({ id, offset: BigInt(row.offset) + 9n });
          const record = await session.recordAt(String(id), row.offset, signal);
          expect(record).toMatchObject(row);
          if (row.provisional === 'elsewhere') {
            elsewhere++;
            expect(record).toMatchObject({
              kind: 'gap',
              length: 0,
              payload: null,
              check: null,
              crc: null,
              preview: '',
            });
            expect(record.id).toBeUndefined();
            continue;
          }
          intact++;
          // Made anew from id and payload it is, byte for byte, what the log holds there.
          const held = bytes.subarray(Number(row.offset), Number(row.offset) + row.length);
          const text = held.subarray(13, 13 + readU32(held, 9));
          expect(held).toEqual(row.format === 'legacy' ? encodeLegacyStore(id, text) : encodeStore(id, text, crc32));
          expect(record.payload).toMatchObject({ encoding: 'text', text: new TextDecoder().decode(text) });
          expect(() => JSON.parse(new TextDecoder().decode(text))).not.toThrow();
        }
        session.close();
      }),
      { numRuns: 200 },
    );
    // Both happen: neither statement is an empty one.
    expect(intact).toBeGreaterThan(20);
    expect(elsewhere).toBeGreaterThan(20);
  });

  it('are none once the snapshot was found invalid, and lists of other kinds never hold them', async () => {
    const { log, live } = build([
      { id: 1n, kind: 'store', payload: '{"a":1}' },
      { id: 2n, kind: 'store', payload: '{"a":2}' },
    ]);
    const sound = snapshotOf(
      log.length,
      [...live].map(([id, offset]) => ({ id, offset: BigInt(offset + 9) })),
    );
    const { session } = inTheMiddle(log.bytes(), log.offsets[1]!, sound);
    for (const filter of [
      { text: 'a' },
      { damagedOnly: true },
      { verdicts: ['ok' as const] },
      { states: ['dead' as const] },
    ]) {
      const { rows } = await list(session, filter, ascending);
      expect(rows.filter((row) => row.row === null)).toEqual([]);
    }
    const bySize = await session.query({}, { by: 'size', direction: 'ascending' }, contextOf());
    expect(bySize.total).toBe(1);

    const broken = sound.slice();
    broken[30]! ^= 1;
    const { session: other } = inTheMiddle(log.bytes(), log.offsets[1]!, broken);
    expect(other.summary()).toMatchObject({ provisional: false, snapshot: { state: 'invalid' } });
    expect((await list(other, {}, ascending)).rows).toHaveLength(1);
    expect(await other.locate((await list(other, {}, ascending)).query, { by: 'id', id: '2' })).toEqual({
      position: null,
      row: null,
    });
  });
});
