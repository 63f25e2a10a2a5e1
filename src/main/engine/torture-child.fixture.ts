import { runTortureChild } from './torture.fixture.ts';

runTortureChild(process.argv.slice(2));
