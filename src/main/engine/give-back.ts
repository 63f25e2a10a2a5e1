import { MessageChannel } from 'node:worker_threads';

/**
 * Gives the memory under a view back to the system at once, for large buffers that are of no more use: transferred into a channel
 * with nobody at its other end, the buffer is freed with the message. Left to the collector it would stay until that next runs, which
 * without need for memory may be never. Every view of it is empty from here on.
 */
export function giveBack(view: { readonly buffer: ArrayBufferLike }): void {
  if (!(view.buffer instanceof ArrayBuffer) || view.buffer.byteLength === 0) return;
  const { port1, port2 } = new MessageChannel();
  port2.close();
  port1.postMessage(null, [view.buffer]);
  port1.close();
}
