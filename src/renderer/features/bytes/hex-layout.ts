import type { RecordDetail } from '../../../shared/protocol.ts';

/** Whole rows of neighbouring bytes shown before and after a segment. */
const NEIGHBOUR_ROWS = 2;

/** Which bytes of the log a hex view shows, in rows. All offsets are bytes from the log's start. */
export interface HexLayout {
  /** Offset of the first row's first byte. */
  start: number;
  /** Behind the last byte. */
  end: number;
  bytesPerRow: number;
  rows: number;
}

/**
 * Rows around a segment: its first byte begins a row, so that marker, id and length stand where one expects them, with a few rows of
 * the neighbours before and after, as far as the log reaches.
 */
export function hexLayout(
  segment: { offset: number; length: number },
  logBytes: number,
  bytesPerRow: number,
): HexLayout {
  const before = Math.min(NEIGHBOUR_ROWS, Math.floor(segment.offset / bytesPerRow));
  const start = segment.offset - before * bytesPerRow;
  const end = Math.min(
    Math.max(logBytes, segment.offset + segment.length),
    segment.offset + segment.length + NEIGHBOUR_ROWS * bytesPerRow,
  );
  return { start, end, bytesPerRow, rows: Math.ceil((end - start) / bytesPerRow) };
}

export type FieldName = RecordDetail['fields'][number]['name'];

/** The field of a segment that a byte belongs to (`at` counts from the segment's start); null outside of all of them. */
export function fieldAt(fields: RecordDetail['fields'], at: number): FieldName | null {
  for (const field of fields) if (at >= field.from && at < field.to) return field.name;
  return null;
}

/** The character of a byte in the text column: printable ASCII as it is, a dot for everything else. */
export function byteCharacter(byte: number): string {
  return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '·';
}

/** A byte's accessible name: "offset 0x1A2B, value 7B, '{'". */
export function byteName(offset: number, byte: number, field: string | null): string {
  const character = byte >= 0x21 && byte < 0x7f ? `, '${String.fromCharCode(byte)}'` : byte === 0x20 ? ', space' : '';
  return `offset 0x${offset.toString(16).toUpperCase()}, value ${hexByte(byte)}${character}${field ? `, ${field}` : ''}`;
}

export function hexByte(byte: number): string {
  return byte.toString(16).toUpperCase().padStart(2, '0');
}

/** Moves the cursor among the bytes of a layout. Null for keys that move nothing. */
export function moveByte(
  layout: HexLayout,
  offset: number,
  key: { key: string; ctrlKey: boolean; metaKey: boolean },
  pageRows: number,
): number | null {
  const { start, end, bytesPerRow } = layout;
  const rowStart = offset - ((offset - start) % bytesPerRow);
  const clamp = (to: number) => Math.max(start, Math.min(end - 1, to));
  /** Up and down stay in the column. */
  const byRows = (rows: number): number => {
    const to = offset + rows * bytesPerRow;
    if (to < start) return start + ((offset - start) % bytesPerRow);
    return to < end ? to : clamp(offset + Math.floor((end - 1 - offset) / bytesPerRow) * bytesPerRow);
  };
  const ends = key.ctrlKey || key.metaKey;
  switch (key.key) {
    case 'ArrowLeft':
      return clamp(offset - 1);
    case 'ArrowRight':
      return clamp(offset + 1);
    case 'ArrowUp':
      return byRows(-1);
    case 'ArrowDown':
      return byRows(1);
    case 'PageUp':
      return byRows(-Math.max(1, pageRows - 1));
    case 'PageDown':
      return byRows(Math.max(1, pageRows - 1));
    case 'Home':
      return ends ? start : rowStart;
    case 'End':
      return ends ? end - 1 : clamp(rowStart + bytesPerRow - 1);
    default:
      return null;
  }
}
