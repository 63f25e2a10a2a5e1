import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemorySource } from '../../core/byte-source.ts';
import { LogBuilder } from '../../core/log-builder.fixture.ts';
import { LENGTH_FIELD_OFFSET } from '../../core/record.ts';
import { retrieve } from '../../core/retrieve.ts';
import { writeU32 } from '../../core/u64.ts';
import { FaultyFiles } from './faulty-files.ts';
import { MemoryFiles } from './memory-files.ts';
import { RecordReader } from './record-reader.ts';

/** A log of one store for each payload, and where their length fields are. */
function logOf(payloads: readonly string[]) {
  const builder = new LogBuilder();
  const offsets = payloads.map((payload, id) => {
    const offset = builder.length + LENGTH_FIELD_OFFSET;
    builder.store(id, payload);
    return offset;
  });
  return { bytes: builder.bytes(), offsets };
}

function open(bytes: Uint8Array) {
  const memory = new MemoryFiles();
  memory.put('/log', bytes);
  const files = new FaultyFiles(memory);
  const file = files.open('/log', 'append');
  const reads = () => files.calls.filter((call) => call.kind === 'read').length;
  return { file, reader: new RecordReader(file), size: bytes.length, reads };
}

const textOf = (payload: Uint8Array | null) => (payload === null ? null : new TextDecoder().decode(payload));
const long = (length: number) => `"${'x'.repeat(length - 2)}"`;

describe('RecordReader', () => {
  it('answers as the core does on the same bytes, whatever they are and wherever it looks', () => {
    const payload = fc.oneof(
      fc.constantFrom('', '1', 'null', '{"a":', '[1,]', '{"a":1}'),
      fc.integer({ min: 2, max: 9000 }).map(long),
    );
    const damage = fc.record({ at: fc.nat(20_000), byte: fc.nat(255) });
    const look = fc.tuple(fc.nat(8), fc.integer({ min: -3, max: 3 }));
    fc.assert(
      fc.property(
        fc.array(payload, { minLength: 1, maxLength: 8 }),
        fc.array(damage, { maxLength: 3 }),
        fc.array(look, { minLength: 1, maxLength: 20 }),
        (payloads, damages, looks) => {
          const { bytes, offsets } = logOf(payloads);
          for (const { at, byte } of damages) if (at < bytes.length) bytes[at] = byte;
          const { reader, size } = open(bytes);
          for (const [which, by] of looks) {
            const offset = offsets[which % offsets.length]! + by;
            const expected = retrieve(new MemorySource(bytes), offset, 'v3.12');
            expect(textOf(reader.read(offset, size, 'approximate'))).toBe(
              expected.ok ? textOf(expected.payload) : null,
            );
          }
        },
      ),
    );
  });

  it('takes one read for a payload as long as the ones before it, and two for a longer one', () => {
    const { bytes, offsets } = logOf([long(1000), long(1000), long(1000), long(50_000), long(1000)]);
    const { reader, size, reads } = open(bytes);
    const counts = offsets.map((offset) => {
      const before = reads();
      expect(reader.read(offset, size, 'approximate')).not.toBeNull();
      return reads() - before;
    });
    expect(counts).toEqual([2, 1, 1, 2, 1]);
  });

  it('reads less again once the long payloads are over', () => {
    const { bytes, offsets } = logOf([long(4000), ...Array.from({ length: 100 }, () => long(60))]);
    const memory = new MemoryFiles();
    memory.put('/log', bytes);
    const file = memory.open('/log', 'read');
    const lengths: number[] = [];
    const read = file.read.bind(file);
    file.read = (into, start, length, position) => {
      lengths.push(length);
      return read(into, start, length, position);
    };
    const reader = new RecordReader(file);
    for (const offset of offsets) reader.read(offset, bytes.length, 'approximate');
    expect(lengths.slice(0, 3)).toEqual([256, 4000 + 4 - 256, 4004]);
    expect(lengths[99]).toBeLessThan(512);
  });

  it('reads a record at the very end, though it asks for more than there is', () => {
    const { bytes, offsets } = logOf(['1', '{"last":true}']);
    const { reader, size } = open(bytes);
    expect(textOf(reader.read(offsets[1]!, size, 'approximate'))).toBe('{"last":true}');
  });

  it('gives nothing for a length that lies: beyond the end, beyond what is known of the log, or into other bytes', () => {
    for (const [length, size] of [
      [0xffff_fff0, undefined],
      [40, undefined],
      [0, undefined],
      [3, undefined],
      [7, 12],
    ] as const) {
      const { bytes, offsets } = logOf(['{"a":1}']);
      writeU32(bytes, offsets[0]!, length);
      const opened = open(bytes);
      expect(opened.reader.read(offsets[0]!, size ?? opened.size, 'approximate')).toBeNull();
    }
  });

  it('gives nothing where the file was cut, also where what is left of the payload is JSON', () => {
    const { bytes, offsets } = logOf(['12345678', long(5000)]);
    for (const [which, left] of [
      [0, 0],
      [0, 3],
      [0, 4],
      [0, 6],
      [1, 4000],
    ] as const) {
      const { file, reader, size } = open(bytes);
      file.truncate(offsets[which]! + left);
      expect(reader.read(offsets[which]!, size, 'approximate')).toBeNull();
    }
  });

  it('sees what is in the file now, not what was there at the read before', () => {
    const { bytes, offsets } = logOf(['{"a":1}', '{"b":2}']);
    const { file, reader, size } = open(bytes);
    expect(textOf(reader.read(offsets[0]!, size, 'approximate'))).toBe('{"a":1}');
    file.truncate(offsets[1]!);
    expect(reader.read(offsets[1]!, size, 'approximate')).toBeNull();
    expect(textOf(reader.read(offsets[0]!, size, 'approximate'))).toBe('{"a":1}');
  });

  it('never writes over a payload that it handed out', () => {
    const payloads = Array.from({ length: 3000 }, (_, index) =>
      JSON.stringify({ index, text: 'y'.repeat(index % 700) }),
    );
    const { bytes, offsets } = logOf(payloads);
    const { reader, size } = open(bytes);
    const found = offsets.map((offset) => reader.read(offset, size, 'approximate'));
    expect(found.map(textOf)).toEqual(payloads);
    // Nor does the caller that changes one change another.
    found[10]!.fill(0);
    expect([textOf(found[9]!), textOf(found[11]!)]).toEqual([payloads[9], payloads[11]]);
  });

  it('passes a failure of the system on, and goes on afterwards', () => {
    const { bytes, offsets } = logOf(['{"a":1}']);
    const memory = new MemoryFiles();
    memory.put('/log', bytes);
    let fails = true;
    const files = new FaultyFiles(memory, (call) =>
      call.kind === 'read' && fails ? { type: 'error', code: 'EIO' } : null,
    );
    const reader = new RecordReader(files.open('/log', 'read'));
    expect(() => reader.read(offsets[0]!, bytes.length, 'approximate')).toThrow(/EIO/);
    fails = false;
    expect(textOf(reader.read(offsets[0]!, bytes.length, 'approximate'))).toBe('{"a":1}');
  });
});
