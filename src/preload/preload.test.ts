import { EventEmitter } from 'node:events';
import { beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createClient } from '../shared/connection.ts';
import type { Request, Response } from '../shared/protocol.ts';
import type { VelescopeBridge } from './api.ts';

const exposed = new Map<string, unknown>();
const sent: { channel: string; parameters: unknown[] }[] = [];

class IpcRenderer extends EventEmitter {
  send(channel: string, ...parameters: unknown[]) {
    sent.push({ channel, parameters });
  }
}
const ipcRenderer = new IpcRenderer();

vi.mock('electron', () => ({
  contextBridge: { exposeInMainWorld: (name: string, value: unknown) => exposed.set(name, value) },
  ipcRenderer,
  webUtils: { getPathForFile: (file: { path?: string }) => file.path ?? '' },
}));

let bridge: VelescopeBridge;
beforeAll(async () => {
  await import('./index.ts');
  bridge = exposed.get('velescope') as VelescopeBridge;
});
beforeEach(() => {
  sent.length = 0;
  ipcRenderer.removeAllListeners();
});

describe('what the page gets', () => {
  test('is one object of one function for each action', () => {
    expect([...exposed.keys()]).toEqual(['velescope']);
    expect(Object.keys(bridge).sort()).toEqual(['onResponse', 'openDropped', 'platform', 'send']);
    expect(bridge.platform).toBe(process.platform);
  });

  test('never includes ipcRenderer', () => {
    expect(Object.values(bridge)).not.toContain(ipcRenderer);
  });
});

describe('send', () => {
  test('passes calls and cancels on one channel', () => {
    bridge.send({ type: 'call', call: 1, method: 'app.info', params: {} });
    bridge.send({ type: 'cancel', call: 1 });
    expect(sent).toEqual([
      { channel: 'velescope:request', parameters: [{ type: 'call', call: 1, method: 'app.info', params: {} }] },
      { channel: 'velescope:request', parameters: [{ type: 'cancel', call: 1 }] },
    ]);
  });

  test('drops what is no envelope, and keys that are no part of one', () => {
    bridge.send({ type: 'event' } as unknown as Request);
    expect(sent).toEqual([]);
    bridge.send({ type: 'cancel', call: 1, channel: 'other' } as unknown as Request);
    expect(sent[0]!.parameters).toEqual([{ type: 'cancel', call: 1 }]);
  });
});

describe('onResponse', () => {
  const event: Response = { type: 'event', event: { event: 'command', command: 'find' } };

  test('hands over the message and never the event object, until it is ended', () => {
    const received: unknown[][] = [];
    const end = bridge.onResponse((...parameters) => received.push(parameters));
    ipcRenderer.emit('velescope:response', { sender: ipcRenderer, ports: [] }, event);
    expect(received).toEqual([[event]]);
    end();
    ipcRenderer.emit('velescope:response', { sender: ipcRenderer }, event);
    expect(received).toHaveLength(1);
    expect(ipcRenderer.listenerCount('velescope:response')).toBe(0);
  });

  test('carries a whole call: the client runs over the bridge, cancel included', async () => {
    const { client, receive } = createClient((request) => bridge.send(request));
    bridge.onResponse(receive);
    const answer = client.call('settings.set', {});
    ipcRenderer.emit('velescope:response', {}, { type: 'result', call: 0, value: { done: true } });
    expect(await answer).toEqual({ done: true });
    const controller = new AbortController();
    const cancelled = client.call('app.info', {}, { signal: controller.signal });
    controller.abort();
    await expect(cancelled).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(sent.at(-1)!.parameters).toEqual([{ type: 'cancel', call: 1 }]);
  });
});

describe('openDropped', () => {
  test('sends the path of what a person dropped, and answers the page nothing', () => {
    expect(bridge.openDropped({ path: '/srv/db' } as unknown as File)).toBeUndefined();
    expect(sent).toEqual([{ channel: 'velescope:dropped', parameters: ['/srv/db'] }]);
  });

  test('sends nothing for a file that a script made up', () => {
    bridge.openDropped(new File(['x'], '/etc/passwd'));
    expect(sent).toEqual([]);
  });
});
