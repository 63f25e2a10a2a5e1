import { Readable, Writable } from 'node:stream';
import type { Files } from '../main/engine/files.ts';
import { nodeFiles } from '../main/engine/node-files.ts';
import { Output } from './output.ts';
import { run } from './program.ts';

// biome-ignore lint/suspicious/noExplicitAny: tests compare it with what they expect, as a whole or by member
export type Printed = any;

export interface Ran {
  status: number;
  stdout: string;
  stderr: string;
  /** Each line of stdout as JSON. */
  lines: Printed[];
}

export interface RunOptions {
  input?: string | Uint8Array;
  terminal?: boolean;
  /** How wide the terminal is. */
  columns?: number;
  files?: Files;
}

/** Runs a command line in this process, with streams of its own. */
export async function runHere(words: string[], options: RunOptions = {}): Promise<Ran> {
  const stdout = collector();
  const stderr = collector();
  const terminal = options.terminal ?? false;
  const status = await run(
    {
      out: new Output(stdout.stream, terminal, terminal, options.columns ?? null),
      errors: new Output(stderr.stream, terminal, terminal),
      input: Readable.from(options.input === undefined ? [] : [Buffer.from(options.input as string)]),
      files: options.files ?? nodeFiles,
    },
    words,
  );
  const text = stdout.text();
  return {
    status,
    stdout: text,
    stderr: stderr.text(),
    get lines() {
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line));
    },
  };
}

function collector(): { stream: Writable; text(): string } {
  const chunks: Buffer[] = [];
  return {
    stream: new Writable({
      write(chunk, _encoding, done) {
        chunks.push(Buffer.from(chunk));
        done();
      },
    }),
    text: () => Buffer.concat(chunks).toString('utf8'),
  };
}
