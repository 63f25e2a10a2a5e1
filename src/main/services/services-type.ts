import type { Readable } from 'node:stream';
import type { Database, Handlers, ProtocolEvent } from '../../shared/protocol.ts';

/**
 * What a door lends the services: questions only a person can answer. A port that is absent means that the door cannot ask
 * (the browser has no dialog of ours), and the services answer the call in another way or refuse it.
 */
export interface Ports {
  /** Asks for a directory to open. Null when the person cancelled. */
  chooseDirectory?(): Promise<string | null>;
  /** Asks where a recovery goes; answers the path of a directory that does not exist yet, or null when cancelled. */
  chooseTarget?(suggestedName: string): Promise<string | null>;
  /** Asks where an export is written; answers the path of a file, or null when cancelled. */
  chooseExportFile?(suggestedName: string): Promise<string | null>;
}

export interface ServicesOptions {
  door: 'desktop' | 'browser';
  /** Refuses every write below the protocol, whatever the window asks for. */
  readOnly: boolean;
  /** Browser: the directory that no call ever leaves. Desktop: null. */
  root: string | null;
  /** The directory given at the start (`open DIR`, `serve DIR`), or null. */
  initial: string | null;
  ports: Ports;
  /** Where settings, recents and drafts are kept; never inside a data directory. */
  settingsDirectory: string;
}

/** A file made for the person to take away, by the opaque name that `export.records` answered. */
export type Download = { fileName: string } & ({ path: string } | { stream: Readable });

/** Everything behind the protocol: the same object stands behind Electron's IPC and the browser door's WebSocket. */
export interface Services {
  handlers: Handlers;
  /** Subscribes to what the services say unasked; returns the function that ends it. */
  onEvent(listener: (event: ProtocolEvent) => void): () => void;
  /** Opens a directory that a person named outside the protocol: dropped, from a second instance, from the menu. */
  openPath(path: string): Promise<Database>;
  download(name: string): Download | null;
  /** Ends sessions and workers, releases locks. */
  close(): Promise<void>;
}
