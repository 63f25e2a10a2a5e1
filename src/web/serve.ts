import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Services } from '../main/services/services-type.ts';
import { createSecrets } from './access.ts';
import { answerHttp } from './http.ts';
import { createSockets } from './sockets.ts';

/** Connections at once, of every kind. */
export const CONNECTION_LIMIT = 64;
/** Bytes of a request's line and headers. Not less: every program on localhost adds its cookies to each of our requests. */
export const HEADER_LIMIT = 12 << 10;

export interface ServeOptions {
  services: Services;
  /** The built renderer: out/renderer. */
  bundleDirectory: string;
  /** 0 or absent: any free port. */
  port?: number;
  /** 127.0.0.1 unless told otherwise; telling otherwise is the caller's to warn about (`isLoopback`). */
  host?: string;
  /** For tests: the longest message of a page, in bytes. */
  messageLimit?: number;
}

/** A running browser door. */
export interface RunningServer {
  /** The address to open, with its token. */
  url: string;
  port: number;
  /** Stops listening, ends every connection and closes the services. */
  close(): Promise<void>;
}

/** Whether only programs of this machine reach an address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.[0-9]{1,3}){3}$/.test(host);
}

/**
 * Serves the renderer's bundle and the protocol on one address. Rejects with the system's error when the address cannot be had
 * (EADDRINUSE, EACCES); the services are then still the caller's to close.
 */
export async function serve(options: ServeOptions): Promise<RunningServer> {
  const { services, bundleDirectory, host = '127.0.0.1' } = options;
  const secrets = createSecrets();
  let port = 0;
  const bound = () => ({ host, port });
  const sockets = createSockets({
    services,
    secrets,
    bound,
    ...(options.messageLimit === undefined ? {} : { messageLimit: options.messageLimit }),
  });
  const server = createServer(
    {
      maxHeaderSize: HEADER_LIMIT,
      headersTimeout: 10_000,
      requestTimeout: 30_000,
      keepAliveTimeout: 5_000,
      connectionsCheckingInterval: 5_000,
    },
    (request, response) => {
      answerHttp(request, response, { services, secrets, bound, bundleDirectory }).catch(() => response.destroy());
    },
  );
  server.maxConnections = CONNECTION_LIMIT;
  server.on('upgrade', (request, socket, head) => sockets.upgrade(request, socket, head));
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      sockets.close();
      reject(error);
    });
    server.listen(options.port ?? 0, host, () => {
      server.removeAllListeners('error');
      resolve();
    });
  });
  port = (server.address() as AddressInfo).port;
  const shownHost = host.includes(':') ? `[${host}]` : host;
  return {
    url: `http://${shownHost}:${port}/?token=${secrets.token}`,
    port,
    async close() {
      sockets.close();
      const ended = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await ended;
      await services.close();
    },
  };
}
