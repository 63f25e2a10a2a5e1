import { useCallback, useState } from 'react';
import type { RecordDetail } from '../../../shared/protocol.ts';
import { formatOffset } from '../../components/format.ts';
import { Icon } from '../../components/icon.tsx';
import { useSession } from '../../state/session-state.ts';
import { hexByte } from './hex-layout.ts';
import { HexView } from './hex-view.tsx';

/** The record's bytes, its stored and computed CRC side by side, and what the byte under the cursor could mean. */
export function BytesTab({ record }: { record: RecordDetail | null }) {
  const { session, summary } = useSession();
  const [reading, setReading] = useState('');
  const onCursor = useCallback((offset: number, bytes: (offset: number) => number | undefined) => {
    setReading(describeByte(offset, bytes));
  }, []);
  if (!record || !session || !summary) {
    return (
      <div className="detail-empty">
        <p>A new record has no bytes in the log yet.</p>
      </div>
    );
  }
  return (
    <>
      <div className="crc-compare">
        {record.crc ? (
          <>
            <span>
              <span className="muted">stored CRC</span> <code>{record.crc.stored.toUpperCase()}</code>
            </span>
            <span>
              <span className="muted">computed</span> <code>{record.crc.computed.toUpperCase()}</code>
            </span>
            <span className={`word ${record.crc.matches ? 'tone-good' : 'tone-danger'}`}>
              <Icon name={record.crc.matches ? 'check' : 'cross'} />
              {record.crc.matches ? 'they match' : 'they differ'}
            </span>
          </>
        ) : (
          <span className="muted">
            {record.kind === 'gap' ? 'No record, no CRC' : 'A legacy record: it has no CRC'}
          </span>
        )}
        <span className="muted">
          {(['marker', 'id', 'length', 'payload', 'crc'] as const)
            .filter((name) => record.fields.some((field) => field.name === name))
            .map((name) => (
              <span key={name} className={`field-${name}`}>
                {name}{' '}
              </span>
            ))}
        </span>
      </div>
      <HexView
        session={session}
        record={record}
        logBytes={summary.log.bytes}
        revision={summary.revision}
        onCursor={onCursor}
      />
      <div className="editor-footer mono">{reading || ' '}</div>
    </>
  );
}

/** The byte at the cursor, and the little-endian integers that begin there. */
function describeByte(offset: number, bytes: (offset: number) => number | undefined): string {
  const byte = bytes(offset);
  if (byte === undefined) return '';
  const words = [`${formatOffset(offset)}`, `byte ${hexByte(byte)} = ${byte}`];
  const integer = (size: number): bigint | null => {
    let value = 0n;
    for (let index = size - 1; index >= 0; index--) {
      const next = bytes(offset + index);
      if (next === undefined) return null;
      value = (value << 8n) | BigInt(next);
    }
    return value;
  };
  const u32 = integer(4);
  const u64 = integer(8);
  if (u32 !== null) words.push(`u32 ${u32}`);
  if (u64 !== null) words.push(`u64 ${u64}`);
  return words.join(' · ');
}
