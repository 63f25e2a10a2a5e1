import { parentPort } from 'node:worker_threads';
import { blockWalkerFor } from '../../core/fast-scan.ts';
import { PartColumns, type ReadInto, scanPart } from '../../core/fast-scan-part.ts';
import { checkPart } from '../../core/payload-part.ts';
import { runToEnd } from '../../core/steps.ts';
import { crc32 } from './crc32.ts';
import { type OpenFile, readFully } from './files.ts';
import type { CheckRequest, FromLogThread, ScanRequest, ToLogThread } from './log-threads.ts';
import { openWorkerFile } from './worker-file.ts';

/**
 * A thread that works on parts of a log for passes of another (log-threads.ts). It opens the file itself and ends with an error, which
 * the other side answers by working alone, if that is not the file meant.
 */
const port = parentPort;
if (!port) throw new Error('This module runs as a worker.');
const walker = blockWalkerFor(crc32);
let file: OpenFile | null = null;
const send = (message: FromLogThread, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);
const read: ReadInto = (into, start, length, position) => readFully(file!, into, start, length, position);

function scan({ part, from, to, size, buffer }: ScanRequest): void {
  if (!walker) throw new Error('There is no WebAssembly here.');
  const columns = new PartColumns(buffer);
  const { rows, runs } = scanPart({ read, size, from, to, synchronised: from === 0, walker, crc32, columns });
  send({ type: 'scan', part, rows, runs, buffer: columns.buffer }, [columns.buffer]);
}

function check({ part, ranges }: CheckRequest): void {
  send({ type: 'check', part, findings: runToEnd(checkPart(ranges, read)) });
}

port.on('message', (message: ToLogThread) => {
  switch (message.type) {
    case 'open':
      file = openWorkerFile(message.file);
      break;
    case 'scan':
      scan(message);
      break;
    case 'check':
      check(message);
      break;
    case 'close':
      file?.close();
      file = null;
  }
});
send({ type: 'ready' });
