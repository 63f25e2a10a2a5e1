import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { POLICIES } from '../../src/core/generation.ts';
import { canonicalize } from '../../src/core/json/canonicalize.ts';
import { LogPayloadStorage } from '../../src/main/engine/log-payload-storage.ts';
import { requireHealthy, verify } from './prediction.ts';
import type { Release } from './release.ts';
import type { Tally } from './tally.ts';
import { type CollectionWindow, VelescopeWindow } from './window.ts';

const CHECK = 'living together';

/** A release and Velescope on one database at the same time. */
export async function checkTogether(tally: Tally, release: Release, other: Release, scratch: string): Promise<void> {
  const root = join(scratch, 'together');
  const database = join(root, 'database');
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root, { recursive: true });
  const { version } = release;
  const same = (what: string, velesdb: unknown, velescope: unknown) =>
    tally.same(version, CHECK, what, velesdb, velescope, join(database, 'docs'));
  tally.directory(version);

  await release.must('database.open', { root: database });
  await release.must('database.createVector', { collection: 'docs', dimension: 4 });
  await upsert(release, 1, 40);

  const window = new VelescopeWindow(database, join(root, 'settings'));
  try {
    // VelesDB holds the database.
    const { lock } = await window.database();
    same('the holder is named', [true, true], [lock.held, lock.holder?.includes(String(release.pid))]);
    let docs = await window.open('docs');
    same('it is read all the same', await texts(release, 40), await printedTexts(release, docs));
    const refused = await docs.setWriting(true);
    same('writing is refused', 'LOCK_HELD', refused?.code);
    same('the refusal names the holder', true, refused?.message.includes(String(release.pid)));
    const storage = LogPayloadStorage.open(join(database, 'docs'), { writable: true });
    same(
      'the engine below the window refuses too',
      [false, 'LOCK_HELD'],
      [storage.writable, storage.writingRefusal?.code],
    );
    storage.close();

    // VelesDB writes while Velescope follows.
    await docs.client.call('session.setFollow', { session: docs.session, on: true });
    let seen = 0;
    for (let batch = 1; batch <= 8; batch++) {
      await upsert(release, batch * 40 + 1, 40);
      if (batch === 4) await release.must('database.delete', { collection: 'docs', ids: ['1', '2', '3'] });
      const summary = await docs.summary();
      if (summary.counts.damaged > 0 && !summary.damage.inFlight) seen++;
    }
    const after = await docs.until((summary) => summary.counts.live === 357 && summary.phase === 'ready');
    same('appended rows appear', [357, 0, 0], [after.counts.live, after.counts.damaged, seen]);
    same('with the values VelesDB holds', await texts(release, 360), await printedTexts(release, docs));
    await upsert(release, 5, 1);
    await docs.until((summary) => summary.log.stores === 361 && summary.phase === 'ready');
    same('an overwrite while following', await texts(release, 360), await printedTexts(release, docs));
    await release.must('database.close');
    await docs.close();
    requireUnharmed(tally, version, await verify(join(database, 'docs')));

    // Velescope holds the database.
    docs = await window.open('docs');
    same('writing can be turned on now', null, await docs.setWriting(true));
    for (const one of [release, other]) {
      const opened = await one.call('database.open', { root: database });
      tally.same(
        one.version,
        CHECK,
        'opening beside a writing Velescope',
        opened.ok ? 'opens' : opened.kind,
        'DatabaseLocked',
      );
      if (opened.ok) await one.call('database.close');
    }
    const edited = '{ "content" : "edited by hand", "n" : 0.1 }';
    await docs.write([
      { id: '7', text: edited },
      { id: '8', text: '{"content":"and this"}' },
    ]);
    await docs.setWriting(false);
    await docs.close();
    const reopened = await release.must('database.open', { root: database });
    same('the collection is listed', ['docs'], reopened.collections);
    const [seven, eight] = (await release.must('database.get', { collection: 'docs', ids: ['7', '8'] })).items;
    same('VelesDB reads the edit', seven?.text, printed(release, edited));
    same('VelesDB reads the other edit', eight?.text, '{"content":"and this"}');
    await release.must('database.close');
  } finally {
    await window.close();
  }
  await checkFullText(tally, release, join(root, 'text'));
}

