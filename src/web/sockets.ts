import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { securityHeaders } from '../main/content-security.ts';
import type { Services } from '../main/services/services-type.ts';
import { createServer } from '../shared/connection.ts';
import { createCollector, framesOf, LARGE_MESSAGE, parsePieces } from '../shared/frames.ts';
import { TEXT_LIMIT } from '../shared/protocol.ts';
import { judge, type Secrets } from './access.ts';
import { requestUrl } from './http.ts';

/** The longest message taken, in bytes: a draft carries its text and the text that it began from. */
export const MESSAGE_LIMIT = 2 * TEXT_LIMIT + (1 << 20);
/** Pages connected at once. */
export const PEER_LIMIT = 16;
/** Bytes waiting for a peer that does not read them, before it is dropped. */
const BACKLOG_LIMIT = 256 << 20;
const HEARTBEAT_MILLISECONDS = 30_000;

/** The protocol over WebSockets: `upgrade` is for the HTTP server's event of that name. */
export interface Sockets {
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Ends every connection and what its calls left running. */
  close(): void;
}

/** Binds the same handlers as the desktop's IPC to WebSockets on /protocol, one protocol server for each. */
export function createSockets(context: {
  services: Pick<Services, 'handlers' | 'onEvent'>;
  secrets: Secrets;
  bound(): { host: string; port: number };
  messageLimit?: number;
}): Sockets {
  const { services, secrets, bound, messageLimit = MESSAGE_LIMIT } = context;
  const webSocketServer = new WebSocketServer({
    noServer: true,
    maxPayload: messageLimit,
    // Compression would let a small message grow to the limit, and costs memory for each peer.
    perMessageDeflate: false,
    clientTracking: true,
  });
  const alive = new WeakSet<WebSocket>();

  function serve(socket: WebSocket): void {
    const server = createServer(services.handlers, (response) => {
      if (socket.readyState !== socket.OPEN) return;
      if (socket.bufferedAmount > BACKLOG_LIMIT) {
        socket.terminate();
        return;
      }
      const message = JSON.stringify(response);
      if (message.length < LARGE_MESSAGE) socket.send(message);
      else for (const frame of framesOf(Buffer.from(message))) socket.send(frame);
    });
    const collect = createCollector(messageLimit);
    const unsubscribe = services.onEvent((event) => server.event(event));
    alive.add(socket);
    socket.on('pong', () => alive.add(socket));
    socket.on('message', (data: Buffer, isBinary) => {
      const collected = isBinary ? collect(data) : null;
      if (collected?.state === 'more') return;
      if (collected?.state === 'refused') {
        if (collected.reason === 'size') socket.close(1009, 'too large');
        else socket.close(1003, 'not a piece of a message');
        return;
      }
      let message: unknown;
      try {
        message = collected ? parsePieces(collected.pieces) : JSON.parse(data.toString());
      } catch {
        socket.close(1007, 'not JSON');
        return;
      }
      server.receive(message);
    });
    // A message over the limit ends here too: ws closes the connection by itself and says so with this event.
    socket.on('error', () => socket.terminate());
    socket.on('close', () => {
      unsubscribe();
      server.close();
    });
  }

  // A laptop that went to sleep behind a tunnel never says goodbye; what its calls hold is let go after two beats.
  const heartbeat = setInterval(() => {
    for (const socket of webSocketServer.clients) {
      if (!alive.has(socket)) socket.terminate();
      alive.delete(socket);
      if (socket.readyState === socket.OPEN) socket.ping();
    }
  }, HEARTBEAT_MILLISECONDS);
  heartbeat.unref();

  return {
    upgrade(request, socket, head) {
      socket.on('error', () => socket.destroy());
      const url = requestUrl(request);
      if (!url) return refuse(socket, 400);
      const access = judge({ headers: request.headers, url }, secrets, bound());
      if (access.status !== 200) return refuse(socket, access.status);
      if (url.pathname !== '/protocol') return refuse(socket, 404);
      if (webSocketServer.clients.size >= PEER_LIMIT) return refuse(socket, 503);
      webSocketServer.handleUpgrade(request, socket, head, serve);
    },
    close() {
      clearInterval(heartbeat);
      for (const socket of webSocketServer.clients) socket.terminate();
      webSocketServer.close();
    },
  };
}

function refuse(socket: Duplex, status: number): void {
  const headers = { ...securityHeaders(), connection: 'close', 'content-length': '0' };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('\r\n')}\r\n\r\n`);
}
