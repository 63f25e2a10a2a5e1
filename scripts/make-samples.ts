import { IdIndex } from '../src/core/id-index.ts';
import { canonicalize } from '../src/core/json/canonicalize.ts';
import {
  encodeDelete,
  encodeLegacyDelete,
  encodeLegacyStore,
  encodeStore,
  LENGTH_FIELD_OFFSET,
  STORE_HEADER_SIZE,
} from '../src/core/record.ts';
import { encodeSnapshot } from '../src/core/snapshot.ts';
import { highU32, lowU32, readU32, writeU32 } from '../src/core/u64.ts';
import { crc32 } from '../src/main/engine/crc32.ts';

/**
 * The two databases that come with Velescope: `sample`, healthy, of every kind of collection, and `damaged`, a collection for each
 * kind of damage. Built by code from the format (docs/format.md), without a clock or a random number, so that a test can hold the
 * files to this script. Returns path below resources/ → bytes.
 */
export function makeSamples(): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  makeHealthy(new Root(files, 'sample'));
  makeDamaged(new Root(files, 'damaged'));
  return files;
}

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const encoder = new TextEncoder();

/** A payload as VelesDB writes it. */
function written(value: Json): Uint8Array {
  const printed = canonicalize(encoder.encode(JSON.stringify(value)));
  if (!printed.ok) throw new Error(printed.check.message);
  return printed.bytes;
}

/** A database root under construction. */
class Root {
  constructor(
    private readonly files: Map<string, Uint8Array>,
    private readonly name: string,
  ) {
    files.set(`${name}/velesdb.lock`, new Uint8Array(0));
  }

  put(collection: string, file: string, bytes: Uint8Array | string): void {
    this.files.set(`${this.name}/${collection}/${file}`, typeof bytes === 'string' ? encoder.encode(bytes) : bytes);
  }

  /** A collection with its config.json, its log, and its snapshot where the log took one. */
  collection(name: string, kind: 'vector' | 'metadata' | 'graph', log: Log, schemaVersion = 2): void {
    this.put(name, 'config.json', config(name, kind, log.ids, schemaVersion));
    this.put(name, 'payloads.log', log.bytes());
    if (log.snapshot) this.put(name, 'payloads.snapshot', log.snapshot);
  }
}

function config(name: string, kind: 'vector' | 'metadata' | 'graph', points: number, schemaVersion: number): string {
  const dimension = kind === 'vector' ? 384 : 0;
  const fields = {
    name,
    dimension,
    metric: 'Cosine',
    point_count: kind === 'graph' ? 0 : points,
    schema_version: schemaVersion,
    storage_mode: 'full',
    metadata_only: kind === 'metadata',
    ...(kind === 'graph' ? { graph_schema: { schemaless: true, node_types: [], edge_types: [] } } : {}),
    pq_rescore_oversampling: 4,
  };
  return JSON.stringify(fields, null, 2);
}

/** A log under construction: what an engine would write, and damage done to it. */
class Log {
  #pieces: Uint8Array[] = [];
  #length = 0;
  readonly #index = new IdIndex();
  snapshot: Uint8Array | null = null;

  get ids(): number {
    return this.#index.size;
  }

  get length(): number {
    return this.#length;
  }

