import { describe, expect, it, vi } from 'vitest';
import { createClient, createServer, MOST_CALLS } from './connection.ts';
import type { Handlers, Request, Response } from './protocol.ts';

/** Both ends over an in-memory pipe that copies, as a process boundary does. */
function pair(handlers: Partial<Handlers>) {
  const sent: Request[] = [];
  const { client, receive, disconnect } = createClient((request) => {
    sent.push(request);
    server.receive(structuredClone(request));
  });
  const server = createServer(handlers as Handlers, (response) =>
    queueMicrotask(() => receive(structuredClone(response))),
  );
  return { client, server, sent, disconnect };
}

/** What the server answers to one raw message. */
function answerTo(message: unknown, handlers: Partial<Handlers> = {}): Promise<Response> {
  return new Promise((resolve) => createServer(handlers as Handlers, resolve).receive(message));
}

const summaryCall = (params: unknown) => ({ type: 'call', call: 1, method: 'session.summary', params });

describe('the answering side', () => {
  it('refuses unknown keys, whatever else is right', async () => {
    expect(await answerTo(summaryCall({ session: 's', extra: 1 }))).toMatchObject({
      type: 'error',
      error: { code: 'BAD_REQUEST' },
    });
  });

  it('refuses sizes above their cap', async () => {
    const page = { session: 's', query: 'q', from: 0, count: 1001 };
    expect(await answerTo({ type: 'call', call: 1, method: 'records.page', params: page })).toMatchObject({
      error: { code: 'BAD_REQUEST' },
    });
    const bytes = { session: 's', offset: '0', length: (1 << 20) + 1 };
    expect(await answerTo({ type: 'call', call: 1, method: 'record.bytes', params: bytes })).toMatchObject({
      error: { code: 'BAD_REQUEST' },
    });
    expect(await answerTo(summaryCall({ session: 's'.repeat(129) }))).toMatchObject({ error: { code: 'BAD_REQUEST' } });
  });

  it('knows only the calls of the protocol, not what every object inherits', async () => {
    for (const method of ['nope', 'constructor', '__proto__', 'toString']) {
      expect(await answerTo({ type: 'call', call: 1, method, params: {} })).toMatchObject({
        error: { code: 'UNKNOWN_METHOD' },
      });
    }
  });

  it('answers a message of any other shape without breaking', async () => {
    expect(await answerTo({ type: 'call', call: 1, method: 7, params: {} })).toMatchObject({
      error: { code: 'BAD_REQUEST' },
    });
    const send = vi.fn();
    const server = createServer({} as Handlers, send);
    for (const message of [null, 1, 'x', [], { type: 'call' }, { type: 'cancel', call: 99 }]) server.receive(message);
    expect(send).not.toHaveBeenCalled();
  });

  it('cancels only what its own peer asked for', async () => {
    const signals: boolean[] = [];
    const handlers: Partial<Handlers> = {
      'session.close': (_params, { signal }) =>
        new Promise((resolve) =>
          signal.addEventListener('abort', () => {
            signals.push(true);
            resolve({});
          }),
        ),
    };
    const one = pair(handlers);
    const other = pair(handlers);
    const pending = one.client.call('session.close', { session: 'a' });
    other.server.receive({ type: 'cancel', call: 0 });
    expect(signals).toEqual([]);
    one.server.receive({ type: 'cancel', call: 0 });
    await pending;
    expect(signals).toEqual([true]);
  });

  it('caps the calls that one peer has running', () => {
    const answers: Response[] = [];
    const server = createServer({ 'session.close': () => new Promise(() => {}) } as unknown as Handlers, (response) =>
      answers.push(response),
    );
    for (let call = 0; call <= MOST_CALLS; call++) {
      server.receive({ type: 'call', call, method: 'session.close', params: { session: 'a' } });
    }
    expect(answers).toMatchObject([{ type: 'error', call: MOST_CALLS, error: { code: 'TOO_LARGE' } }]);
  });

  it('cleans up what a peer opened when the peer goes away', async () => {
    const closed = vi.fn();
    const { client, server } = pair({
      'session.close': (_params, context) => {
        context.onPeerClosed(closed);
        return {};
      },
    });
    await client.call('session.close', { session: 'a' });
    expect(closed).not.toHaveBeenCalled();
    server.close();
    expect(closed).toHaveBeenCalledOnce();
  });
});

describe('the calling side', () => {
  it('answers a cancelled call at once and tells the engine', async () => {
    const { client, sent } = pair({ 'session.close': () => new Promise(() => {}) });
    const controller = new AbortController();
    const call = client.call('session.close', { session: 'a' }, { signal: controller.signal });
    controller.abort();
    await expect(call).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(sent.at(-1)).toEqual({ type: 'cancel', call: 0 });
  });

  it('keeps two calls of one method apart', async () => {
    const answered: string[] = [];
    const { client } = pair({
      'session.close': async ({ session }) => {
        await new Promise((resolve) => setTimeout(resolve, session === 'slow' ? 20 : 0));
        answered.push(session);
        return {};
      },
    });
    const slow = client.call('session.close', { session: 'slow' });
    const fast = client.call('session.close', { session: 'fast' });
    await fast;
    expect(answered).toEqual(['fast']);
    await slow;
    expect(answered).toEqual(['fast', 'slow']);
  });

  it('passes progress on, and errors with code and next step', async () => {
    const progress = vi.fn();
    const { client } = pair({
      'session.close': (_params, context) => {
        context.progress({ done: 1, total: 2 });
        throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' });
      },
    });
    await expect(client.call('session.close', { session: 'a' }, { onProgress: progress })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    expect(progress).toHaveBeenCalledWith({ done: 1, total: 2 });
  });

  it('fails what is in flight when the connection breaks', async () => {
    const { client, disconnect } = pair({ 'session.close': () => new Promise(() => {}) });
    const call = client.call('session.close', { session: 'a' });
    disconnect('gone');
    await expect(call).rejects.toMatchObject({ code: 'DISCONNECTED' });
  });
});
