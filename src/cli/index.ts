#!/usr/bin/env node
import { fstatSync, readSync } from 'node:fs';
import { nodeFiles } from '../main/engine/node-files.ts';
import { mayColour, Output } from './output.ts';
import { run } from './program.ts';

const stream = (target: NodeJS.WriteStream) =>
  new Output(
    target,
    target.isTTY === true,
    mayColour(target.isTTY === true, process.env),
    target.isTTY ? target.columns || null : null,
  );

/** Standard input. Node takes a directory there for an empty stream; reading it says what the system says. */
async function* standardInput(): AsyncIterable<Uint8Array> {
  if (fstatSync(0).isDirectory()) readSync(0, new Uint8Array(1));
  yield* process.stdin;
}

process.exitCode = await run(
  { out: stream(process.stdout), errors: stream(process.stderr), input: standardInput(), files: nodeFiles },
  process.argv.slice(2),
);
