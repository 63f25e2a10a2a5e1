import { faultMatrix } from '../src/main/engine/fault-matrix.fixture.ts';

/** `npm run faults`: lists every call site, fault and outcome of the fault matrix. Ends with status 1 when anything was lost. */
export async function main(): Promise<number> {
  let scenario = '';
  let cases = 0;
  let states = 0;
  let lost = 0;
  for (const found of faultMatrix()) {
    if (found.scenario !== scenario) console.log(`\n${found.scenario}`);
    scenario = found.scenario;
    cases++;
    states += found.states;
    lost += found.losses.length === 0 ? 0 : 1;
    console.log(
      `  ${found.site} | ${found.fault} | ${found.outcome} | ${found.states} states | ${found.losses.length} losses`,
    );
    for (const loss of found.losses) console.log(`    LOST: ${loss}`);
  }
  console.log(`\n${cases} call sites and faults, ${states} disk states, ${lost} with losses`);
  return lost === 0 ? 0 : 1;
}