  #append(bytes: Uint8Array): number {
    const offset = this.#length;
    this.#pieces.push(bytes);
    this.#length += bytes.length;
    return offset;
  }

  /** Appends a store; returns its offset. `payload` as bytes stands as it is. */
  store(id: bigint | number, payload: Json | Uint8Array): number {
    const bytes = payload instanceof Uint8Array ? payload : written(payload);
    const offset = this.#append(encodeStore(BigInt(id), bytes, crc32));
    this.#index.set(lowU32(BigInt(id)), highU32(BigInt(id)), offset + LENGTH_FIELD_OFFSET);
    return offset;
  }

  delete(id: bigint | number): number {
    this.#index.delete(lowU32(BigInt(id)), highU32(BigInt(id)));
    return this.#append(encodeDelete(BigInt(id), crc32));
  }

  legacyStore(id: number, payload: Json | Uint8Array): number {
    const bytes = payload instanceof Uint8Array ? payload : written(payload);
    const offset = this.#append(encodeLegacyStore(BigInt(id), bytes));
    this.#index.set(id, 0, offset + LENGTH_FIELD_OFFSET);
    return offset;
  }

  legacyDelete(id: number): number {
    this.#index.delete(id, 0);
    return this.#append(encodeLegacyDelete(BigInt(id)));
  }

  /** Bytes that are no record. */
  raw(bytes: Uint8Array): number {
    return this.#append(bytes);
  }

  takeSnapshot(): void {
    this.snapshot = encodeSnapshot(this.#length, this.#index, crc32);
  }

  /** Changes one byte in place. */
  flip(offset: number, mask: number): void {
    this.overwrite(offset, (byte) => byte ^ mask);
  }

  overwrite(offset: number, change: (byte: number) => number, length = 1): void {
    const bytes = this.bytes();
    for (let at = offset; at < offset + length; at++) bytes[at] = change(bytes[at]!);
    this.#pieces = [bytes];
  }

  /** Cuts the end off, as a crash in the middle of an append does. */
  cutTo(length: number): void {
    this.#pieces = [this.bytes().slice(0, length)];
    this.#length = length;
  }

  bytes(): Uint8Array {
    const whole = new Uint8Array(this.#length);
    let at = 0;
    for (const piece of this.#pieces) {
      whole.set(piece, at);
      at += piece.length;
    }
    return whole;
  }
}

/** VelesDB's agent memory names a record by this hash of its key (FNV-1a, 64 bits). */
function hashId(key: string): bigint {
  let hash = 0xcbf2_9ce4_8422_2325n;
  for (const byte of encoder.encode(key)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100_0000_01b3n);
  return hash;
}

/** Small numbers that look arbitrary and never change. */
function sequence(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 0x1_0000_0000) * below);
  };
}

const TOPICS = [
  'storage',
  'indexing',
  'durability',
  'recovery',
  'search',
  'graphs',
  'embeddings',
  'operations',
] as const;
const TITLES = [
  'Why an append-only log',
  'Größenordnungen: vom Kilobyte zum Terabyte',
  'チェックサムの読み方',
  'Журнал упреждающей записи',
  'كيف تعمل الفهارس',
  'नमस्ते, वेक्टर खोज',
  'Ce que dit un instantané',
  'Γράφοι και μνήμη',
  'What a torn record looks like 🧵',
  '数据恢复手册',
] as const;
const PRODUCTS = [
  'Kettle',
  'Teapot',
  'Lantern',
  'Notebook',
  'Fountain pen',
  'Desk lamp',
  'Backpack',
  'Bicycle bell',
] as const;
const COLOURS = ['red', 'blue', 'graphite', 'ivory', 'olive'] as const;
const PEOPLE = [
  'Ada',
  'Grace',
  'Barbara',
  'Radia',
  'Katherine',
  'Margaret',
  'Hedy',
  'Joan',
  'Frances',
  'Karen',
] as const;

/** 2031-05-10, and a day in 2025: one that is to come for years, one that is past. */
const EXPIRES_LATER = 1_936_137_600;
const EXPIRED = 1_746_835_200;

function makeHealthy(root: Root): void {
  root.collection('articles', 'vector', articles());
  root.collection('products', 'metadata', products());
  root.collection('people', 'graph', people());
  root.collection('_semantic_memory', 'vector', memory('semantic', 48));
  root.collection('_episodic_memory', 'vector', memory('episodic', 24));
  root.collection('imported', 'metadata', imported());
  root.collection('upgraded', 'vector', upgraded());
  root.collection('empty', 'vector', new Log());
}

