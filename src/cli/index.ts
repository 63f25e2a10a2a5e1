#!/usr/bin/env node
import { nodeFiles } from '../main/engine/node-files.ts';
import { mayColour, Output } from './output.ts';
import { run } from './program.ts';

const stream = (target: NodeJS.WriteStream) =>
  new Output(target, target.isTTY === true, mayColour(target.isTTY === true, process.env));

process.exitCode = await run(
  { out: stream(process.stdout), errors: stream(process.stderr), input: process.stdin, files: nodeFiles },
  process.argv.slice(2),
);
