import { afterEach, describe, expect, test } from 'vitest';
import { createJobServer, type WorkAnswer, type WorkRequest } from './jobs.ts';
import { type Pipe, type Source, TookTooLong, Work } from './work.ts';

const open: MessagePort[] = [];
afterEach(() => {
  for (const port of open.splice(0)) port.close();
});

/** The worker's side behind a real message channel: what passes is cloned, and answers come later. */
function connect(seen: WorkRequest[] = [], onJob = () => {}): Pipe {
  const { port1, port2 } = new MessageChannel();
  open.push(port1, port2);
  const take = createJobServer((answer) => port2.postMessage(answer));
  port2.onmessage = ({ data }: MessageEvent<WorkRequest>) => {
    seen.push(data);
    if (data.type === 'job') onJob();
    take(data);
  };
  return {
    post: (request) => port1.postMessage(request),
    onAnswer: (answer) => {
      port1.onmessage = ({ data }: MessageEvent<WorkAnswer>) => answer(data);
    },
    close: () => {},
  };
}

const known: string[] = [];
const numberOf = (text: string): number => (known.includes(text) ? known.indexOf(text) : known.push(text) - 1);
/** A text in parts that are known by what they are. */
const textOf = (number: number, ...parts: string[]): Source => ({
  number,
  parts: () => parts.map((text) => ({ number: numberOf(text), text: () => text })),
});
const decoded = (text: string | Uint8Array): string =>
  typeof text === 'string' ? text : new TextDecoder().decode(text);

