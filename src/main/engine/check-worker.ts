import { parentPort, workerData } from 'node:worker_threads';
import { checkPart } from '../../core/payload-part.ts';
import { runToEnd } from '../../core/steps.ts';
import { readFully } from './files.ts';
import type { CheckRequest, CheckResponse } from './parallel-check.ts';
import { openWorkerFile, type WorkerFile } from './worker-file.ts';

/**
 * A thread that looks at the payloads in parts of a log for `checkFile`. It opens the file itself and ends with an error, which the
 * other side answers by checking alone, if that is not the file meant.
 */
const port = parentPort;
if (!port) throw new Error('This module runs as a worker.');
const file = openWorkerFile(workerData as WorkerFile);

port.on('message', ({ part, ranges }: CheckRequest) => {
  const findings = runToEnd(
    checkPart(ranges, (into, at, length, position) => readFully(file, into, at, length, position)),
  );
  const response: CheckResponse = { part, findings };
  port.postMessage(response);
});
