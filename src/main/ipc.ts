import type { IpcMain, IpcMainEvent, WebContents } from 'electron';
import { CHANNELS } from '../shared/channels.ts';
import { createServer, type Server } from '../shared/connection.ts';
import type { Handlers, ProtocolEvent } from '../shared/protocol.ts';
import { APP_ORIGIN } from './app-protocol.ts';

interface Peer {
  contents: WebContents;
  server: Server;
}

/** What binds windows to the protocol's handlers. */
export interface Ipc {
  /** Takes messages of this window from now on, until it is destroyed. */
  admit(contents: WebContents): void;
  /** Says something to one window. Nothing happens when it is gone. */
  tell(contents: WebContents, event: ProtocolEvent): void;
  /** Says something to every window. */
  broadcast(event: ProtocolEvent): void;
}

/**
 * Whether a message comes from our page: out of a frame that still exists (`senderFrame` is null once it navigated away), the
 * top frame, and showing our origin. Each is checked for every message, because a window that was ours may have become
 * somebody else's since.
 */
export function isTrustedSender(event: Pick<IpcMainEvent, 'senderFrame'>): boolean {
  const frame = event.senderFrame;
  return frame !== null && frame.parent === null && frame.origin === APP_ORIGIN;
}

/**
 * Answers the protocol over Electron's IPC. One server for each page that a window shows: a page can cancel only its own calls,
 * and what it left running ends when it navigates, crashes or closes.
 *
 * @param onDropped called with the path of what was dropped on a window; a string, otherwise unchecked
 * @param onRefused called with the reason when a message is dropped, for the log
 */
export function bindIpc(options: {
  ipcMain: Pick<IpcMain, 'on'>;
  handlers: Handlers;
  onDropped(contents: WebContents, path: string): void;
  onRefused(reason: string): void;
}): Ipc {
  const { ipcMain, handlers, onDropped, onRefused } = options;
  const peers = new Map<number, Peer>();

  function connect(contents: WebContents): Peer {
    let open = true;
    const server = createServer(handlers, (response) => {
      if (open && !contents.isDestroyed()) contents.send(CHANNELS.response, response);
    });
    return {
      contents,
      server: {
        ...server,
        close() {
          // A late answer must not reach the page that came after.
          open = false;
          server.close();
        },
      },
    };
  }

  /** The peer a message may speak for, or null; says why not. */
  function peerOf(event: IpcMainEvent): Peer | null {
    const peer = peers.get(event.sender.id);
    if (!peer || peer.contents !== event.sender) {
      onRefused('message from an unknown window');
      return null;
    }
    if (!isTrustedSender(event)) {
      onRefused('message from a frame that is not the page of the application');
      return null;
    }
    return peer;
  }

  ipcMain.on(CHANNELS.request, (event, message: unknown) => {
    peerOf(event)?.server.receive(message);
  });
  ipcMain.on(CHANNELS.dropped, (event, path: unknown) => {
    if (!peerOf(event)) return;
    if (typeof path !== 'string') onRefused('dropped path that is no text');
    else onDropped(event.sender, path);
  });

  return {
    admit(contents) {
      const { id } = contents;
      peers.set(id, connect(contents));
      const restart = () => {
        peers.get(id)?.server.close();
        peers.set(id, connect(contents));
      };
      contents.on('did-start-navigation', (details) => {
        if (details.isMainFrame && !details.isSameDocument) restart();
      });
      contents.on('render-process-gone', restart);
      contents.once('destroyed', () => {
        peers.get(id)?.server.close();
        peers.delete(id);
      });
    },
    tell(contents, event) {
      peers.get(contents.id)?.server.event(event);
    },
    broadcast(event) {
      for (const peer of peers.values()) peer.server.event(event);
    },
  };
}
