import type { Client } from '../../shared/connection.ts';
import type {
  Handlers,
  Method,
  Params,
  ProtocolEvent,
  Result,
  ScannedRow,
  StoredDraft,
  Summary,
} from '../../shared/protocol.ts';

/**
 * A made-up engine for component tests and for looking at pages: rows computed from their position, nothing read from anywhere.
 * It is never part of the bundle and proves nothing about the engine.
 */
export interface Fixture {
  client: Client;
  /** Every call made, in order. */
  calls: { method: Method; params: unknown }[];
  summary: Summary;
  emit(event: ProtocolEvent): void;
}

const TITLES = [
  'Quarterly report',
  'Onboarding notes',
  'prefers short answers',
  'Ärzteverzeichnis Köln',
  'met at the conference',
];

export function fixtureRow(position: number): ScannedRow {
  const damaged = position % 41 === 7;
  const deleted = !damaged && position % 13 === 5;
  const superseded = !damaged && !deleted && position % 9 === 3;
  return {
    row: position,
    offset: String(position * 160 + 4_096),
    length: deleted ? 13 : 160,
    kind: deleted ? 'delete' : 'store',
    format: position % 17 === 2 ? 'legacy' : 'crc',
    id: String(9007199254740993n + BigInt(position)),
    verdict: damaged ? 'crc-mismatch' : position % 17 === 2 ? 'unprotected' : 'ok',
    foundBySearch: false,
    state: damaged ? 'damaged' : deleted ? 'dead' : superseded ? 'superseded' : 'live',
    versions: 1 + (position % 4),
    preview: deleted
      ? ''
      : `{"title":"${TITLES[position % TITLES.length]}","score":0.${(position * 7919) % 10000},"n":${position}}`,
  };
}

const health = { state: 'healthy', word: 'healthy', records: 200, damage: 0 } as const;