/** Several hundred records, edited and deleted, with a snapshot and a tail behind it. */
function articles(): Log {
  const log = new Log();
  const next = sequence(7);
  const article = (id: number, revision: number): Json => ({
    id,
    revision,
    title: `${TITLES[id % TITLES.length]!} (${id})`,
    topic: TOPICS[next(TOPICS.length)]!,
    content: `Part ${1 + next(12)} of a series. `.repeat(1 + next(4)).trim(),
    published: `2025-${String(1 + next(12)).padStart(2, '0')}-${String(1 + next(28)).padStart(2, '0')}`,
    score: next(10_000) / 10_000,
    tags: [COLOURS[next(COLOURS.length)]!, TOPICS[next(TOPICS.length)]!],
  });
  for (let id = 1; id <= 360; id++) log.store(id, article(id, 1));
  for (let id = 5; id <= 360; id += 9) log.store(id, article(id, 2));
  for (let id = 11; id <= 360; id += 37) log.delete(id);
  log.takeSnapshot();
  for (let id = 14; id <= 360; id += 45) log.store(id, article(id, 3));
  log.delete(100);
  log.store(100, article(100, 4));
  log.delete(200);
  for (let id = 361; id <= 372; id++) log.store(id, article(id, 1));
  return log;
}

function products(): Log {
  const log = new Log();
  const next = sequence(11);
  const product = (id: number): Json => ({
    sku: `V-${String(1000 + id)}`,
    name: `${COLOURS[next(COLOURS.length)]!} ${PRODUCTS[id % PRODUCTS.length]!}`,
    price: 5 + next(20_000) / 100,
    stock: next(400),
    dimensions: { width: 1 + next(60), height: 1 + next(60), unit: 'cm' },
    discontinued: next(10) === 0,
    supplier: next(5) === 0 ? null : { name: `${PEOPLE[next(PEOPLE.length)]!} & Co.`, country: 'NL' },
  });
  for (let id = 1; id <= 90; id++) log.store(id, product(id));
  for (let round = 0; round < 40; round++) log.store(1 + next(90), product(1 + next(90)));
  for (const id of [3, 44, 71]) log.delete(id);
  return log;
}

function people(): Log {
  const log = new Log();
  PEOPLE.forEach((name, at) => {
    log.store(at + 1, { _labels: at % 3 === 0 ? ['Person', 'Author'] : ['Person'], name, born: 1906 + at * 5 });
  });
  TOPICS.forEach((name, at) => {
    log.store(1001 + at, { _labels: ['Topic'], name });
  });
  log.store(2, { _labels: ['Person', 'Author', 'Admiral'], name: 'Grace', born: 1906 });
  log.delete(1008);
  return log;
}

/** Ids beyond 2^53, which a JavaScript number cannot tell apart; some records have expired. */
function memory(kind: string, count: number): Log {
  const log = new Log();
  for (let at = 0; at < count; at++) {
    const content = `${kind} fact ${at}: ${PEOPLE[at % PEOPLE.length]!} asked about ${TOPICS[at % TOPICS.length]!}`;
    const id = hashId(`${kind}:${at}`);
    const expiry: { [key: string]: Json } =
      at % 4 === 0 ? { _veles_expires_at: at % 8 === 0 ? EXPIRED : EXPIRES_LATER } : {};
    log.store(id, { content, timestamp: 1_760_000_000 + at * 3600, ...expiry });
    if (at % 11 === 10) log.delete(id);
  }
  log.store(9_007_199_254_740_992n, { content: 'two to the power of 53' });
  log.store(9_007_199_254_740_993n, { content: 'one more, and another record' });
  log.store(18_446_744_073_709_551_615n, { content: 'the last id there is' });
  return log;
}

