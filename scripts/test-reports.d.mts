export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
  skippedNames: string[];
  failures: string[];
  secondRuns: string[];
}
export function emptyCounts(): Counts;
export function addCounts(sum: Counts, counts: Counts): void;
export function countVitest(report: object, root: string): Counts;
export function countPlaywright(report: object): Counts;
