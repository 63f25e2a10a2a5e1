import { CRC_SIZE, LENGTH_FIELD_OFFSET, Marker, STORE_HEADER_SIZE } from '../record.ts';
import { readU32 } from '../u64.ts';
import type { Proposal } from './proposal.ts';
import { repairedByte, repairedU32 } from './proposal.ts';

/** From this expectation on a description says that such repairs fit by accident too. */
const WORTH_MENTIONING = 0.01;

const MARKER_NAMES = new Map<number, string>([
  [Marker.crcStore, 'a store'],
  [Marker.crcDelete, 'a delete'],
  [Marker.legacyStore, 'a store without CRC'],
  [Marker.legacyDelete, 'a delete without CRC'],
]);

function hexByte(byte: number): string {
  return `0x${byte.toString(16).padStart(2, '0')}`;
}

function hexWord(word: number): string {
  return `0x${word.toString(16).padStart(8, '0')}`;
}

function hexBytes(bytes: Uint8Array): string {
  return [...bytes].map(hexByte).join(' ');
}

function fieldAt(marker: number | undefined, length: number, offset: number): string {
  if (offset === 0) return 'the marker';
  if (offset < LENGTH_FIELD_OFFSET) return 'the id';
  if (marker === Marker.crcDelete) return 'the stored CRC';
  if (offset < STORE_HEADER_SIZE) return 'the length field';
  return offset < length - CRC_SIZE ? 'the payload' : 'the stored CRC';
}

/** What is where a repaired record ends: an intact record, the end of the damaged segment, or neither. */
export type Ending = 'next-record' | 'damage-end' | 'elsewhere';

const ENDINGS: Record<Ending, string> = {
  'next-record': ' and ends where the next intact record starts',
  'damage-end': ' and takes up the damaged bytes exactly',
  elsewhere: '',
};

/**
 * One plain sentence or two on a repair: where, the old and the new value in hex, and what speaks for it.
 * @param bytes the damaged bytes, from the record's marker on.
 * @param recordOffset of the marker in the log, or undefined to name offsets in the record only.
 */
export function describeProposal(
  bytes: Uint8Array,
  proposal: Proposal,
  recordOffset: number | undefined,
  ending: Ending,
): string {
  const { change, length, kind } = proposal;
  const { offset, before, after } = change;
  const marker = repairedByte(bytes, change, 0);
  const inFile = recordOffset === undefined ? '' : ` (offset ${recordOffset + offset} in the log)`;
  const first = fieldAt(marker, length, offset);
  const last = fieldAt(marker, length, offset + Math.max(after.length, 1) - 1);
  const where = first === last ? `in ${first}` : `across ${first} and ${last}`;
  const place = `byte ${offset} of the record${inFile}`;
  const end = `The record is then ${length} bytes long${ENDINGS[ending]}`;

  let text: string;
  switch (kind) {
    case 'bit-flip':
      text = `One flipped bit ${where}: ${place} is ${hexBytes(before)} and should be ${hexBytes(after)}.`;
      break;
    case 'byte':
      text = `One wrong byte ${where}: ${place} is ${hexBytes(before)} and should be ${hexBytes(after)}.`;
      break;
    case 'two-bytes':
      text = `Two adjacent wrong bytes ${where}: from ${place} on, ${hexBytes(before)} should be ${hexBytes(after)}.`;
      if (last === 'the length field' || first === 'the length field') text += ` ${end}.`;
      break;
    case 'marker':
      text = `A wrong marker: ${place} is ${hexBytes(before)} and should be ${hexBytes(after)}, ${MARKER_NAMES.get(after[0]!)}.`;
      if (!proposal.provenByCrc) text += ` ${end}.`;
      break;
    case 'length': {
      const claimed = readU32(bytes, LENGTH_FIELD_OFFSET);
      const repaired = repairedU32(bytes, change, LENGTH_FIELD_OFFSET);
      text =
        `A wrong length field: it says ${claimed} bytes (${hexWord(claimed)}) and should say ${repaired}` +
        ` (${hexWord(repaired)}), changed at ${place}. ${end}.`;
      break;
    }
    case 'stored-crc': {
      const stored = readU32(bytes, length - CRC_SIZE);
      const computed = repairedU32(bytes, change, length - CRC_SIZE);
      const sound = marker === Marker.crcDelete ? 'The framing is sound' : 'Payload and framing are sound';
      text =
        `A damaged stored CRC: it is ${hexWord(stored)} where the record's bytes give ${hexWord(computed)}. ${sound}, so the` +
        ' damage may be in the CRC alone; nothing proves the id and the rest as they stand.';
      break;
    }
    case 'dropped-byte':
      text = `A byte is missing ${where}: ${hexBytes(after)} belongs before ${place}.`;
      break;
    case 'inserted-byte':
      text = `A byte too many ${where}: ${hexBytes(before)} at ${place} does not belong there.`;
      break;
  }
  if (!proposal.provenByCrc) {
    return kind === 'stored-crc' ? text : `${text} Records of this format carry no CRC, so nothing proves it.`;
  }
  text += ' With that the CRC agrees.';
  if (proposal.expectedByAccident >= WORTH_MENTIONING) {
    text += ` In a record of this size about ${accidents(proposal.expectedByAccident)} such repairs fit by accident.`;
  }
  return text;
}

function accidents(expected: number): string {
  return expected >= 10 ? String(Math.round(expected)) : expected.toPrecision(1);
}
