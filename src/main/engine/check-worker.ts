import { parentPort, workerData } from 'node:worker_threads';
import { checkPart } from '../../core/payload-part.ts';
import { runToEnd } from '../../core/steps.ts';
import { readFully } from './files.ts';
import { nodeFiles } from './node-files.ts';
import type { CheckRequest, CheckResponse, CheckWorkerStart } from './parallel-check.ts';

/**
 * A thread that looks at the payloads in parts of a log for `checkFile`. It opens the file itself and ends with an error, which the
 * other side answers by checking alone, if that is not the file meant.
 */
const port = parentPort;
if (!port) throw new Error('This module runs as a worker.');
const start = workerData as CheckWorkerStart;
const file = nodeFiles.open(start.path, 'read');
const status = file.status();
if (status.device !== start.device || status.inode !== start.inode)
  throw new Error(`${start.path} is another file now.`);

port.on('message', ({ part, ranges }: CheckRequest) => {
  const findings = runToEnd(
    checkPart(ranges, (into, at, length, position) => readFully(file, into, at, length, position)),
  );
  const response: CheckResponse = { part, findings };
  port.postMessage(response);
});
