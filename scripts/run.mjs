// Runs a program written in TypeScript: node scripts/run.mjs scripts/NAME.ts [ARGUMENTS]. The program exports `main`, which takes
// the arguments and returns the exit status. Node from 22.6 on could do this itself; 20 cannot.
import { resolve } from 'node:path';
import { runnerImport } from 'vite';

const [program, ...parameters] = process.argv.slice(2);
const { module } = await runnerImport(resolve(program), { configFile: false, logLevel: 'error' });
process.exitCode = await module.main(parameters);
