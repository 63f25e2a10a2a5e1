import { create } from 'zustand';
import { percent } from '../components/format.ts';
import { announce } from './announcements.ts';

/** Work that goes on in the background, shown in the status bar with its progress and a way to cancel it. */
export interface Job {
  serial: number;
  label: string;
  done: number;
  total: number;
  note: string;
  cancel: () => void;
}

export const useJobs = create<{ jobs: Job[] }>(() => ({ jobs: [] }));

let serial = 0;

/**
 * Runs long work as a job: `work` gets a signal that the person's cancel aborts and a function to report progress with. The
 * work's own result or error is passed on.
 */
export async function runJob<T>(
  label: string,
  work: (
    signal: AbortSignal,
    onProgress: (progress: { done: number; total: number; note?: string }) => void,
    cancel: () => void,
  ) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const job: Job = { serial: ++serial, label, done: 0, total: 0, note: '', cancel: () => controller.abort() };
  let announcedTenth = 0;
  useJobs.setState((state) => ({ jobs: [...state.jobs, job] }));
  try {
    const onProgress = ({ done, total, note }: { done: number; total: number; note?: string }) => {
      const tenth = Math.floor(percent(done, total) / 10);
      if (tenth > announcedTenth && tenth < 10) announce(`${label}: ${tenth * 10} percent`);
      announcedTenth = Math.max(announcedTenth, tenth);
      useJobs.setState((state) => ({
        jobs: state.jobs.map((entry) =>
          entry.serial === job.serial ? { ...entry, done, total, note: note ?? '' } : entry,
        ),
      }));
    };
    return await work(controller.signal, onProgress, job.cancel);
  } finally {
    useJobs.setState((state) => ({ jobs: state.jobs.filter((entry) => entry.serial !== job.serial) }));
  }
}