export function createFixture(total: number): Fixture {
  const listeners = new Set<(event: ProtocolEvent) => void>();
  const calls: Fixture['calls'] = [];
  const drafts = new Map<string, StoredDraft>();
  const dropped: StoredDraft[][] = [];
  let accepted: { row: number; index: number }[] = [];
  const counts = { live: 3_000, unreadable: 0, lost: 0, stale: 1, resurrected: 0, wrong: 0 };
  const summary: Summary = {
    session: 's1',
    revision: 1,
    phase: 'ready',
    failure: null,
    progress: { done: 1, total: 1 },
    provisional: false,
    name: '_semantic_memory',
    path: 'agent-data/_semantic_memory',
    log: {
      exists: true,
      bytes: total * 160 + 4_096 + 41,
      records: total,
      stores: total,
      deletes: 0,
      legacy: 12,
      gaps: 1,
      damagedBytes: 1_604,
      liveBytes: total * 120,
      supersededBytes: total * 30,
      deadBytes: total * 8,
    },
    counts: { all: total, live: Math.floor(total * 0.8), damaged: Math.floor(total / 41) },
    damage: {
      byVerdict: { 'crc-mismatch': Math.floor(total / 41), torn: 1 },
      tail: { offset: String(total * 160 + 4_096), length: 41, verdict: 'torn' },
      inFlight: false,
    },
    view: 'v3.12',
    outcomes: {
      'v1.6': {
        opens: false,
        error: { kind: 'UnexpectedEof', message: 'failed to fill whole buffer' },
        live: null,
        unreadable: null,
        lost: null,
        stale: null,
        resurrected: null,
        wrong: null,
      },
      'v3.12': { opens: true, error: null, ...counts },
      salvage: { opens: true, error: null, ...counts, stale: 0 },
    },
    snapshot: {
      state: 'valid',
      reason: null,
      walPosition: '4096',
      entries: 10,
      disagreements: 0,
      bytesSince: 7_300_000,
    },
    writing: { on: false, durability: 'fsync', refusal: null, undoable: null },
    lock: { held: false, holder: null },
    fullText: { present: false, stale: false },
    following: false,
    scanMilliseconds: 41,
  };

  const handlers: Partial<Handlers> = {
    'app.info': () => ({ version: '0.0.0', door: 'browser', readOnly: false, platform: 'linux' }),
    'settings.get': () => ({ theme: 'system', view: 'v3.12', detailWidth: null }),
    'settings.set': () => ({}),
    'directory.recents': () => [],
    'directory.initial': () => ({
      database: 'd1',
      name: 'agent-data',
      path: '/data/agent-data',
      kind: 'root',
      lock: { held: false, holder: null },
      collections: [
        {
          collection: 'c1',
          name: 'documents',
          kind: 'vector',
          logBytes: 25_000,
          hasSnapshot: false,
          recovered: false,
          problem: null,
          health,
        },
        {
          collection: 'c2',
          name: '_semantic_memory',
          kind: 'vector',
          logBytes: 31_400_000,
          hasSnapshot: true,
          recovered: false,
          problem: null,
          health: { state: 'damaged', word: '3', records: total, damage: 3 },
        },
        {
          collection: 'c3',
          name: 'kg',
          kind: 'graph',
          logBytes: 1_500,
          hasSnapshot: true,
          recovered: false,
          problem: { code: 'CONFIG_MISSING', message: 'No config.json: VelesDB does not list it' },
          health: { state: 'snapshot', word: 'snapshot differs', records: 24, damage: 0 },
        },
      ],
    }),
    'session.open': () => summary,
    'session.close': () => ({}),
    'records.query': ({ filter }) => ({
      query: `q${calls.length}`,
      revision: summary.revision,
      total: filter.text ? 0 : total,
      complete: true,
    }),
    'records.closeQuery': () => ({}),
    'records.stopQuery': () => ({}),
    'records.page': ({ from, count }) => ({
      revision: 1,
      total,
      complete: true,
      rows: Array.from({ length: Math.max(0, Math.min(count, total - from)) }, (_, index) => fixtureRow(from + index)),
    }),
    'records.locate': ({ target }) => {
      const row =
        target.by === 'row'
          ? target.row
          : target.by === 'offset'
            ? Math.floor((Number(target.offset) - 4_096) / 160)
            : Number(BigInt(target.id) - 9007199254740993n);
      return row >= 0 && row < total ? { position: row, row } : { position: null, row: null };
    },
    'record.read': ({ row }) => {
      const entry = fixtureRow(row);
      const text = entry.kind === 'delete' ? null : entry.preview;
      return {
        ...entry,
        revision: 1,
        payload: text === null ? null : { encoding: 'text', text, bytes: text.length },
        check: text === null ? null : { state: 'ok', message: null },
        crc: {
          stored: '7a90e15b',
          computed: entry.verdict === 'crc-mismatch' ? '19c4d02e' : '7a90e15b',
          matches: entry.verdict !== 'crc-mismatch',
        },
        fields: [
          { name: 'marker', from: 0, to: 1 },
          { name: 'id', from: 1, to: 9 },
          { name: 'length', from: 9, to: 13 },
          { name: 'payload', from: 13, to: entry.length - 4 },
          { name: 'crc', from: entry.length - 4, to: entry.length },
        ],
      };
    },
    'record.history': ({ id }) => ({ rows: [fixtureRow(Number(BigInt(id) - 9007199254740993n))], total: 1 }),
    'record.bytes': ({ offset, length }) => ({
      offset,
      base64: btoa(Array.from({ length }, (_, index) => String.fromCharCode((Number(offset) + index) % 251)).join('')),
    }),
    'log.map': ({ buckets }) => ({
      revision: 1,
      bytes: summary.log.bytes,
      values: Array.from({ length: buckets }, (_, bucket) =>
        bucket % 97 === 3 ? [10, 0, 0, 5] : bucket % 7 === 1 ? [1, 9, 0, 0] : [9, 1, 0, 0],
      ).flat(),
    }),
    'damage.at': ({ row }) =>
      fixtureRow(row).verdict === 'ok'
        ? null
        : {
            row,
            offset: fixtureRow(row).offset,
            length: 160,
            verdict: 'crc-mismatch',
            kind: 'store',
            foundBySearch: false,
            inFlight: false,
            title: `CRC mismatch at ${fixtureRow(row).offset}`,
            explanation: 'The stored checksum is 7A90E15B, the bytes give 19C4D02E.',
            hint: null,
            consequences: [{ generation: 'v3.12', text: 'opens; this id is stale' }],
            possible: [],
            morePossible: 0,
          },
    'damage.candidates': () => ({ candidates: [], more: 0 }),
    'damage.accepted': () => ({ accepted }),
    'damage.accept': ({ row, index }) => {
      const others = accepted.filter((entry) => entry.row !== row);
      accepted = index === null ? others : [...others, { row, index }];
      return { accepted };
    },
    'damage.list': ({ from, count }) => ({
      total: Math.floor(total / 41),
      damage: Array.from({ length: Math.min(count, 3) }, (_, index) => {
        const row = (from + index) * 41 + 7;
        return {
          row,
          offset: fixtureRow(row).offset,
          length: 160,
          verdict: 'crc-mismatch' as const,
          kind: 'store' as const,
          foundBySearch: false,
          inFlight: false,
          title: 'CRC mismatch',
          explanation: 'The bytes do not match the checksum.',
          hint: null,
          consequences: [],
          possible: [],
          morePossible: 0,
        };
      }),
    }),
    'drafts.list': () => [...drafts.values()],
    'drafts.put': ({ draft }) => {
      const state = { changedAt: '2026-11-22T12:00:00Z', conflict: false };
      drafts.set(draft.id, { ...draft, ...state });
      return { ...state, replaced: null };
    },
    'drafts.drop': ({ ids }) => {
      const before = ids.flatMap((id) => drafts.get(id) ?? []);
      for (const id of ids) drafts.delete(id);
      dropped.push(before);
      return { dropped: before.length, change: String(dropped.length - 1) };
    },
    'drafts.takeBack': ({ change }) => {
      const back = dropped[Number(change)] ?? [];
      for (const draft of back) drafts.set(draft.id, draft);
      return { restored: back.length, dropped: 0, left: 0 };
    },
    'drafts.review': () => [...drafts.values()].map((draft) => ({ draft, current: draft.base })),
  };

  const client: Client = {
    async call<M extends Method>(method: M, params: Params<M>): Promise<Result<M>> {
      calls.push({ method, params });
      const handler = handlers[method] as ((params: Params<M>) => Result<M>) | undefined;
      if (!handler) throw new Error(`The fixture does not answer ${method}.`);
      return handler(params);
    },
    onEvent(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  return {
    client,
    calls,
    summary,
    emit: (event) =>
      listeners.forEach((listener) => {
        listener(event);
      }),
  };
}
