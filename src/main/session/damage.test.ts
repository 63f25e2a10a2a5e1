import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { LogBuilder } from '../../core/log-builder.fixture.ts';
import { encodeStore } from '../../core/record.ts';
import { crc32 } from '../engine/crc32.ts';
import { databaseForEach } from './session.fixture.ts';

const database = databaseForEach();

test('of very many possible records inside a damaged one the first are named, and the others counted', async () => {
  const inside = new LogBuilder();
  for (let id = 0; id < 1000; id++) inside.store(id, '{}');
  const payload = Uint8Array.from([0x22, ...inside.bytes(), 0x78]);
  const damaged = encodeStore(7n, payload, crc32);
  damaged[13]! ^= 1;
  writeFileSync(database.log, Buffer.concat([damaged, new LogBuilder().store(8, '{}').bytes()]));
  const { call } = await database.start();
  const { damage } = await call('damage.list', { from: 0, count: 10 });
  expect(damage).toHaveLength(1);
  const [{ possible, morePossible, explanation }] = damage as [(typeof damage)[0]];
  expect(possible[0]).toEqual({ offset: '14', length: 19, id: '0' });
  expect(possible.length + morePossible).toBe(1000);
  expect(morePossible).toBeGreaterThan(500);
  expect(explanation).toContain('1000 whole records inside it');
});
