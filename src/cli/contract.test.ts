import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LogBuilder } from '../core/log-builder.fixture.ts';
import { runHere } from './run.fixture.ts';

/** docs/contract.md, "Command line", sentence by sentence. */

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'velescope-contract-'));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

const HEALTHY = new LogBuilder().store(1).store(2).bytes();
const MISMATCH = (() => {
  const bytes = new LogBuilder().store(1).store(2).bytes();
  bytes[14]! ^= 1;
  return bytes;
})();
const TORN = new LogBuilder().store(1).raw([0xc3, 1, 2]).bytes();
const UNKNOWN = new LogBuilder().store(1).raw(new Array(20).fill(0x55)).bytes();
const UNREADABLE = new LogBuilder().store(1).store(2, '1e309').bytes();

/** Makes a directory with files in it, and returns its path. */
function put(name: string, files: Record<string, Uint8Array | string>): string {
  const directory = join(root, name);
  mkdirSync(directory, { recursive: true });
  for (const [file, content] of Object.entries(files)) writeFileSync(join(directory, file), content);
  return directory;
}

describe('exit status', () => {
  it.each([
    // log, verify, replay v1.6, replay v3.12, dump v1.6, dump v3.12, dump salvage
    ['healthy', HEALTHY, 0, 0, 0, 0, 0, 0],
    ['empty', new Uint8Array(0), 0, 0, 0, 0, 0, 0],
    ['a CRC mismatch', MISMATCH, 3, 0, 0, 0, 0, 0],
    ['a torn tail', TORN, 3, 3, 0, 3, 0, 0],
    ['an unknown marker', UNKNOWN, 3, 3, 0, 3, 0, 0],
    ['an unreadable payload', UNREADABLE, 3, 0, 0, 3, 3, 3],
  ])('of %s', async (_name, log, verify, replayOld, replayNew, dumpOld, dumpNew, salvage) => {
    const directory = put('c', { 'payloads.log': log });
    const statuses: Record<string, number> = {};
    for (const words of [
      ['verify', directory],
      ['replay', directory, '--as', 'v1.6'],
      ['replay', directory, '--as', 'v3.12'],
      ['dump', directory, '--as', 'v1.6'],
      ['dump', directory, '--as', 'v3.12'],
      ['dump', directory, '--as', 'salvage'],
    ]) {
      const plain = await runHere(words);
      const json = await runHere([...words, '--json']);
      expect(json.status).toBe(plain.status);
      statuses[`${words[0]} ${words[3] ?? ''}`.trim()] = plain.status;
    }
    expect(statuses).toEqual({
      verify,
      'replay v1.6': replayOld,
      'replay v3.12': replayNew,
      'dump v1.6': dumpOld,
      'dump v3.12': dumpNew,
      'dump salvage': salvage,
    });
  });

  it('of several: could not, if any could not; else found, if any; and all are done', async () => {
    const healthy = put('healthy', { 'payloads.log': HEALTHY });
    const torn = put('torn', { 'payloads.log': TORN });
    const missing = join(root, 'missing');
    expect((await runHere(['verify', healthy, healthy])).status).toBe(0);
    expect((await runHere(['verify', torn, healthy])).status).toBe(3);
    const ran = await runHere(['verify', missing, torn, healthy, '--json']);
    expect(ran.status).toBe(1);
    expect(ran.lines.map((line) => line.directory)).toEqual([missing, torn, healthy]);
  });

  it('of a root is that of its collections', async () => {
    put('db', { 'velesdb.lock': '' });
    put('db/a', { 'payloads.log': HEALTHY });
    expect((await runHere(['verify', join(root, 'db')])).status).toBe(0);
    put('db/b', { 'payloads.log': TORN });
    expect((await runHere(['verify', join(root, 'db')])).status).toBe(3);
    mkdirSync(join(root, 'db', 'c', 'payloads.log'), { recursive: true });
    const ran = await runHere(['verify', join(root, 'db'), '--json']);
    expect(ran.status).toBe(1);
    expect(ran.lines.map((line) => line.error?.code)).toEqual([undefined, undefined, 'NOT_A_FILE']);
  });
});

