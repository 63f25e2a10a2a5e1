import type { JsonReader } from './json/number.ts';

/**
 * A generation is a range of VelesDB releases that give the same answer to every log (docs/format.md, "Engine generations").
 * Named by the first release of the range.
 */
export const GENERATIONS = ['v1.6', 'v1.16', 'v1.17', 'v3.12', 'v8.0'] as const;
export type Generation = (typeof GENERATIONS)[number];

/** What an id index can be built as: one generation's answer, or everything intact. */
export type View = Generation | 'salvage';
export const VIEWS: readonly View[] = [...GENERATIONS, 'salvage'];

export const DEFAULT_GENERATION: Generation = 'v3.12';

/** How a generation's replay reacts where the log is not as it should be. */
export interface ReplayPolicy {
  /** A short read: `refuse` fails the open with UnexpectedEof, `stop` keeps what came before. */
  readonly shortRead: 'refuse' | 'stop';
  /** A store whose payload or CRC runs past the end: `short-read` as above, `refuse-length` fails with InvalidData. */
  readonly pastEnd: 'short-read' | 'refuse-length';
  /** The first engines index a legacy store without looking whether its payload is there. */
  readonly indexesLegacyPastEnd: boolean;
  readonly unknownMarker: 'refuse' | 'stop';
  /** Whether reading bounds the length by the file's size before it reads the payload. */
  readonly boundsLengthOnRead: boolean;
  /** The first engines write a tombstone also for an id they do not hold. */
  readonly writesUnknownDeletes: boolean;
  /** How floats are read: the last digits of values, and which numbers are refused (docs/format.md, "JSON"). */
  readonly jsonReader: JsonReader;
  /** People's words for the range of releases. */
  readonly releases: string;
}

export const POLICIES: Readonly<Record<Generation, ReplayPolicy>> = {
  'v1.6': {
    shortRead: 'refuse',
    pastEnd: 'short-read',
    indexesLegacyPastEnd: true,
    unknownMarker: 'refuse',
    boundsLengthOnRead: false,
    writesUnknownDeletes: true,
    jsonReader: 'approximate',
    releases: '1.6 – 1.15',
  },
  'v1.16': {
    shortRead: 'refuse',
    pastEnd: 'refuse-length',
    indexesLegacyPastEnd: false,
    unknownMarker: 'refuse',
    boundsLengthOnRead: true,
    writesUnknownDeletes: false,
    jsonReader: 'approximate',
    releases: '1.16',
  },
  'v1.17': {
    shortRead: 'stop',
    pastEnd: 'short-read',
    indexesLegacyPastEnd: false,
    unknownMarker: 'refuse',
    boundsLengthOnRead: true,
    writesUnknownDeletes: false,
    jsonReader: 'approximate',
    releases: '1.17 – 3.11',
  },
  'v3.12': {
    shortRead: 'stop',
    pastEnd: 'short-read',
    indexesLegacyPastEnd: false,
    unknownMarker: 'stop',
    boundsLengthOnRead: true,
    writesUnknownDeletes: false,
    jsonReader: 'approximate',
    releases: '3.12 – 7.x',
  },
  'v8.0': {
    shortRead: 'stop',
    pastEnd: 'short-read',
    indexesLegacyPastEnd: false,
    unknownMarker: 'stop',
    boundsLengthOnRead: true,
    writesUnknownDeletes: false,
    jsonReader: 'exact',
    releases: '8.0 and later',
  },
};

/** How a view reads numbers; salvage reads as the default generation does. */
export function jsonReaderOf(view: View): JsonReader {
  return POLICIES[view === 'salvage' ? DEFAULT_GENERATION : view].jsonReader;
}

/** The error kinds of Rust's std::io that VelesDB answers with. */
export type VelesErrorKind = 'UnexpectedEof' | 'InvalidData' | 'InvalidInput' | 'NotFound';

export interface VelesError {
  kind: VelesErrorKind;
  message: string;
}

export const SHORT_READ: VelesError = { kind: 'UnexpectedEof', message: 'failed to fill whole buffer' };
export const UNKNOWN_MARKER: VelesError = { kind: 'InvalidData', message: 'Unknown WAL marker' };
export const LENGTH_PAST_END: VelesError = {
  kind: 'InvalidData',
  message: 'WAL payload length exceeds remaining file',
};
export const READ_LENGTH_PAST_END: VelesError = { kind: 'InvalidData', message: 'payload length exceeds file size' };
export const OFFSET_NOT_SEEKABLE: VelesError = { kind: 'InvalidInput', message: 'Invalid argument (os error 22)' };
