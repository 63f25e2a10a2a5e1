import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES, fromErrorValue, toErrorValue, VelescopeError } from './errors.ts';

describe('errors', () => {
  it('keep code, next step and data across a process boundary', () => {
    const error = new VelescopeError('LOCK_HELD', 'held', { next: 'wait', data: { pid: 7 } });
    const again = fromErrorValue(structuredClone(toErrorValue(error)));
    expect(toErrorValue(again)).toEqual({ code: 'LOCK_HELD', message: 'held', next: 'wait', data: { pid: 7 } });
  });

  it('of the system get a code of ours and keep their own', () => {
    const system = Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' });
    expect(toErrorValue(system)).toMatchObject({ code: 'DISK_FULL', data: { system: 'ENOSPC' } });
    expect(toErrorValue(Object.assign(new Error('x'), { code: 'EIO' }))).toMatchObject({ code: 'IO_ERROR' });
  });

  it('nobody foresaw are INTERNAL, whatever was thrown', () => {
    expect(toErrorValue(new TypeError('oops'))).toEqual({ code: 'INTERNAL', message: 'oops' });
    expect(toErrorValue('text')).toEqual({ code: 'INTERNAL', message: 'text' });
  });

  it('are all explained in docs/errors.md, and nothing else is', () => {
    const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
    const rows = page.split('\n').filter((line) => line.startsWith('| `'));
    const documented = rows.flatMap((line) =>
      [...line.split('|')[1]!.matchAll(/`([A-Z_]+)`/g)].map((match) => match[1]),
    );
    expect(documented.toSorted()).toEqual([...ERROR_CODES].toSorted());
  });
});
