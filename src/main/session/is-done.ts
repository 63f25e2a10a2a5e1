/** Does something whose failure is said elsewhere, or matters to nobody. False where it threw, or says so itself. */
export function isDone(work: () => unknown): boolean {
  try {
    return work() !== false;
  } catch {
    return false;
  }
}
