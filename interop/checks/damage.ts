import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GENERATIONS } from '../../src/core/generation.ts';
import { IdIndex } from '../../src/core/id-index.ts';
import { encodeDelete, encodeLegacyDelete, encodeLegacyStore, encodeStore } from '../../src/core/record.ts';
import { encodeSnapshot } from '../../src/core/snapshot.ts';
import { highU32, lowU32, writeU32, writeU64 } from '../../src/core/u64.ts';
import { crc32 } from '../../src/main/engine/crc32.ts';
import { LogPayloadStorage } from '../../src/main/engine/log-payload-storage.ts';
import { comparePrediction, predict, verify } from './prediction.ts';
import { Random } from './random.ts';
import type { Release } from './release.ts';
import type { Tally } from './tally.ts';

interface Files {
  log: Uint8Array;
  snapshot: Uint8Array | null;
}

const CHECK = 'damage';

/**
 * Mutated directories: each is made once, looked at by Velescope once, and opened by every release. What a release answers has to
 * be what `verify` said it would. Every tenth directory also tells where the release found each id.
 */
export async function checkDamage(
  tally: Tally,
  releases: Release[],
  options: { seed: number; directories: number; scratch: string; golden: string; resources: string },
): Promise<void> {
  const random = new Random(options.seed);
  const bases = [...readBases(options.resources), ...readBases(options.golden)];
  if (!existsSync(options.golden))
    tally.note('the golden cases are not there; damage is made of the samples and of random logs alone');
  const directory = join(options.scratch, 'damage');
  const copy = join(options.scratch, 'damage-copy');
  let refused = 0;
  let toldApart = 0;
  let written = 0;
  for (let made = 0; made < options.directories; made++) {
    const files = mutate(random, random.chance(0.4) ? randomLog(random) : random.pick(bases), bases);
    put(directory, files);
    const index = made % 10 === 0;
    const verification = await verify(directory);
    try {
      if (!verification.outcomes['v1.6'].opens) refused++;
      const answers = GENERATIONS.map((generation) => JSON.stringify(predict(verification, generation, false)));
      if (new Set(answers).size > 1) toldApart++;
      for (const release of releases) {
        if (index) put(copy, files);
        await comparePrediction(tally, CHECK, release, verification, { index, ...(index ? { directory: copy } : {}) });
        const unchanged = Buffer.compare(readFileSync(join(directory, 'payloads.log')), files.log) === 0;
        tally.same(release.version, CHECK, 'opening leaves the log as it is', unchanged, true, directory);
      }
    } finally {
      verification.state.close();
    }
    if (made % 10 === 5) written += await checkWriting(tally, releases, random, files, copy);
    if ((made + 1) % 500 === 0)
      console.log(`  ${made + 1} of ${options.directories} directories, ${refused} of them refused by v1.6`);
  }
  // What agreement is worth: a model that knew one generation only would have disagreed on all of these.
  tally.note(`damage: on ${toldApart} of ${options.directories} directories the generations answer differently`);
  tally.note(`damage: of every tenth directory, ${written} could be written to by Velescope, and were`);
}

/**
 * Velescope refuses to write where a release would lose what is written. Where it does write, in a directory that somebody
 * damaged, every release has to open it afterwards, read what was written, and hold nothing that was deleted. Returns 1 where it wrote.
 */
async function checkWriting(
  tally: Tally,
  releases: Release[],
  random: Random,
  files: Files,
  directory: string,
): Promise<number> {
  put(directory, files);
  const storage = LogPayloadStorage.open(directory, { writable: true, durability: 'flush' });
  const stored = random.id();
  const deleted = stored === 3n ? 4n : 3n;
  const text = '{"written":"behind the damage"}';
  try {
    if (!storage.writable) return 0;
    storage.store(stored, text);
    storage.delete(deleted);
    if (random.chance(0.3)) storage.createSnapshot();
  } finally {
    storage.close();
  }
  for (const release of releases) {
    const opened = await release.call('storage.open', { directory });
    const answers = opened.ok
      ? [
          await release.call('storage.retrieve', { id: String(stored) }),
          await release.call('storage.retrieve', { id: String(deleted) }),
        ]
      : [];
    const [first, second] = answers.map((answer) => (answer.ok ? (answer.text ?? answer.absent) : answer.kind));
    tally.same(
      release.version,
      CHECK,
      'what Velescope wrote into it',
      [opened.ok, first, second],
      [true, text, true],
      directory,
    );
    await release.call('storage.close');
  }
  return 1;
}