function requireUnharmed(tally: Tally, version: string, verification: Awaited<ReturnType<typeof verify>>): void {
  try {
    requireHealthy(tally, CHECK, version, verification);
  } finally {
    verification.state.close();
  }
}

/** An edit behind VelesDB's back leaves its full-text index stale; moving it aside, as Velescope offers, has it built anew. */
async function checkFullText(tally: Tally, release: Release, root: string): Promise<void> {
  const { version } = release;
  if (!release.abilities.fullFlush) {
    tally.note(`${version}: no full flush there, so no stale full-text index to show`);
    return;
  }
  const database = join(root, 'database');
  mkdirSync(root, { recursive: true });
  await release.must('database.open', { root: database });
  await release.must('database.createVector', { collection: 'docs', dimension: 4 });
  await upsert(release, 1, 5);
  await release.must('database.flushFull', { collection: 'docs' });
  await release.must('database.close');

  const search = async (words: string) => {
    const { ids } = await release.must('database.search', { collection: 'docs', words });
    return ids;
  };
  const window = new VelescopeWindow(database, join(root, 'settings'));
  try {
    const docs = await window.open('docs');
    const { fullText } = await docs.summary();
    if (!fullText.present) {
      tally.note(`${version}: a full flush leaves no bm25.snapshot, so there is no index that could go stale`);
      return;
    }
    await docs.setWriting(true);
    await docs.write([{ id: '3', text: '{"content":"alpha edited"}' }]);
    tally.same(version, CHECK, 'the window says that the index is stale', true, (await docs.summary()).fullText.stale);
    await docs.setWriting(false);
    await release.must('database.open', { root: database });
    tally.same(
      version,
      CHECK,
      'stale: the old word still finds it, the new one does not',
      [await search('word3'), await search('edited')],
      [['3'], []],
    );
    await release.must('database.close');
    const { moved } = await docs.client.call('fullText.moveAside', { session: docs.session });
    tally.same(version, CHECK, 'the index was moved aside', true, moved.length > 0);
    await docs.close();
    await release.must('database.open', { root: database });
    tally.same(
      version,
      CHECK,
      'cured: built anew of the payloads',
      [await search('word3'), await search('edited')],
      [[], ['3']],
    );
    await release.must('database.close');
  } finally {
    await window.close();
  }
}

async function upsert(release: Release, from: number, count: number): Promise<void> {
  const points = Array.from({ length: count }, (_, at) => ({
    id: String(from + at),
    vector: [1, from + at, 2, 3],
    text: JSON.stringify({ content: `alpha word${from + at}`, x: 0.1 * (from + at) }),
  }));
  await release.must('database.upsert', { collection: 'docs', points });
}

async function texts(release: Release, upTo: number): Promise<[string, string][]> {
  const ids = Array.from({ length: upTo }, (_, at) => String(at + 1));
  const { items } = await release.must('database.get', { collection: 'docs', ids });
  return items.filter(({ text }) => text !== undefined).map(({ id, text }) => [id, text!]);
}

/** What VelesDB prints of what Velescope shows: the text itself is kept as it was written, and reading may move a last digit. */
async function printedTexts(release: Release, docs: CollectionWindow): Promise<[string, string][]> {
  const shown = await docs.texts();
  return shown.map(([id, text]) => [id, text === null ? 'no text' : printed(release, text)]);
}

function printed(release: Release, text: string): string {
  const result = canonicalize(new TextEncoder().encode(text), POLICIES[release.generation].jsonReader);
  return result.ok ? new TextDecoder().decode(result.bytes) : result.check.message;
}
