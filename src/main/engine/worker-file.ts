import type { FileStatus, OpenFile } from './files.ts';
import { nodeFiles } from './node-files.ts';

/** The log that a thread is to read: it opens it by its path, and the device and inode say whether it is the one meant. */
export interface WorkerFile extends Pick<FileStatus, 'device' | 'inode'> {
  path: string;
}

/** How an open log is named to another thread. */
export function workerFileOf(file: OpenFile): WorkerFile {
  const { device, inode } = file.status();
  return { path: file.path, device, inode };
}

/** Opens it for reading. Throws where the path leads to another file now, which ends the thread: the other side then works alone. */
export function openWorkerFile({ path, device, inode }: WorkerFile): OpenFile {
  const file = nodeFiles.open(path, 'read');
  const status = file.status();
  if (status.device !== device || status.inode !== inode) throw new Error(`${path} is another file now.`);
  return file;
}