/** Fixtures: directories on which the model was once wrong, and directories that are known to be hard. */
export async function checkKept(tally: Tally, releases: Release[], fixtures: string, scratch: string): Promise<void> {
  for (const name of existsSync(fixtures) ? readdirSync(fixtures).sort() : []) {
    for (const release of releases) {
      const directory = join(scratch, 'kept');
      rmSync(directory, { recursive: true, force: true });
      cpSync(join(fixtures, name), directory, { recursive: true });
      const verification = await verify(directory);
      try {
        await comparePrediction(tally, `kept case ${name}`, release, verification, { index: true });
      } finally {
        verification.state.close();
      }
    }
  }
}

function put(directory: string, files: Files): void {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'payloads.log'), files.log);
  if (files.snapshot !== null) writeFileSync(join(directory, 'payloads.snapshot'), files.snapshot);
}

/** Writes a damaged log, with or without a snapshot, into a new directory. */
export function damagedLog(random: Random, directory: string): void {
  put(directory, mutate(random, randomLog(random), []));
}

/** Every directory below `path` that holds a log of a size that can be asked about thousands of times. */
function readBases(path: string): Files[] {
  if (!existsSync(path)) return [];
  const found: Files[] = [];
  for (const entry of readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.isDirectory()) found.push(...readBases(join(path, entry.name)));
    if (entry.name !== 'payloads.log') continue;
    const log = new Uint8Array(readFileSync(join(path, entry.name)));
    const snapshot = join(path, 'payloads.snapshot');
    if (log.length > 64 << 10) continue;
    found.push({ log, snapshot: existsSync(snapshot) ? new Uint8Array(readFileSync(snapshot)) : null });
  }
  return found;
}

/** Payloads that are not what an engine writes: unreadable, no JSON, next to what is still in range, or records themselves. */
function payload(random: Random): Uint8Array {
  const text = new TextEncoder();
  switch (random.below(10)) {
    case 0:
      return text.encode(random.number());
    case 1:
      return text.encode(
        random.pick(['1.7976931348623158e308', '179769313486231581e291', '1e309', '[-1.7976931348623159e+308]']),
      );
    case 2: {
      const depth = 120 + random.below(12);
      return text.encode('['.repeat(depth) + ']'.repeat(depth));
    }
    case 3: {
      const bytes = text.encode(`{"a":${random.payload()}}`);
      bytes[random.below(bytes.length)] = random.below(256);
      return bytes;
    }
    case 4:
      return text.encode(
        random.pick([
          '"\\ud800"',
          '"\\udc00\\ud800"',
          '"\\ud83d\\u0041"',
          '',
          ' ',
          'nul',
          '{"a":1,}',
          '"\t"',
          '\ufeff{}',
        ]),
      );
    case 5:
      return encodeStore(random.id(), text.encode(random.payload()), crc32);
    default:
      return text.encode(random.payload());
  }
}

/** A log of whole records of all four kinds, and for some a snapshot of it, right or made up. */
function randomLog(random: Random): Files {
  const pieces: Uint8Array[] = [];
  const index = new IdIndex();
  let length = 0;
  let snapshot: Uint8Array | null = null;
  const snapshotAt = random.chance(0.4) ? random.below(12) : -1;
  const records = random.below(14);
  for (let record = 0; record <= records; record++) {
    if (record === snapshotAt) snapshot = encodeSnapshot(length, index, crc32);
    if (record === records) break;
    const id = random.id();
    const legacy = random.chance(0.25);
    const isStore = random.chance(0.75);
    const content = payload(random);
    const piece = isStore
      ? legacy
        ? encodeLegacyStore(id, content)
        : encodeStore(id, content, crc32)
      : legacy
        ? encodeLegacyDelete(id)
        : encodeDelete(id, crc32);
    if (isStore) index.set(lowU32(id), highU32(id), length + 9);
    else index.delete(lowU32(id), highU32(id));
    pieces.push(piece);
    length += piece.length;
  }
  return { log: Uint8Array.from(Buffer.concat(pieces)), snapshot };
}

