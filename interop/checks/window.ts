import { createServices } from '../../src/main/services/index.ts';
import type { Services } from '../../src/main/services/services-type.ts';
import { type Client, createClient, createServer } from '../../src/shared/connection.ts';
import { toErrorValue } from '../../src/shared/errors.ts';
import type { Collection, Database, Draft, Row, Summary } from '../../src/shared/protocol.ts';

/** Velescope as its window uses it: the real services and their worker, spoken to over the protocol. */
export class VelescopeWindow {
  readonly client: Client;
  readonly #services: Services;
  readonly #close: () => void;

  constructor(root: string, settingsDirectory: string) {
    this.#services = createServices({
      door: 'browser',
      readOnly: false,
      root,
      initial: root,
      ports: {},
      settingsDirectory,
    });
    const { client, receive } = createClient((request) => server.receive(structuredClone(request)));
    const server = createServer(this.#services.handlers, (response) =>
      setImmediate(() => receive(structuredClone(response))),
    );
    this.#services.onEvent((event) => server.event(event));
    this.client = client;
    this.#close = () => server.close();
  }

  async database(): Promise<Database> {
    return (await this.client.call('directory.initial', {}))!;
  }

  async open(name: string): Promise<CollectionWindow> {
    const database = await this.database();
    const collection: Collection = database.collections.find((entry) => entry.name === name)!;
    const { session } = await this.client.call('session.open', {
      database: database.database,
      collection: collection.collection,
      view: 'v3.12',
    });
    const opened = new CollectionWindow(this.client, session);
    await opened.until((summary) => summary.phase === 'ready' || summary.phase === 'failed');
    return opened;
  }

  async close(): Promise<void> {
    this.#close();
    await this.#services.close();
  }
}

const PATIENCE_MILLISECONDS = 20_000;

/** One open collection. */
export class CollectionWindow {
  constructor(
    readonly client: Client,
    readonly session: string,
  ) {}

  summary(): Promise<Summary> {
    return this.client.call('session.summary', { session: this.session });
  }

  /** Waits until the collection is as described. */
  async until(condition: (summary: Summary) => boolean): Promise<Summary> {
    const deadline = Date.now() + PATIENCE_MILLISECONDS;
    for (;;) {
      const summary = await this.summary();
      if (condition(summary)) return summary;
      if (Date.now() > deadline) throw new Error(`not in ${PATIENCE_MILLISECONDS} ms; ${JSON.stringify(summary)}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** Turns writing on or off; the code and message of a refusal, or null. */
  async setWriting(on: boolean): Promise<{ code: string; message: string } | null> {
    try {
      await this.client.call('writing.set', { session: this.session, on });
      return null;
    } catch (thrown) {
      const { code, message } = toErrorValue(thrown);
      return { code, message };
    }
  }

  /** Puts drafts in the drawer and writes them as one batch. */
  async write(changes: { id: string; text: string | null }[]): Promise<void> {
    const { session, client } = this;
    const bases = await this.live();
    for (const { id, text } of changes) {
      const base = bases.get(id);
      const draft: Draft = {
        id,
        action: text === null ? 'delete' : 'store',
        text,
        base: base === undefined ? null : { offset: base.row.offset, text: base.text },
      };
      await client.call('drafts.put', { session, draft });
    }
    await client.call('drafts.write', { session, ids: changes.map(({ id }) => id) });
  }

  /** id → the live record and its text. */
  async live(): Promise<Map<string, { row: Row; text: string | null }>> {
    const { client, session } = this;
    const { query, total } = await client.call('records.query', {
      session,
      filter: { states: ['live'] },
      order: { by: 'id', direction: 'ascending' },
    });
    const found = new Map<string, { row: Row; text: string | null }>();
    for (let from = 0; from < total; from += 100) {
      const page = await client.call('records.page', { session, query, from, count: 100 });
      for (const row of page.rows) {
        const record = await client.call('record.read', { session, row: row.row! });
        found.set(row.id!, { row, text: record.payload?.encoding === 'text' ? record.payload.text : null });
      }
    }
    await client.call('records.closeQuery', { session, query });
    return found;
  }

  async texts(): Promise<[string, string | null][]> {
    return [...(await this.live())].map(([id, { text }]) => [id, text]);
  }

  close(): Promise<unknown> {
    return this.client.call('session.close', { session: this.session });
  }
}
