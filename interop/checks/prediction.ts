import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { examine, liveIds, snapshotStateOf, type Verification } from '../../src/cli/verification.ts';
import type { Generation, VelesError } from '../../src/core/generation.ts';
import { OFFSET_NOT_SEEKABLE, POLICIES, SHORT_READ } from '../../src/core/generation.ts';
import { canonicalize } from '../../src/core/json/canonicalize.ts';
import { replay } from '../../src/core/replay.ts';
import { retrieve } from '../../src/core/retrieve.ts';
import { parseSnapshot } from '../../src/core/snapshot.ts';
import { runToEnd } from '../../src/core/steps.ts';
import { formatU64, joinU64 } from '../../src/core/u64.ts';
import { crc32 } from '../../src/main/engine/crc32.ts';
import { nodeFiles } from '../../src/main/engine/node-files.ts';
import { loadSnapshot } from '../../src/main/engine/snapshot-file.ts';
import { inspectDirectory } from '../../src/main/services/directory.ts';
import type { Item, Release } from './release.ts';
import type { Tally } from './tally.ts';

/** What `velescope verify` works out about a directory. The caller closes its `state`. */
export function verify(directory: string): Promise<Verification> {
  const inspected = inspectDirectory(nodeFiles, directory);
  const entry = inspected.kind === 'collection' ? inspected.collection : null;
  return examine(nodeFiles, { directory, collection: null, entry }, { framing: false });
}

/** What Velescope expects a release to answer, by two routes of its own: that of `verify`, and that of `replay` and `dump`. */
export type Prediction =
  | { opens: false; error: VelesError }
  | { opens: true; live: string[]; unreadable: string[]; index: [string, string][]; dump: Item[] };

/** Predicts what one generation makes of a directory that was verified. */
export function predict(verification: Verification, generation: Generation, namesIllFormedByte: boolean): Prediction {
  const { state, outcomes } = verification;
  const outcome = outcomes[generation];
  if (!outcome.opens) return { opens: false, error: outcome.error };
  const ids = liveIds(state.table, outcome.difference, outcome.live);
  const live = Array.from({ length: ids.count }, (_, at) => formatU64(ids.low(at), ids.high(at)));
  const unreadable = outcome.lists.unreadable!.slice(0, outcome.lists.unreadable!.length);

  const loaded = loadSnapshot(nodeFiles, state.directory);
  const snapshot = loaded.state === 'valid' ? loaded.snapshot : null;
  const replayed = runToEnd(replay({ source: state.source, crc32, generation, snapshot }));
  if (!replayed.ok)
    return { opens: false, error: { kind: replayed.kind, message: `only replay refuses: ${replayed.message}` } };
  const found: { id: bigint; offset: bigint }[] = [];
  replayed.index.forEach((low, high, _offset, slot) => {
    found.push({ id: joinU64(low, high), offset: replayed.index.offset64At(slot) });
  });
  found.sort((a, b) => (a.id < b.id ? -1 : 1));
  return {
    opens: true,
    live,
    unreadable,
    index: found.map(({ id, offset }) => [String(id), String(offset)]),
    dump: found.map(({ id, offset }) => {
      const read = retrieve(state.source, offset, generation);
      if (read.ok) {
        const printed = canonicalize(read.payload, POLICIES[generation].jsonReader);
        return { id: String(id), text: printed.ok ? new TextDecoder().decode(printed.bytes) : printed.check.message };
      }
      let { error } = read;
      // 7.x: the replay and the numbers of v3.12, this one message of v8.0.
      if (namesIllFormedByte && error.message.startsWith('invalid unicode code point')) {
        const newer = retrieve(state.source, offset, 'v8.0');
        if (!newer.ok) error = newer.error;
      }
      return { id: String(id), error: { ...error } };
    }),
  };
}

/**
 * Opens a directory with a release and compares everything it answers with the prediction: whether it opens, with which error, ids,
 * every payload. With `index` also where it finds each id and where it would write next, which a snapshot of it tells: that changes the directory.
 */
