import type { Request, Response } from '../shared/protocol.ts';

/**
 * What the preload puts on the window as `window.velescope`: a pipe for the protocol's envelopes and the one thing the page
 * cannot do through it, hand over a dropped folder without ever seeing its path. The page runs `createClient` over the pipe,
 * as it does over the browser door's WebSocket.
 */
export interface VelescopeBridge {
  /** Sends one call or cancel. Anything else is dropped before it leaves the page's process. */
  send(request: Request): void;
  /** Subscribes to answers, progress and events; returns the function that ends it. */
  onResponse(listener: (response: Response) => void): () => void;
  /** Opens what was dropped on the window; an `opened` event answers when it is a directory. */
  openDropped(file: File): void;
  /** `process.platform`: which modifier key shortcuts are shown with. */
  readonly platform: string;
}

declare global {
  interface Window {
    /** Present in the desktop application only; absent in the browser door. */
    readonly velescope?: VelescopeBridge;
  }
}