/** Text that another program stored: everything VelesDB reads, and nothing it would have written so. */
function imported(): Log {
  const log = new Log();
  const texts = [
    '{ "spaces" : [ 1 , 2 ], "kept" : true }',
    '{\n  "indented": {\n    "by": "hand"\n  }\n}',
    '{"zebra":1,"apple":2,"mango":3}',
    '{"twice":"first","twice":"last"}',
    '{"precise":0.1000000000000000055511151231257827,"large":123456789012345678901234567890}',
    '{"id":9007199254740993,"max":18446744073709551615,"min":-9223372036854775808}',
    '{"escaped":"\\u0048\\u00e9\\u006c\\u006c\\u006f\\/\\ud83d\\ude00","raw":"Héllo/😀"}',
    '{"10":"ten","9":"nine","1":"one"}',
    '{"hostile":"\\u001b[31mred\\u001b[0m","direction":"abc\u202edef","zero width":"a\u200bb"}',
    '{"exponents":[1e5,1E+5,100000.0,1e-7,-0]}',
    '"just a string"',
    '42',
    'true',
    'null',
    '[]',
    '{}',
    `${'['.repeat(100)}${']'.repeat(100)}`,
  ];
  texts.forEach((text, at) => {
    log.store(at + 1, encoder.encode(text));
  });
  return log;
}

/** Begun by a VelesDB before 1.6, which wrote no CRC, and gone on with by a newer one. */
function upgraded(): Log {
  const log = new Log();
  for (let id = 1; id <= 12; id++) log.legacyStore(id, { id, from: 'before 1.6' });
  log.legacyDelete(4);
  log.legacyStore(5, { id: 5, from: 'before 1.6', revision: 2 });
  for (let id = 10; id <= 16; id++) log.store(id, { id, from: 'after the upgrade' });
  log.delete(6);
  return log;
}

function makeDamaged(root: Root): void {
  root.collection('crc_mismatch', 'vector', crcMismatch());
  root.collection('torn_tail', 'vector', tornTail());
  root.collection('zero_hole', 'vector', zeroHole());
  root.collection('zero_tail', 'metadata', zeroTail());
  root.collection('unknown_marker', 'vector', unknownMarker());
  root.collection('length_damaged', 'vector', lengthDamaged());
  root.collection('record_in_payload', 'vector', recordInPayload());
  root.collection('stale_snapshot', 'metadata', staleSnapshot());
  root.collection('legacy', 'vector', legacyDamage());
  root.collection('unreadable', 'metadata', unreadable());
  root.collection('line_endings', 'metadata', lineEndings());
  root.collection('schema_too_new', 'vector', orders(6), 3);

  const broken = orders(8);
  root.put('broken_config', 'config.json', config('broken_config', 'vector', broken.ids, 2).slice(0, 120));
  root.put('broken_config', 'payloads.log', broken.bytes());
  root.put('missing_config', 'payloads.log', orders(5).bytes());
}

function order(id: number, state: string): Json {
  return { order: id, customer: PEOPLE[id % PEOPLE.length]!, state, total: 10 + id * 1.25 };
}

function orders(count: number): Log {
  const log = new Log();
  for (let id = 1; id <= count; id++) log.store(id, order(id, 'open'));
  return log;
}

/** Single bits flipped: in an overwrite (the older version comes back), in a delete (the id comes back), in the only version of an id. */
function crcMismatch(): Log {
  const log = orders(20);
  const overwrite = log.store(7, order(7, 'shipped'));
  const removal = log.delete(9);
  const only = log.store(21, order(21, 'open'));
  log.store(22, order(22, 'open'));
  log.flip(overwrite + STORE_HEADER_SIZE + 14, 0x04);
  log.flip(removal + 9, 0x80);
  log.flip(only + 3, 0x01);
  return log;
}

function tornTail(): Log {
  const log = orders(15);
  const last = log.store(16, order(16, 'open'));
  log.cutTo(last + STORE_HEADER_SIZE + 20);
  return log;
}

/** A sector that was never written back. */
function zeroHole(): Log {
  const log = orders(30);
  log.overwrite(512, () => 0, 512);
  return log;
}

/** The file's new size reached the disk, its last bytes did not. */
function zeroTail(): Log {
  const log = orders(10);
  log.raw(new Uint8Array(96));
  return log;
}

/** A marker byte destroyed: VelesDB before 3.12 refuses the collection, later ones ignore the rest of it. */
function unknownMarker(): Log {
  const log = orders(6);
  const damaged = log.store(7, order(7, 'open'));
  for (let id = 8; id <= 14; id++) log.store(id, order(id, 'open'));
  log.store(2, order(2, 'shipped'));
  log.overwrite(damaged, () => 0x43);
  return log;
}