describe('DIR', () => {
  it('is a collection where it holds a log, a snapshot or a configuration', async () => {
    for (const file of ['payloads.log', 'payloads.snapshot', 'config.json']) {
      const directory = put(`with-${file}`, { [file]: '' });
      const { lines } = await runHere(['verify', directory, '--json']);
      expect(lines, file).toEqual([expect.objectContaining({ directory, log: expect.anything() })]);
    }
  });

  it('is a root by its lock file or by a configured child, and then each of its collections in order', async () => {
    put('locked', { 'velesdb.lock': '' });
    put('locked/b', { 'payloads.log': HEALTHY });
    put('locked/a', { 'config.json': '{}' });
    put('locked/no', { 'readme.txt': '' });
    put('plain/z', { 'config.json': '{}' });
    put('plain/y', { 'payloads.log': HEALTHY });
    for (const [name, children] of [
      ['locked', ['a', 'b']],
      ['plain', ['y', 'z']],
    ] as const) {
      const { lines } = await runHere(['replay', join(root, name), '--as', 'v1.6']);
      expect(lines.map((line) => line.directory)).toEqual(children.map((child) => join(root, name, child)));
    }
  });

  it('is printed as given, joined with the name of a root’s collection', async () => {
    put('db', { 'velesdb.lock': '' });
    put('db/a', { 'payloads.log': HEALTHY });
    const odd = `${root}/./db//`;
    const { lines } = await runHere(['replay', odd, '--as', 'v1.6']);
    expect(lines[0].directory).toBe(`${odd}a`);
    const given = await runHere(['replay', `${root}/db/../db/a/`, '--as', 'v1.6']);
    expect(given.lines[0].directory).toBe(`${root}/db/../db/a/`);
  });

  it('is an empty collection to replay and dump where it is neither, and no file is made', async () => {
    const directory = put('neither', {});
    for (const generation of ['v1.6', 'v3.12']) {
      const replayed = await runHere(['replay', directory, '--as', generation]);
      const empty = { ok: true, usedSnapshot: false, lastSnapshotWalPosition: '0', count: 0, index: [] };
      expect(replayed).toMatchObject({ status: 0, lines: [{ directory, ...empty }] });
      expect(await runHere(['dump', directory, '--as', generation])).toMatchObject({ status: 0, stdout: '' });
    }
    expect(readdirSync(directory)).toEqual([]);
  });

  it.each(['history', 'batch'])('must not be a root for %s', async (command) => {
    put('db', { 'velesdb.lock': '' });
    put('db/a', { 'payloads.log': HEALTHY });
    const words = command === 'history' ? ['history', join(root, 'db'), '1'] : ['batch', join(root, 'db')];
    const ran = await runHere(words);
    expect(ran).toMatchObject({ status: 2, stdout: '' });
    expect(ran.stderr).toContain('database root');
  });

  it('may hold what is no regular file: said, not waited for', async () => {
    const directory = put('odd', {});
    if (process.platform === 'win32') mkdirSync(join(directory, 'payloads.log'));
    else execFileSync('mkfifo', [join(directory, 'payloads.log')]);
    for (const words of [['verify'], ['replay', '--as', 'v1.6'], ['dump', '--as', 'salvage']]) {
      const ran = await runHere([words[0]!, directory, ...words.slice(1), '--json']);
      expect(ran).toMatchObject({ status: 1, lines: [{ directory, error: { code: 'NOT_A_FILE' } }] });
    }
  });

  it('may be reached through links, and a link in a circle is no collection', async () => {
    put('db', { 'velesdb.lock': '' });
    put('elsewhere', { 'payloads.log': HEALTHY });
    symlinkSync(join(root, 'elsewhere'), join(root, 'db', 'linked'));
    symlinkSync('circle', join(root, 'db', 'circle'));
    symlinkSync(join(root, 'nowhere'), join(root, 'db', 'dangling'));
    const { lines, status } = await runHere(['verify', join(root, 'db'), '--json']);
    expect(lines.map((line) => line.directory)).toEqual([join(root, 'db', 'linked')]);
    expect(status).toBe(0);
  });
});

describe('a log that is a link to nowhere', () => {
  const linked = (files: Record<string, string | Uint8Array>): string => {
    const directory = put('c', files);
    symlinkSync(join(root, 'not mounted'), join(directory, 'payloads.log'));
    return directory;
  };

  it('is missing: 1 where nothing else says that there should be one, to verify and to recover', async () => {
    const directory = linked({});
    const target = join(root, 'new');
    for (const words of [
      ['verify', directory],
      ['recover', directory, '--to', target, '--policy', 'salvage'],
    ]) {
      const ran = await runHere([...words, '--json']);
      expect(ran).toMatchObject({ status: 1, lines: [{ directory, error: { code: 'NOT_FOUND' } }] });
    }
    expect(readdirSync(root)).toEqual(['c']);
  });

  it('is missing: 3 to verify beside a configuration', async () => {
    const directory = linked({ 'config.json': '{}' });
    const ran = await runHere(['verify', directory, '--json']);
    expect(ran).toMatchObject({ status: 3, lines: [{ directory, log: { bytes: 0 } }] });
  });

  it('is told beside the other collections of a root', async () => {
    put('.', { 'velesdb.lock': '' });
    linked({});
    put('good', { 'payloads.log': HEALTHY });
    const { status, lines } = await runHere(['verify', root, '--json']);
    expect(status).toBe(1);
    expect(lines.map((line) => line.error?.code)).toEqual(['NOT_FOUND', undefined]);
  });
});

