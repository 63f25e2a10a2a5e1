import { parentPort, workerData } from 'node:worker_threads';
import { blockWalkerFor } from '../../core/fast-scan.ts';
import { PartColumns, scanPart } from '../../core/fast-scan-part.ts';
import { crc32 } from './crc32.ts';
import { readFully } from './files.ts';
import type { PartRequest, PartResponse, ScanWorkerStart } from './parallel-scan.ts';
import { openWorkerFile } from './worker-file.ts';

/**
 * A thread that walks parts of a log for `scanFile`. It opens the file itself and ends with an error, which the other side answers by
 * scanning alone, if that is not the file meant.
 */
const port = parentPort;
if (!port) throw new Error('This module runs as a worker.');
const start = workerData as ScanWorkerStart;
const walker = blockWalkerFor(crc32);
if (!walker) throw new Error('There is no WebAssembly here.');
const file = openWorkerFile(start);

port.on('message', (request: PartRequest) => {
  const columns = new PartColumns(request.buffer);
  const { rows, runs } = scanPart({
    read: (into, at, length, position) => readFully(file, into, at, length, position),
    size: start.size,
    from: request.from,
    to: request.to,
    synchronised: request.from === 0,
    walker,
    crc32,
    columns,
  });
  const response: PartResponse = { part: request.part, rows, runs, buffer: columns.buffer };
  port.postMessage(response, [columns.buffer]);
});
port.postMessage('ready');