export async function comparePrediction(
  tally: Tally,
  check: string,
  release: Release,
  verification: Verification,
  options: { index?: boolean; directory?: string } = {},
): Promise<void> {
  const { version } = release;
  // A copy has the same bytes; what is kept of a disagreement is the directory that was verified.
  const directory = options.directory ?? verification.state.directory;
  const kept = verification.state.directory;
  const predicted = predict(verification, release.generation, release.namesIllFormedByte);
  tally.directory(version);
  const opened = await release.call('storage.open', { directory });
  const answer = opened.ok ? 'opens' : { kind: opened.kind, message: opened.message };
  const expected = predicted.opens ? 'opens' : { kind: predicted.error.kind, message: predicted.error.message };
  tally.same(version, check, 'opening', answer, expected, kept);
  if (!opened.ok) return;
  try {
    if (!predicted.opens) return;
    const { items } = await release.must('storage.dump');
    tally.same(
      version,
      check,
      'live ids',
      items.map(({ id }) => id),
      predicted.live,
      kept,
    );
    const failed = items.filter(({ error }) => error !== undefined).map(({ id }) => id);
    tally.same(version, check, 'unreadable ids', failed, predicted.unreadable, kept);
    tally.of(version).operations += items.length;
    const expectedItems = predicted.dump.map((item, at) => onThisFileSystem(item, predicted.index[at]!, items[at]));
    tally.same(version, check, 'payloads and their errors', items, expectedItems, kept);
    if (!options.index) return;
    await release.must('storage.snapshot');
    const parsed = parseSnapshot(readFileSync(join(directory, 'payloads.snapshot')), crc32);
    if (!parsed.ok) throw new Error(`VelesDB ${version} wrote a snapshot that is not one: ${parsed.error.message}`);
    const index: [bigint, bigint][] = [];
    const built = parsed.snapshot.toIndex();
    built.forEach((low, high, _offset, slot) => {
      index.push([joinU64(low, high), built.offset64At(slot)]);
    });
    index.sort(([a], [b]) => (a < b ? -1 : 1));
    tally.same(
      version,
      check,
      'where each id is',
      index.map(([id, at]) => [String(id), String(at)]),
      predicted.index,
      kept,
    );
    tally.same(
      version,
      check,
      'where it writes next',
      parsed.snapshot.walPosition,
      BigInt(verification.state.size),
      kept,
    );
  } finally {
    await release.call('storage.close');
  }
}

/** Far below what any file system allows a file to be, and far above what any log is. */
const SEEKABLE_EVERYWHERE = 1n << 40n;

/**
 * An offset that only a made-up snapshot claims may lie beyond the largest file of the file system. Then releases that seek (before
 * 3.12) are refused by it instead of reading nothing: the same id is unreadable, for another reason, which the bytes cannot tell.
 */
function onThisFileSystem(predicted: Item, [, offset]: [string, string], answered: Item | undefined): Item {
  const cannotTell = predicted.error?.message === SHORT_READ.message && BigInt(offset) > SEEKABLE_EVERYWHERE;
  return cannotTell && answered?.error?.message === OFFSET_NOT_SEEKABLE.message
    ? { ...predicted, error: { ...OFFSET_NOT_SEEKABLE } }
    : predicted;
}

/** What has to be true of a directory that nobody damaged: nothing is found in it, and all generations hold the same. */
export function requireHealthy(tally: Tally, check: string, version: string, verification: Verification): void {
  const { totals, outcomes, state } = verification;
  const { directory } = state;
  tally.same(
    version,
    check,
    'damage',
    { damaged: totals.damaged, bytes: totals.damagedBytes },
    { damaged: 0, bytes: 0 },
    directory,
  );
  const snapshot = snapshotStateOf(verification);
  tally.same(version, check, 'snapshot check', snapshot, snapshot === 'absent' ? 'absent' : 'valid', directory);
  for (const [view, outcome] of Object.entries(outcomes)) {
    const lists = outcome.opens ? outcome.lists : null;
    const nothing = { unreadable: 0, lost: 0, stale: 0, resurrected: 0, wrong: 0 };
    const found = lists && {
      unreadable: lists.unreadable!.length,
      lost: lists.lost.length,
      stale: lists.stale.length,
      resurrected: lists.resurrected.length,
      wrong: lists.wrong.length,
    };
    tally.same(version, check, `outcomes as ${view}`, nothing, found, directory);
  }
}