describe('a failure of the system', () => {
  it('is one line on stdout with --json, and words on stderr without', async () => {
    const missing = join(root, 'missing');
    const file = join(put('c', { 'payloads.log': HEALTHY }), 'payloads.log');
    for (const [path, code] of [
      [missing, 'NOT_FOUND'],
      [file, 'NOT_A_DIRECTORY'],
      [join(file, 'below'), 'NOT_A_DIRECTORY'],
    ] as const) {
      for (const words of [
        ['verify', path],
        ['replay', path, '--as', 'v1.6'],
        ['dump', path, '--as', 'salvage'],
        ['history', path, '1'],
        ['batch', path],
      ]) {
        const json = await runHere([...words, '--json']);
        expect(json.status).toBe(1);
        expect(json.lines).toEqual([{ directory: path, error: { code, message: expect.any(String) } }]);
        const plain = await runHere(words);
        expect(plain).toMatchObject({ status: 1, stdout: '' });
        expect(plain.stderr).toContain(`(${code})`);
      }
    }
  });
});

describe('dump', () => {
  it('prints payload text as stored, line breaks between tokens as spaces', async () => {
    const texts = ['{ "a" :\t1.0,\r\n "a":2 }', '"\\n\\u0000\u202e"', '[\n]'];
    const log = new LogBuilder();
    texts.forEach((text, at) => {
      log.store(at + 1, text);
    });
    const directory = put('c', { 'payloads.log': log.bytes() });
    const { stdout } = await runHere(['dump', directory, '--as', 'v3.12']);
    expect(stdout).toBe(
      texts.map((text, at) => `{"id":"${at + 1}","payload":${text.replace(/[\r\n]/g, ' ')}}\n`).join(''),
    );
  });

  it('sorts by id as a number, whatever its size', async () => {
    const ids = [
      '0',
      '9',
      '10',
      '4294967295',
      '4294967296',
      '9007199254740993',
      '9223372036854775808',
      '18446744073709551615',
    ];
    const log = new LogBuilder();
    for (const id of [...ids].sort()) log.store(BigInt(id));
    const directory = put('c', { 'payloads.log': log.bytes() });
    for (const view of ['v1.6', 'salvage']) {
      const { lines } = await runHere(['dump', directory, '--as', view]);
      expect(lines.map((line) => line.id)).toEqual(ids);
    }
  });

  it('names the collection for a root', async () => {
    put('db', { 'velesdb.lock': '' });
    put('db/a', { 'payloads.log': HEALTHY });
    put('db/b', { 'payloads.log': UNKNOWN });
    const { lines, status } = await runHere(['dump', join(root, 'db'), '--as', 'v1.6']);
    expect(lines).toEqual([
      { id: '1', collection: 'a', payload: { id: 1 } },
      { id: '2', collection: 'a', payload: { id: 2 } },
      { collection: 'b', ok: false, kind: 'InvalidData', message: 'Unknown WAL marker' },
    ]);
    expect(status).toBe(3);
  });

  it('gives the bytes of what cannot be read, and none where there are none', async () => {
    const log = new LogBuilder().store(1, '1e309').store(2, '').legacyStore(3, '{}').bytes();
    // The last record's payload is not there: only the first engines index it.
    const directory = put('c', { 'payloads.log': log.slice(0, -2) });
    const { lines } = await runHere(['dump', directory, '--as', 'v1.6']);
    expect(lines).toEqual([
      {
        id: '1',
        error: { kind: 'InvalidData', message: 'number out of range at line 1 column 5' },
        base64: Buffer.from('1e309').toString('base64'),
      },
      { id: '2', error: { kind: 'InvalidData', message: 'EOF while parsing a value at line 1 column 0' } },
      { id: '3', error: { kind: 'UnexpectedEof', message: 'failed to fill whole buffer' } },
    ]);
  });

  it('salvages what lies behind damage', async () => {
    const log = new LogBuilder().store(1).raw(new Array(20).fill(0x55)).store(2);
    const directory = put('c', { 'payloads.log': log.bytes() });
    const { lines, status } = await runHere(['dump', directory, '--as', 'salvage']);
    expect(lines.map((line) => line.id)).toEqual(['1', '2']);
    expect(status).toBe(0);
  });

  it('carries a payload longer than any of its buffers', async () => {
    const text = `"${'0123456789é'.repeat(100_000)}"`;
    const directory = put('c', {
      'payloads.log': new LogBuilder()
        .store(1, text)
        .store(2, `${text.slice(0, -1)}`)
        .bytes(),
    });
    const { stdout, lines } = await runHere(['dump', directory, '--as', 'v3.12']);
    expect(stdout.startsWith(`{"id":"1","payload":${text}}\n`)).toBe(true);
    expect(Buffer.from(lines[1].base64, 'base64').toString()).toBe(text.slice(0, -1));
    const shown = await runHere(['dump', directory, '--as', 'v3.12'], { terminal: true });
    expect(shown.lines[0].payload).toBe(JSON.parse(text));
  });
});

