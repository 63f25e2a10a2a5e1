import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitLines } from './split-lines.ts';

async function* chunked(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

async function collect(chunks: readonly Uint8Array[], limit = 1000): Promise<string[]> {
  const lines: string[] = [];
  for await (const arrived of splitLines(chunked(chunks), limit)) {
    for (const line of arrived.lines) lines.push(Buffer.from(line).toString('latin1'));
  }
  return lines;
}

describe('splitLines', () => {
  it('gives the same lines however the input is cut into chunks', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: fc.constantFrom('a', '\n', '\r', 'é') }), { maxLength: 12 }),
        async (pieces) => {
          const whole = pieces.join('');
          const expected = whole.split('\n');
          if (expected.at(-1) === '') expected.pop();
          const lines = await collect(pieces.map((piece) => Buffer.from(piece, 'latin1')));
          expect(lines).toEqual(expected);
        },
      ),
      { verbose: 1 },
    );
  });

  it('hands over what arrived before it waits for more', async () => {
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    async function* slow() {
      yield Buffer.from('one\ntw');
      await gate;
      yield Buffer.from('o\n');
    }
    const lines = splitLines(slow(), 100);
    expect((await lines.next()).value).toEqual({ lines: [Buffer.from('one')], more: false });
    release();
    expect((await lines.next()).value!.lines).toEqual([Buffer.from('two')]);
    expect((await lines.next()).done).toBe(true);
  });

  it('says that more is at hand', async () => {
    const lines = splitLines(chunked([Buffer.from('a\n'), Buffer.from('b\n')]), 100);
    expect((await lines.next()).value!.more).toBe(true);
  });

  it('refuses a line beyond the limit, after the lines before it', async () => {
    const lines = splitLines(chunked([Buffer.from('short\n0123456789')]), 5);
    expect((await lines.next()).value!.lines).toEqual([Buffer.from('short')]);
    await expect(lines.next()).rejects.toMatchObject({ code: 'TOO_LARGE' });
  });

  it('passes on a failure of the source', async () => {
    async function* broken() {
      yield Buffer.from('a\n');
      throw new Error('the pipe broke');
    }
    const lines = splitLines(broken(), 100);
    await lines.next();
    await expect(lines.next()).rejects.toThrow('the pipe broke');
  });
});
