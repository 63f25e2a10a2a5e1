/** The module worker that jobs on large texts run in: the shell around `jobs.ts`, which holds all there is to know. */
import { createJobServer, type WorkRequest } from './jobs.ts';

// Bytes are handed over, not copied.
const take = createJobServer((answer) =>
  postMessage(answer, {
    transfer: answer.type === 'done' && answer.value instanceof Uint8Array ? [answer.value.buffer] : [],
  }),
);
addEventListener('message', (event: MessageEvent<WorkRequest>) => take(event.data));