function mutate(random: Random, base: Files, bases: Files[]): Files {
  let { log, snapshot } = base;
  if (random.chance(0.8)) log = damaged(random, log, bases);
  if (snapshot !== null && random.chance(0.1)) snapshot = null;
  else if (snapshot !== null && random.chance(0.4)) snapshot = damaged(random, snapshot, []);
  else if (random.chance(0.2)) snapshot = madeUpSnapshot(random, log);
  return { log, snapshot };
}

function damaged(random: Random, bytes: Uint8Array, bases: Files[]): Uint8Array {
  let result = bytes;
  const times = random.pick([1, 1, 1, 2, 3]);
  for (let time = 0; time < times; time++) {
    const at = random.below(result.length + 1);
    switch (random.below(9)) {
      case 0:
        result = changed(result, at, (byte) => byte ^ (1 << random.below(8)));
        break;
      case 1:
        result = changed(result, at, () => random.pick([0, 1, 2, 0xc3, 0xc4, 0xff, 0x7b, random.below(256)]));
        break;
      case 2:
        result = result.subarray(0, at);
        break;
      case 3:
        result = joined(result.subarray(0, at), result.subarray(Math.min(result.length, at + 1 + random.below(20))));
        break;
      case 4:
        result = joined(result.subarray(0, at), random.bytes(1 + random.below(20)), result.subarray(at));
        break;
      case 5:
        result = joined(result, new Uint8Array(random.pick([1, 5, 8, 9, 13, 17, 30, 5000])));
        break;
      case 6: {
        const from = random.below(result.length + 1);
        result = joined(
          result.subarray(0, at),
          result.subarray(from, from + 1 + random.below(80)),
          result.subarray(at),
        );
        break;
      }
      case 7: {
        if (result.length < 4) break;
        result = result.slice();
        const length = random.pick([0, 1, random.below(300), result.length, 2 ** 31, 2 ** 32 - 1]);
        writeU32(result, Math.min(at, result.length - 4), length);
        break;
      }
      default: {
        const other = bases.length === 0 ? result : random.pick(bases).log;
        result = joined(result, other.subarray(random.below(other.length + 1)));
      }
    }
  }
  return result;
}

/** A snapshot with a valid CRC that says anything: positions and offsets anywhere, ids twice. */
function madeUpSnapshot(random: Random, log: Uint8Array): Uint8Array {
  const entries = random.below(4);
  const bytes = new Uint8Array(25 + 16 * entries);
  bytes.set(new TextEncoder().encode('VSNP'));
  bytes[4] = random.pick([1, 1, 1, 1, 2]);
  const edges = [2n ** 63n - 5n, 2n ** 63n - 4n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n, 2n ** 53n + 1n, 2n ** 32n];
  writeU64(bytes, 5, random.pick([0n, BigInt(log.length), BigInt(random.below(log.length + 20)), random.pick(edges)]));
  writeU64(bytes, 13, BigInt(entries));
  for (let entry = 0; entry < entries; entry++) {
    writeU64(bytes, 21 + 16 * entry, random.id());
    writeU64(bytes, 29 + 16 * entry, random.pick([9n, BigInt(random.below(log.length + 30)), random.pick(edges)]));
  }
  writeU32(bytes, bytes.length - 4, crc32(bytes.subarray(0, bytes.length - 4)));
  return bytes;
}

function changed(bytes: Uint8Array, at: number, change: (byte: number) => number): Uint8Array {
  if (at >= bytes.length) return bytes;
  const result = bytes.slice();
  result[at] = change(result[at]!);
  return result;
}

function joined(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}
