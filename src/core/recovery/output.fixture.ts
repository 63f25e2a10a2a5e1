import type { ByteSource } from '../byte-source.ts';
import type { RecoveryPlan } from './plan.ts';
import { FateCode } from './ranges.ts';
import { repairedBytes } from './repairs.ts';

/** What a plan writes, in memory: the plan read literally, apart from the code that writes files. */
export function outputOf(source: ByteSource, plan: RecoveryPlan): Uint8Array {
  const pieces: Uint8Array[] = [];
  for (let range = 0; range < plan.ranges.count; range++) {
    const from = plan.ranges.offset(range);
    if (plan.ranges.fateCode(range) === FateCode.kept) {
      pieces.push(source.read(from, plan.ranges.length(range)).slice());
      continue;
    }
    const repair = plan.repairs.find(({ enters, offset }) => enters && offset === from);
    if (repair) pieces.push(repairedBytes(source.read(from, repair.consumed).slice(), repair));
  }
  return new Uint8Array(Buffer.concat(pieces));
}
