import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createServices } from '../src/main/services/index.ts';
import { type Client, createClient, createServer } from '../src/shared/connection.ts';
import type { Order, Summary } from '../src/shared/protocol.ts';
import { randomNumbers } from './data.ts';
import { atMost, percentile, report } from './measure.ts';

const PAGE = 100;
const PAGES = 300;
/** What the process may take whatever the log. */
const FIXED_BYTES = 200e6;
/** What a window takes at the least between its connecting and a person's choosing a collection. */
const BEFORE_THE_CLICK_MILLISECONDS = 500;

/** A window's end of the protocol, in this process; the messages are made to text and back as they are on a wire. */
function connect(settingsDirectory: string): { client: Client; close(): void } {
  const services = createServices({
    door: 'desktop',
    readOnly: true,
    root: null,
    initial: null,
    ports: {},
    settingsDirectory,
  });
  const pipe = createClient((request) => server.receive(JSON.parse(JSON.stringify(request))));
  const server = createServer(services.handlers, (response) => pipe.receive(JSON.parse(JSON.stringify(response))));
  services.onEvent((event) => server.event(event));
  openPath = (path) => services.openPath(path);
  return { client: pipe.client, close: () => void services.close() };
}

let openPath: ReturnType<typeof createServices>['openPath'];

/** What a window on a long log sees: first rows, stalls, memory, pages, sorts. `records` as the log was made. */
export async function benchSession(
  directory: string,
  settingsDirectory: string,
  records: number,
  withSnapshot: boolean,
) {
  const label = `${(records / 1e6).toLocaleString('en-US')} M records${withSnapshot ? ', valid snapshot' : ''}`;
  const { client, close } = connect(settingsDirectory);
  const database = await openPath(directory);
  await new Promise((resolve) => setTimeout(resolve, BEFORE_THE_CLICK_MILLISECONDS));
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const start = performance.now();
  let firstRows = -1;
  let ready = -1;
  let scanned = -1;
  let listed = -1;
  let session = '';
  const done = new Promise<void>((resolve, reject) => {
    client.onEvent((event) => {
      if (event.event !== 'session') return;
      const { phase, failure, provisional }: Summary = event.summary;
      if (provisional && listed < 0) listed = performance.now() - start;
      if (phase !== 'scanning' && scanned < 0) scanned = performance.now() - start;
      if (phase === 'ready') {
        ready = performance.now() - start;
        resolve();
      }
      if (phase === 'failed') reject(new Error(failure?.message));
    });
  });
  const { collection } = database.collections[0]!;
  session = (await client.call('session.open', { database: database.database, collection, view: 'v3.12' })).session;
  while (firstRows < 0) {
    const { query } = await client.call('records.query', {
      session,
      filter: {},
      order: { by: 'offset', direction: 'ascending' },
    });
    const page = await client.call('records.page', { session, query, from: 0, count: 50 });
    await client.call('records.closeQuery', { session, query });
    if (page.rows.length === 50) firstRows = performance.now() - start;
  }
  await done;
  delay.disable();
  const goal = withSnapshot ? 300 : 1000;
  report(`first rows, ${label}`, firstRows, 'ms', atMost(firstRows, goal, ' ms'));
  // Of a log that is scanned before its snapshot is read there is no such time.
  if (listed >= 0) report(`everything listed from the snapshot, ${label}`, listed, 'ms');
  report(`scan over the protocol, ${label}`, scanned, 'ms');
  report(`scan, payload check and views, ${label}`, ready, 'ms');
  report(
    `longest stall of the main thread while opening, ${label}`,
    delay.max / 1e6,
    'ms',
    atMost(delay.max / 1e6, 50, ' ms'),
  );
  const { rss } = process.memoryUsage();
  const perRecord = (rss - FIXED_BYTES) / records;
  report(`resident memory, ${label}`, rss / 1e6, 'MB');
  report(`memory a record beyond 200 MB, ${label}`, perRecord, 'bytes', atMost(perRecord, 40, ' bytes'));

  const random = randomNumbers(11);
  const pages = async (name: string, order: Order) => {
    const { query, total } = await client.call('records.query', { session, filter: {}, order });
    const times: number[] = [];
    for (let page = 0; page < PAGES; page++) {
      const from = Math.floor(random() * Math.max(1, total - PAGE));
      const before = performance.now();
      await client.call('records.page', { session, query, from, count: PAGE });
      times.push(performance.now() - before);
    }
    await client.call('records.closeQuery', { session, query });
    report(`page of ${PAGE} rows, ${name}, ${label}: p50`, percentile(times, 0.5), 'ms');
    report(
      `page of ${PAGE} rows, ${name}, ${label}: p95`,
      percentile(times, 0.95),
      'ms',
      atMost(percentile(times, 0.95), 16, ' ms'),
    );
  };
  await pages('in log order', { by: 'offset', direction: 'ascending' });
  for (const by of ['id', 'offset', 'size', 'versions'] as const) {
    const before = performance.now();
    const answer = await client.call('records.query', { session, filter: {}, order: { by, direction: 'descending' } });
    if (!answer.complete) {
      await new Promise<void>((resolve) => {
        const stop = client.onEvent((event) => {
          if (event.event !== 'query' || event.query !== answer.query || !event.complete) return;
          stop();
          resolve();
        });
      });
    }
    const milliseconds = performance.now() - before;
    report(`sort by ${by}, ${label}`, milliseconds, 'ms', atMost(milliseconds, 2000, ' ms'));
    if (by === 'id') await pages('by id', { by, direction: 'descending' });
    await client.call('records.closeQuery', { session, query: answer.query });
  }
  await client.call('session.close', { session });
  close();
}
