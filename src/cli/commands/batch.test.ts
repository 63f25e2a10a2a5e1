import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LogBuilder } from '../../core/log-builder.fixture.ts';
import { nodeFiles } from '../../main/engine/node-files.ts';
import { runHere } from '../run.fixture.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'velescope-batch-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

const log = () => new Uint8Array(readFileSync(join(directory, 'payloads.log')));

describe('batch', () => {
  it('makes a log in an existing directory, and writes what each line says', async () => {
    const ran = await runHere(['batch', directory], {
      input: [
        '{"op":"store","id":"1","payload":{"b":1, "a":1}}',
        '{"id":"2","payload":null}',
        '',
        '{"op":"batch","entries":[["3",[1]],["4","x"]]}',
        '{"op":"delete","id":"2"}',
        '{"op":"delete","id":"999"}',
        '{"op":"flush"}',
      ].join('\n'),
    });
    expect(ran.lines).toEqual([{ directory, applied: 6 }]);
    expect(ran.status).toBe(0);
    expect(ran.stderr).toBe('');
    expect(log()).toEqual(
      new LogBuilder()
        .store(1, '{"b":1, "a":1}')
        .store(2, 'null')
        .store(3, '[1]')
        .store(4, '"x"')
        .delete(2)
        .delete(999)
        .bytes(),
    );
    expect(readdirSync(directory)).toEqual(['payloads.log']);
  });

  it('stops at the first refused line and keeps what came before', async () => {
    const ran = await runHere(['batch', directory, '--json'], {
      input: '{"id":"1","payload":1}\n{"id":"2","payload":1e309}\n{"id":"3","payload":3}\n',
    });
    expect(ran.status).toBe(1);
    expect(ran.lines).toEqual([
      {
        directory,
        applied: 1,
        refused: { line: 2, code: 'PAYLOAD_REFUSED', message: expect.stringContaining('number out of range') },
      },
    ]);
    expect(log()).toEqual(new LogBuilder().store(1, '1').bytes());
  });

  it('passes over a byte order mark before the first line, and over no other', async () => {
    const ran = await runHere(['batch', directory], {
      input: '\ufeff{"id":"1","payload":1}\n\ufeff{"id":"2","payload":2}\n',
    });
    expect(ran.lines).toEqual([{ directory, applied: 1, refused: expect.objectContaining({ line: 2 }) }]);
    expect(log()).toEqual(new LogBuilder().store(1, '1').bytes());
  });

  it('writes nothing of a line of which a part is refused', async () => {
    const ran = await runHere(['batch', directory], {
      input: '{"op":"batch","entries":[["1",1],["2","\\ud800"]]}\n',
    });
    expect(ran.status).toBe(1);
    expect(ran.lines).toEqual([{ directory, applied: 0, refused: expect.objectContaining({ line: 1 }) }]);
    expect(log()).toHaveLength(0);
  });

  it.each(['fsync', 'flush', 'none'])('leaves every accepted line in the log with durability %s', async (mode) => {
    const ran = await runHere(['batch', directory, '--durability', mode], {
      input: '{"id":"1","payload":1}\n{"id":"2","payload":2}\nnonsense\n',
    });
    expect(ran.status).toBe(1);
    expect(log()).toEqual(new LogBuilder().store(1, '1').store(2, '2').bytes());
  });

  it('takes a snapshot where a line says so', async () => {
    await runHere(['batch', directory], {
      input: '{"id":"1","payload":1}\n{"op":"snapshot"}\n{"id":"2","payload":2}\n',
    });
    const { lines } = await runHere(['replay', directory, '--as', 'v1.6']);
    expect(lines).toEqual([
      {
        directory,
        ok: true,
        usedSnapshot: true,
        lastSnapshotWalPosition: '18',
        count: 2,
        index: [
          ['1', '9'],
          ['2', '27'],
        ],
      },
    ]);
  });

  it('gives back what was dumped', async () => {
    const payloads = [
      '{"z":1,"a":[1.0,1e5],"k\\u0000":"\u{1f600}"}',
      '"\u202e"',
      '123456789012345678901234567890',
      '{ "a" : [ ] }',
    ];
    const source = join(directory, 'source');
    mkdirSync(source);
    const builder = new LogBuilder();
    payloads.forEach((payload, at) => {
      builder.store(2n ** 64n - BigInt(payloads.length - at), payload);
    });
    writeFileSync(join(source, 'payloads.log'), builder.bytes());
    const dumped = await runHere(['dump', source, '--as', 'salvage']);
    const ran = await runHere(['batch', directory], { input: dumped.stdout });
    expect(ran.lines).toEqual([{ directory, applied: payloads.length }]);
    expect(log()).toEqual(builder.bytes());
  });

  it('refuses behind a tear, and changes nothing', async () => {
    const bytes = new LogBuilder().store(1).raw([0xc3, 1, 2]).bytes();
    writeFileSync(join(directory, 'payloads.log'), bytes);
    const ran = await runHere(['batch', directory, '--json'], { input: '{"id":"1","payload":1}\n' });
    expect(ran.lines).toEqual([{ directory, error: { code: 'LOG_DAMAGED', message: expect.any(String) } }]);
    expect(ran.status).toBe(1);
    expect(log()).toEqual(bytes);
  });

  it('refuses a database root as misuse', async () => {
    mkdirSync(join(directory, 'items'));
    writeFileSync(join(directory, 'items', 'config.json'), '{}');
    const ran = await runHere(['batch', directory], { input: '{"id":"1","payload":1}\n' });
    expect(ran.status).toBe(2);
    expect(existsSync(join(directory, 'payloads.log'))).toBe(false);
  });

  it('cannot write into a directory that is not there', async () => {
    const missing = join(directory, 'missing');
    const ran = await runHere(['batch', missing, '--json'], { input: '' });
    expect(ran.lines).toEqual([{ directory: missing, error: { code: 'NOT_FOUND', message: expect.any(String) } }]);
    expect(ran.status).toBe(1);
    expect(existsSync(missing)).toBe(false);
  });

  it('is kept out by whoever holds the database, also through a link that leads away from its lock', async () => {
    const collection = join(directory, 'db', 'items');
    mkdirSync(collection, { recursive: true });
    writeFileSync(join(directory, 'db', 'velesdb.lock'), '');
    symlinkSync(collection, join(directory, 'link'));
    const holder = nodeFiles.open(join(directory, 'db', 'velesdb.lock'), 'append');
    expect(holder.tryLock(true)).toBe(true);
    try {
      for (const path of [collection, join(directory, 'link')]) {
        const ran = await runHere(['batch', path, '--json'], { input: '{"id":"1","payload":1}\n' });
        expect(ran.lines).toEqual([{ directory: path, error: { code: 'LOCK_HELD', message: expect.any(String) } }]);
        expect(ran.status).toBe(1);
      }
    } finally {
      holder.close();
    }
    expect(readdirSync(collection)).toEqual([]);
  });
});