describe('history', () => {
  it('lists every version and delete of an id, oldest first, and which is live', async () => {
    const log = new LogBuilder()
      .legacyStore(7, '{"v":1}')
      .store(8)
      .store(7, '{"v": 2}')
      .delete(7)
      .store(7, '1e309')
      .store(7, '{"v":3}')
      .store(7, '{"v":4}');
    const bytes = log.bytes();
    bytes[log.offsets[6]! + 14]! ^= 1;
    const directory = put('c', { 'payloads.log': bytes });
    const { lines, status } = await runHere(['history', directory, '7']);
    const at = (index: number) => String(log.offsets[index]);
    const common = { foundBySearch: false };
    expect(lines).toEqual([
      {
        offset: at(0),
        length: 20,
        kind: 'store',
        format: 'legacy',
        verdict: 'unprotected',
        ...common,
        live: false,
        payload: { v: 1 },
      },
      {
        offset: at(2),
        length: 25,
        kind: 'store',
        format: 'crc',
        verdict: 'ok',
        ...common,
        live: false,
        payload: { v: 2 },
      },
      { offset: at(3), length: 13, kind: 'delete', format: 'crc', verdict: 'ok', ...common, live: false },
      {
        offset: at(4),
        length: 22,
        kind: 'store',
        format: 'crc',
        verdict: 'payload-unreadable',
        ...common,
        live: false,
        base64: Buffer.from('1e309').toString('base64'),
      },
      {
        offset: at(5),
        length: 24,
        kind: 'store',
        format: 'crc',
        verdict: 'ok',
        ...common,
        live: true,
        payload: { v: 3 },
      },
      {
        offset: at(6),
        length: 24,
        kind: 'store',
        format: 'crc',
        verdict: 'crc-mismatch',
        ...common,
        live: false,
        base64: Buffer.from('{#v":4}').toString('base64'),
      },
    ]);
    expect(status).toBe(3);
  });

  it('prints nothing for an id that never was', async () => {
    const directory = put('c', { 'payloads.log': HEALTHY });
    expect(await runHere(['history', directory, '9'])).toMatchObject({ status: 0, stdout: '' });
  });

  it('takes the view it is told', async () => {
    const log = new LogBuilder().store(1, '1').raw(new Array(20).fill(0x55)).store(1, '2');
    const directory = put('c', { 'payloads.log': log.bytes() });
    const live = async (view: string) => {
      const { lines } = await runHere(['history', directory, '1', '--as', view]);
      return lines.filter((line) => line.live).map((line) => line.payload);
    };
    expect(await live('v3.12')).toEqual([1]);
    expect(await live('salvage')).toEqual([2]);
    expect(await live('v1.6')).toEqual([]);
    expect((await runHere(['history', directory, '1', '--as', 'v1.6'])).status).toBe(3);
  });
});

describe('a terminal', () => {
  const hostile = '"\u009b31m\u007f\u202e\u2066 \\u001b[2J"';

  it('never gets a control character raw, and the JSON still means the same', async () => {
    const log = new LogBuilder().store(1, `{\t"a"\t:\r\n${hostile} }`).store(2, 'x\u001b[31m');
    const directory = put('c\u001b[2J\u202e', { 'payloads.log': log.bytes() });
    for (const words of [
      ['verify', directory, '--json', '--segments'],
      ['verify', directory, '--segments', '--ids'],
      ['replay', directory, '--as', 'v3.12'],
      ['dump', directory, '--as', 'v3.12'],
      ['history', directory, '1'],
      ['verify', `${directory}/no\u001b`],
      ['dump', directory, '--as', '\u001b[31m'],
      ['\u001b[31m'],
    ]) {
      const ran = await runHere(words, { terminal: true });
      const ours = (ran.stdout + ran.stderr).replace(/\u001b\[\d+m/g, '');
      expect(ours, words[0]).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
    }
    const piped = await runHere(['dump', directory, '--as', 'v3.12']);
    const shown = await runHere(['dump', directory, '--as', 'v3.12'], { terminal: true });
    expect(shown.lines).toEqual(piped.lines);
    expect(shown.stdout).not.toBe(piped.stdout);
  });

  it('gets no colour in JSON, nor a pipe any', async () => {
    const directory = put('c', { 'payloads.log': TORN });
    expect((await runHere(['verify', directory, '--json'], { terminal: true })).stdout).not.toContain('\u001b');
    expect((await runHere(['verify', directory])).stdout).not.toContain('\u001b');
    expect((await runHere(['verify', directory], { terminal: true })).stdout).toContain('\u001b[31m');
  });
});
