import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { INFO_OK_STORE } from '../../core/record-table.ts';
import { createRecordTable } from './huge-pages.ts';

const onLinux = process.platform === 'linux';
if (!onLinux)
  console.warn('skipped: "a table of millions of rows lies on pages that Linux was asked to make large": not Linux');

/** How many mappings of this process carry the mark of the advice; null where the kernel knows no such pages. */
function advisedMappings(): number | null {
  const flags = readFileSync('/proc/self/smaps', 'latin1').match(/^VmFlags:.*$/gm);
  return flags?.filter((line) => / hg\b/.test(line)).length ?? null;
}

it.skipIf(!onLinux)('a table of millions of rows lies on pages that Linux was asked to make large', ({ skip }) => {
  let supported = true;
  try {
    readFileSync('/sys/kernel/mm/transparent_hugepage/enabled');
  } catch {
    supported = false;
  }
  if (!supported) skip('this kernel has no large pages to give unasked');
  const before = advisedMappings();
  const table = createRecordTable();
  table.reserve(3_000_000);
  expect(advisedMappings()).toBeGreaterThan(before!);
  table.push(0, INFO_OK_STORE, 7, 1);
  table.end = 40;
  table.link();
  expect(table.history(7, 1)).toEqual([0]);
});

it('a small table is left to the system', () => {
  const before = onLinux ? advisedMappings() : null;
  const table = createRecordTable();
  table.reserve(40_000);
  expect(onLinux ? advisedMappings() : null).toBe(before);
  expect(table.offsets.length).toBe(40_000);
});
