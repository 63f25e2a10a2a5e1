import { type Client, createClient } from '../../shared/connection.ts';
import type { Request, Response } from '../../shared/protocol.ts';

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
    const { client, receive, disconnect } = createClient((request: Request) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(request));
      else queueMicrotask(() => disconnect(LOST));
    });
    socket.addEventListener('open', () =>
      resolve({
        client,
        openDropped: null,
        platform: /Mac|iPhone|iPad/.test(navigator.userAgent) ? 'darwin' : 'other',
        onLost: (listener) => lost.add(listener),
      }),
    );
    socket.addEventListener('message', (event) => receive(JSON.parse(String(event.data)) as Response));
    socket.addEventListener('error', () => reject(new Error('The server does not answer on its WebSocket.')));
    socket.addEventListener('close', () => {
      disconnect(LOST);
      for (const listener of lost) listener(LOST);
    });
  });
}

const LOST = 'The connection to Velescope was lost: the server ended or the tunnel closed.';
