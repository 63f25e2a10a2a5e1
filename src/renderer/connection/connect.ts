import { type Client, createClient } from '../../shared/connection.ts';
import { createCollector, framesOf, LARGE_MESSAGE } from '../../shared/frames.ts';
import type { Request, Response } from '../../shared/protocol.ts';
import { breathe, messageWork } from '../work/work.ts';
import { inOrder, textLength } from './large-messages.ts';

/** A way to the engine: the protocol's client, and what only one door offers. */
export interface Connection {
  client: Client;
  /** Desktop only: opens a folder dropped on the window; its path never enters the page. */
  openDropped: ((file: File) => void) | null;
  /** `darwin` shows Command where others show Ctrl. */
  platform: string;
  /** Calls back once when the way is broken and no call can succeed any more. */
  onLost(listener: (reason: string) => void): void;
}

/** Connects through the preload's pipe where there is one, else through the WebSocket of the page's own origin. */
export async function connect(): Promise<Connection> {
  return window.velescope ? connectBridge(window.velescope) : connectSocket(socketAddress(window.location));
}

/** The address of the browser door's socket: same host, same port, so that a tunnel needs no configuration. */
export function socketAddress(location: Pick<Location, 'protocol' | 'host'>): string {
  return `${location.protocol === 'https:' ? 'wss:' : 'ws:'}//${location.host}/protocol`;
}

function connectBridge(bridge: NonNullable<Window['velescope']>): Connection {
  const { client, receive } = createClient((request) => bridge.send(request));
  bridge.onResponse(receive);
  return {
    client,
    openDropped: (file) => bridge.openDropped(file),
    platform: bridge.platform,
    onLost: () => {},
  };
}

/** @param address of the socket; rejects when it cannot be opened */
export function connectSocket(address: string): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(address);
    const lost = new Set<(reason: string) => void>();
    socket.binaryType = 'arraybuffer';
    const broken = () => socket.close();
    const send = inOrder<Request, string | Uint8Array>(
      (request) => (textLength(request) < LARGE_MESSAGE ? null : messageWork.run('print', { value: request })),
      (request) => JSON.stringify(request),
      async (message) => {
        for (const frame of typeof message === 'string' ? [message] : framesOf(message)) {
          if (socket.readyState === WebSocket.OPEN) socket.send(frame);
          else return queueMicrotask(breakOff);
          if (typeof frame !== 'string') await breathe();
        }
      },
      broken,
    );
    const { client, receive, disconnect } = createClient((request) => {
      // A change must be away before the page may be gone. It belongs to no order: it carries its number.
      const isUrgent = request.type === 'call' && request.method === 'drafts.journal';
      if (isUrgent && textLength(request) < LARGE_MESSAGE && socket.readyState === WebSocket.OPEN)
        socket.send(JSON.stringify(request));
      else send(request);
    });
    const collect = createCollector(Number.POSITIVE_INFINITY);
    const take = inOrder<string | Uint8Array[], unknown>(
      (message) => (typeof message === 'string' ? null : messageWork.run('parse', { pieces: message })),
      (message) => JSON.parse(String(message)),
      (response) => receive(response as Response),
      broken,
    );
    socket.addEventListener('open', () =>
      resolve({
        client,
        openDropped: null,
        platform: /Mac|iPhone|iPad/.test(navigator.userAgent) ? 'darwin' : 'other',
        onLost: (listener) => lost.add(listener),
      }),
    );
    socket.addEventListener('message', ({ data }) => {
      if (typeof data === 'string') return take(data);
      const collected = collect(new Uint8Array(data as ArrayBuffer));
      if (collected.state === 'whole') take(collected.pieces);
      else if (collected.state === 'refused') broken();
    });
    socket.addEventListener('error', () => reject(new Error('The server does not answer on its WebSocket.')));
    // Whoever notices first: a socket that is closing takes nothing more, and says so only once it is closed.
    function breakOff(): void {
      disconnect(LOST);
      for (const listener of lost) listener(LOST);
      lost.clear();
    }
    socket.addEventListener('close', breakOff);
  });
}

const LOST = 'The connection to Velescope was lost: the server ended or the tunnel closed.';