/** A length that is too short by a bit, and one that swallows the record behind it exactly. */
function lengthDamaged(): Log {
  const log = orders(4);
  const short = log.store(5, order(5, 'open'));
  log.store(6, order(6, 'open'));
  const long = log.store(7, order(7, 'open'));
  const swallowed = log.store(8, order(8, 'open'));
  const after = log.store(9, order(9, 'open'));
  log.flip(short + LENGTH_FIELD_OFFSET, 0x08);
  const bytes = log.bytes();
  const length = readU32(bytes, long + LENGTH_FIELD_OFFSET) + (after - swallowed);
  const field = new Uint8Array(4);
  writeU32(field, 0, length);
  for (let at = 0; at < 4; at++) log.overwrite(long + LENGTH_FIELD_OFFSET + at, () => field[at]!);
  return log;
}

/** A record inside the payload of a damaged one: bytes that a search from there would take for a record of id 666. */
function recordInPayload(): Log {
  const log = orders(3);
  const ghost = encodeStore(666n, written({ order: 666, state: 'never written' }), crc32);
  const payload = new Uint8Array([...encoder.encode('not JSON: '), ...ghost, ...encoder.encode(' and more')]);
  const holder = log.store(4, payload);
  log.store(5, order(5, 'open'));
  log.flip(holder + STORE_HEADER_SIZE, 0x01);
  return log;
}

/**
 * A tool compacted the log and left the snapshot of the old one. The records are of one size, so that its offsets hit other ids'
 * records squarely: VelesDB serves those as if nothing were wrong.
 */
function staleSnapshot(): Log {
  const seat = (id: number, state: 'free' | 'sold'): Json => ({ seat: 100 + id, state });
  const before = new Log();
  for (let id = 1; id <= 8; id++) before.store(id, seat(id, 'free'));
  before.store(1, seat(1, 'sold'));
  before.delete(3);
  before.takeSnapshot();
  const compacted = new Log();
  for (const id of [2, 4, 5, 6, 7, 8]) compacted.store(id, seat(id, 'free'));
  compacted.store(1, seat(1, 'sold'));
  compacted.snapshot = before.snapshot;
  return compacted;
}

/** Records without a CRC: a digit that changed goes unnoticed, a payload that is no JSON does not. */
function legacyDamage(): Log {
  const log = new Log();
  for (let id = 1; id <= 5; id++) log.legacyStore(id, order(id, 'open'));
  log.legacyStore(6, Uint8Array.of(0xde, 0xad, 0xbe, 0xef));
  log.legacyStore(7, order(7, 'open'));
  const cut = log.legacyStore(8, order(8, 'open'));
  log.store(9, order(9, 'open'));
  // The length says two bytes more than there are, so the next record seems to start inside this one's successor.
  log.overwrite(cut + LENGTH_FIELD_OFFSET, (byte) => byte + 2);
  return log;
}

/** Whole records whose payloads VelesDB cannot read back. */
function unreadable(): Log {
  const log = orders(3);
  const texts = [
    '"\\ud800"',
    '{"total":1e309}',
    `${'['.repeat(128)}${']'.repeat(128)}`,
    '{"cut":',
    "{'quotes':'single'}",
    '',
    '\ufeff{}',
    '"\u0001"',
  ];
  texts.forEach((text, at) => {
    log.store(10 + at, encoder.encode(text));
  });
  log.store(20, Uint8Array.of(0x22, 0xff, 0x22));
  return log;
}

/** A transfer in text mode: every LF became CR LF, here inside an id, a length and a CRC. */
function lineEndings(): Log {
  const log = new Log();
  log.store(1, order(1, 'open'));
  log.store(10, order(10, 'open'));
  log.store(2570, order(2570, 'open'));
  log.store(11, order(11, 'open'));
  const converted: number[] = [];
  for (const byte of log.bytes()) converted.push(...(byte === 0x0a ? [0x0d, 0x0a] : [byte]));
  const result = new Log();
  result.raw(Uint8Array.from(converted));
  return result;
}