describe('work beside the window', () => {
  test('answers each job with what the core says', async () => {
    const work = new Work(() => connect());
    const answers = await Promise.all([
      work.run('check', { text: '{"a":1}' }),
      work.run('check', { text: '{"a":1e309}' }),
      work.run('store', { text: '{\n  "a": 1.50\n}', compact: true }),
      work.run('layOut', { stored: '{"a":1.50}', base: true }),
    ]);
    expect(answers).toEqual([
      { state: 'ok' },
      { state: 'unreadable', message: 'number out of range at line 1 column 10', from: 5 },
      '{"a":1.50}',
      { displayed: '{\n  "a": 1.50\n}', compact: true },
    ]);
  });

  test('takes the text in pieces, once for all jobs about it', async () => {
    const seen: WorkRequest[] = [];
    const work = new Work(() => connect(seen));
    const source = textOf(1, '{"a"', ': "', 'b"}');
    const answers = await Promise.all([
      work.run('store', { text: '', compact: true }, { source }),
      work.run('store', { text: '[ ]', compact: true }),
      work.run('check', { text: '' }, { source }),
      work.run('pathAt', { text: '', offset: 7 }, { source }),
      work.run('follow', { text: '', steps: ['a'] }, { source }),
      work.run('store', { text: '', compact: true }, { source: textOf(2) }),
      work.run('store', { text: '', compact: true }, { source }),
    ]);
    expect(answers).toMatchObject([
      '{"a":"b"}',
      '[]',
      { state: 'ok' },
      { steps: ['a'], shadowed: false },
      { state: 'found', place: { member: 1, start: 6, end: 9 } },
      '',
      '{"a":"b"}',
    ]);
    const texts = seen.flatMap((request) => (request.type === 'part' ? decoded(request.text) : [])).filter(Boolean);
    // Again only after another text took its place.
    expect(texts).toEqual(['{"a"', ': "', 'b"}', '{"a"', ': "', 'b"}']);
  });

  test('is sent of a changed text only the parts that it has not got', async () => {
    const seen: WorkRequest[] = [];
    const work = new Work(() => connect(seen));
    const store = (source: Source) => work.run('store', { text: '', compact: true }, { source });
    expect(await store(textOf(1, '[1', ',2', ',3', ']'))).toBe('[1,2,3]');
    expect(await store(textOf(2, '[1', ',3', ',7', ']'))).toBe('[1,3,7]');
    expect(await store(textOf(3, '[1', ',2', ']'))).toBe('[1,2]');
    const sent = seen.flatMap((request) => (request.type === 'part' ? decoded(request.text) : []));
    expect(sent).toEqual(['[1', ',2', ',3', ']', ',7', ',2']);
  });

  test('gives large results back in pieces', async () => {
    const answers: WorkAnswer[] = [];
    const work = new Work(() => {
      const pipe = connect();
      return {
        ...pipe,
        onAnswer: (answer, failed) =>
          pipe.onAnswer((one) => {
            answers.push(one);
            answer(one);
          }, failed),
      };
    });
    const stored = JSON.stringify('Köln 😀 '.repeat(100_000));
    expect(await work.run('layOut', { stored, base: true })).toEqual({ displayed: stored, compact: true });
    expect(await work.run('store', { text: stored, compact: true })).toBe(stored);
    expect(answers.length).toBeGreaterThan(6);
    for (const answer of answers) if (answer.type === 'text') expect(answer.text.length).toBeLessThan(300_000);
  });

  test('takes text with half a character in it as it is', async () => {
    const work = new Work(() => connect());
    const pieces = ['["Köln 😀', '\ud83d', 'x"]'];
    const source = textOf(1, ...pieces);
    expect(await work.run('store', { text: '', compact: false }, { source })).toBe(pieces.join(''));
  });

  test('takes large texts ahead of the job they belong to', async () => {
    const seen: WorkRequest[] = [];
    const work = new Work(() => connect(seen));
    const stored = JSON.stringify('Köln 😀 '.repeat(100_000));
    const printed = await work.run('print', {
      value: { draft: { text: stored, base: { text: `${stored} ` } }, call: 1 },
    });
    expect(new TextDecoder().decode(printed)).toBe(
      JSON.stringify({ draft: { text: stored, base: { text: `${stored} ` } }, call: 1 }),
    );
    expect(await work.run('layOut', { stored, base: true })).toEqual({ displayed: stored, compact: true });
    expect(seen.filter(({ type }) => type === 'text').length).toBeGreaterThan(6);
  });

  test('does not begin what nobody waits for any more, and drops its result', async () => {
    const seen: WorkRequest[] = [];
    const controller = new AbortController();
    const work = new Work(() => connect(seen, () => controller.abort()));
    const first = work.run('check', { text: '1' }, { signal: controller.signal });
    const second = work.run('check', { text: '2' }, { signal: controller.signal });
    const third = work.run('check', { text: '3' });
    second.catch(() => {});
    await expect(first).rejects.toMatchObject({ code: 'CANCELLED' });
    await expect(second).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(await third).toEqual({ state: 'ok' });
    expect(seen).toMatchObject([{ params: { text: '1' } }, { params: { text: '3' } }]);
  });

  test('is done here where no worker starts, or one dies with the job', async () => {
    expect(await new Work(() => null).run('check', { text: '{' })).toMatchObject({ state: 'not-json' });
    let starts = 0;
    let fail = () => {};
    const dying = new Work(() => {
      starts++;
      return {
        post: ({ type }) => void (type === 'job' && fail()),
        onAnswer: (_answer, failed) => {
          fail = failed;
        },
        close: () => {},
      };
    });
    expect(await dying.run('store', { text: '', compact: true }, { source: textOf(1, '[ ', '1 ]') })).toBe('[1]');
    expect(await dying.run('check', { text: '[1]' })).toEqual({ state: 'ok' });
    expect(starts).toBe(1);
  });

  test('ends a job that does not end by itself, and goes on with another worker', async () => {
    let starts = 0;
    let closed = 0;
    const seen: WorkRequest[] = [];
    const work = new Work(() => {
      const pipe = connect(seen);
      const isStuck = starts++ === 0;
      const post = (request: WorkRequest) => (isStuck && request.type === 'job' ? undefined : pipe.post(request));
      return { ...pipe, post, close: () => void closed++ };
    });
    const source = textOf(1, 'aa', 'ab');
    const wanted = { query: '(a+)+b', matchCase: true, regexp: true };
    const find = () => work.run('find', { text: '', wanted, from: 0, forward: true }, { source, limit: 20 });
    await expect(find()).rejects.toBeInstanceOf(TookTooLong);
    expect(closed).toBe(1);
    expect(await work.run('store', { text: '', compact: false }, { source })).toBe('aaab');
    expect(starts).toBe(2);
    await expect(new Work(() => null).run('check', { text: '1' }, { limit: 20 })).rejects.toBeInstanceOf(TookTooLong);
  });

  test('says what a job failed with', async () => {
    const work = new Work(() => connect());
    await expect(work.run('parse', { pieces: [Uint8Array.of(0x7b)] })).rejects.toThrow(/JSON/);
  });
});
