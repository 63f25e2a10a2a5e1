import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { mayColour, Output, OutputClosed } from './output.ts';

describe('Output', () => {
  it('waits for a slow reader', async () => {
    const release: (() => void)[] = [];
    const stream = new Writable({
      highWaterMark: 1,
      write(_chunk, _encoding, done) {
        release.push(done);
      },
    });
    const output = new Output(stream, false, false);
    output.write('x'.repeat(200_000));
    expect(output.isFull).toBe(true);
    let settled = false;
    const settling = output.settle().then(() => {
      settled = true;
    });
    await new Promise((resume) => setTimeout(resume, 20));
    expect(settled).toBe(false);
    while (!settled) {
      release.shift()?.();
      await new Promise((resume) => setImmediate(resume));
    }
    await settling;
  });

  it('keeps text, bytes and their order, whatever their sizes', async () => {
    const chunks: Buffer[] = [];
    const stream = new Writable({
      write(chunk, _encoding, done) {
        chunks.push(Buffer.from(chunk));
        done();
      },
    });
    const output = new Output(stream, false, false);
    let expected = '';
    for (const size of [0, 1, 21_844, 21_845, 21_846, 65_535, 65_536, 65_537, 3, 200_000]) {
      const text = `é${'a'.repeat(size)}\u{1f600}`;
      const bytes = Buffer.from(`<${'b'.repeat(size)}>`);
      output.write(text);
      output.writeBytes(bytes);
      bytes.fill(0);
      expected += `${text}<${'b'.repeat(size)}>`;
    }
    await output.flush();
    expect(Buffer.concat(chunks).toString()).toBe(expected);
  });

  it('tells a reader who left from a disk that is full', async () => {
    const failing = (code: string) =>
      new Output(
        new Writable({
          write(_chunk, _encoding, done) {
            done(Object.assign(new Error(code), { code }));
          },
        }),
        false,
        false,
      );
    const closed = failing('EPIPE');
    closed.write('x');
    await expect(closed.flush()).rejects.toBeInstanceOf(OutputClosed);
    closed.write('y');
    await expect(closed.flush()).rejects.toBeInstanceOf(OutputClosed);
    const full = failing('ENOSPC');
    full.write('x');
    await expect(full.flush()).rejects.toMatchObject({ cause: { code: 'ENOSPC' } });
  });
});

describe('colour', () => {
  it('is for terminals, unless NO_COLOR is set to something or the terminal is dumb', () => {
    expect(mayColour(true, {})).toBe(true);
    expect(mayColour(true, { NO_COLOR: '' })).toBe(true);
    expect(mayColour(true, { NO_COLOR: '1' })).toBe(false);
    expect(mayColour(true, { TERM: 'dumb' })).toBe(false);
    expect(mayColour(false, {})).toBe(false);
  });
});
