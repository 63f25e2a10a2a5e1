import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bundle } from '../src/main/engine/bundle.fixture.ts';
import { torture } from '../src/main/engine/torture.fixture.ts';

/** `npm run torture -- --rounds N --seed N`: see torture.fixture.ts. Ends with status 1 when anything was lost. */
export async function main(parameters: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...parameters],
    options: {
      rounds: { type: 'string', default: '100' },
      seed: { type: 'string', default: String(Date.now() >>> 0) },
    },
  });
  const rounds = Number(values.rounds);
  const seed = Number(values.seed);
  if (!Number.isSafeInteger(rounds) || !Number.isSafeInteger(seed) || rounds < 1) {
    console.error('usage: torture [--rounds N] [--seed N]');
    return 2;
  }
  const child = await bundle('src/main/engine/torture-child.fixture.ts');
  try {
    const directory = mkdtempSync(join(tmpdir(), 'velescope-torture-'));
    console.log(`seed ${seed}`);
    const report = await torture({
      rounds,
      seed,
      directory,
      child: child.program,
      onRound: ({ rounds: done, operations, losses }) => {
        if (done % 50 === 0) console.log(`${done} rounds, ${operations} operations, ${losses.length} losses`);
      },
    });
    for (const loss of report.losses) console.log(loss);
    console.log(
      `${report.rounds} rounds, ${report.operations} operations begun, ${report.acknowledged} acknowledged, ` +
        `${report.interrupted} rounds killed in the middle of one, ${report.trimmed} tails cut, ${report.losses.length} losses`,
    );
    return report.losses.length === 0 ? 0 : 1;
  } finally {
    child.remove();
  }
}
