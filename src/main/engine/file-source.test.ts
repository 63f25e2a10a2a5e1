import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FaultyFiles } from './faulty-files.ts';
import { FileSource } from './file-source.ts';
import { appendFully } from './files.ts';
import { MemoryFiles } from './memory-files.ts';

const content = Uint8Array.from({ length: 1_000_000 }, (_, index) => (index * 2654435761) >>> 17);

function open(bytes = content) {
  const memory = new MemoryFiles();
  memory.put('/log', bytes);
  const files = new FaultyFiles(memory);
  return { files, file: files.open('/log', 'append') };
}

describe('FileSource', () => {
  it('answers any request as the bytes in memory would', () => {
    const { file } = open();
    const source = new FileSource(file);
    const request = fc.tuple(fc.nat(1_000_100), fc.oneof(fc.nat(64), fc.nat(10_000), fc.nat(400_000)));
    fc.assert(
      fc.property(fc.array(request, { maxLength: 20 }), (requests) => {
        for (const [offset, length] of requests) {
          const found = source.read(offset, length);
          expect(Buffer.compare(found, content.subarray(offset, offset + length))).toBe(0);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('reads a small record anywhere with one call', () => {
    const { files, file } = open();
    const source = new FileSource(file);
    const before = files.calls.length;
    for (const offset of [900_000, 100_000, 500_000]) {
      source.read(offset, 4);
      source.read(offset + 4, 160);
    }
    expect(files.calls.slice(before).map((call) => call.kind)).toEqual(['read', 'read', 'read']);
  });

  it('passes through the file in large reads', () => {
    const { files, file } = open();
    const source = new FileSource(file);
    for (let offset = 0; offset < content.length; offset += 100) source.read(offset, 100);
    expect(files.calls.filter((call) => call.kind === 'read').length).toBeLessThan(12);
  });

  it('sees appended bytes once extended, and no more than its size', () => {
    const { file } = open(Uint8Array.of(1, 2, 3));
    const source = new FileSource(file);
    appendFully(file, Uint8Array.of(4, 5), 0, 2);
    expect([...source.read(1, 10)]).toEqual([2, 3]);
    source.extendTo(5);
    expect([...source.read(1, 10)]).toEqual([2, 3, 4, 5]);
    expect([...new FileSource(file, 2).read(0, 10)]).toEqual([1, 2]);
  });

  it('answers with fewer bytes where the file was cut', () => {
    const { file } = open(Uint8Array.of(1, 2, 3, 4));
    const source = new FileSource(file);
    file.truncate(2);
    expect([...source.read(0, 4)]).toEqual([1, 2]);
    expect([...source.read(3, 1)]).toEqual([]);
  });
});
