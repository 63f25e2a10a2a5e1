import { z } from 'zod';
import { GENERATIONS, VIEWS } from '../core/generation.ts';
import { VERDICTS } from '../core/segment.ts';
import { ERROR_CODES, type Plain } from './errors.ts';

/**
 * The protocol between a window and the engine: one schema per call, types inferred from it. The same calls travel over
 * Electron's IPC, over the browser door's WebSocket and between the main process and a session's worker.
 *
 * Unknown keys are refused (strict objects) and every size is capped: what comes from a window is input, not trust. A window
 * never names a path: places, databases, collections and sessions are opaque names given out by the main process.
 */

export const PAGE_LIMIT = 1_000;
export const BYTES_LIMIT = 1 << 20;
export const TEXT_LIMIT = 64 << 20;
/** Ids of one call about drafts. */
const IDS_LIMIT = 100_000;
/** No import makes more drafts of a directory than this: each change writes all of them. */
export const DRAFTS_LIMIT = 20_000;

const name = z.string().min(1).max(128);
const idText = z.string().regex(/^(0|[1-9][0-9]{0,19})$/);
const offsetText = z.string().regex(/^(0|[1-9][0-9]{0,19})$/);
const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const row = z.int().min(0).max(0xffff_ffff);
const nothing = z.strictObject({});
const done = z.object({});

export const viewSchema = z.enum(VIEWS);
export const generationSchema = z.enum(GENERATIONS);
export const verdictSchema = z.enum(VERDICTS);
export const durabilitySchema = z.enum(['fsync', 'flush', 'none']);
export const recordStateSchema = z.enum(['live', 'superseded', 'dead', 'damaged', 'gap']);
export const outcomeSchema = z.enum(['live', 'unreadable', 'lost', 'stale', 'resurrected', 'wrong']);
export const policySchema = z.enum(['absolute', 'tolerate-tail', 'point-in-time', 'salvage']);

export const detailWidthSchema = z.int().min(240).max(8_000);

export const errorValueSchema = z.object({
  code: z.enum(ERROR_CODES),
  message: z.string(),
  next: z.string().optional(),
  data: z.record(z.string(), z.custom<Plain>()).optional(),
});

// ---------------------------------------------------------------- directories and collections

const lockSchema = z.object({
  held: z.boolean(),
  /** Words for who holds it, "velesdb-server (process 4711)", where it can be told. */
  holder: z.string().nullable(),
});

const problemSchema = z.object({ code: z.string(), message: z.string() });

/** The badge of a collection. `word` is shown beside the icon, so that nothing is told by colour alone. */
const healthSchema = z.object({
  state: z.enum(['unknown', 'healthy', 'empty', 'damaged', 'torn', 'snapshot', 'missing', 'failed']),
  word: z.string(),
  records: count.nullable(),
  damage: count,
});

const collectionSchema = z.object({
  collection: name,
  /** As on disk: hostile, may hold control characters. */
  name: z.string(),
  kind: z.enum(['vector', 'graph', 'metadata', 'unknown']),
  logBytes: count,
  hasSnapshot: z.boolean(),
  /** Written by a recovery: VelesDB does not list it, and is not meant to; its log goes where the original is. */
  recovered: z.boolean(),
  /** Why VelesDB would not list it: a missing or broken config.json, a schema_version that releases refuse. */
  problem: problemSchema.nullable(),
  health: healthSchema,
});

const databaseSchema = z.object({
  database: name,
  name: z.string(),
  /** For display only; it is never sent back. */
  path: z.string(),
  kind: z.enum(['root', 'collection']),
  lock: lockSchema,
  collections: z.array(collectionSchema),
});

const placeSchema = z.object({
  place: name,
  name: z.string(),
  kind: z.enum(['root', 'collection', 'folder']),
});

// ---------------------------------------------------------------- rows and records

const scannedRowSchema = z.object({
  row,
  offset: offsetText,
  length: count,
  kind: z.enum(['store', 'delete', 'gap']),
  format: z.enum(['crc', 'legacy']).optional(),
  id: idText.optional(),
  claimedId: idText.optional(),
  verdict: verdictSchema,
  foundBySearch: z.boolean(),
  state: recordStateSchema,
  /** How many records (stores and deletes) of this id the log holds. */
  versions: count,
  /** The payload's first characters, undecodable bytes as U+FFFD. Hostile: render as text only. */
  preview: z.string(),
});

const rowSchema = z.object({
  ...scannedRowSchema.shape,
  /** Its number in the table; null while the scan has not come to it and a snapshot is all that names it. */
  row: row.nullable(),
  /**
   * Only where `row` is null. intact: an intact record of the id stands where the snapshot says; whether it is the current one is not
   * known yet. elsewhere: none does, and nothing that stands there is shown; `claimedId` is the id the snapshot names.
   */
  provisional: z.enum(['intact', 'elsewhere']).optional(),
});

const payloadSchema = z.discriminatedUnion('encoding', [
  z.object({ encoding: z.literal('text'), text: z.string(), bytes: count }),
  /** Not UTF-8. */
  z.object({ encoding: z.literal('binary'), base64: z.string(), bytes: count, truncated: z.boolean() }),
  /** Longer than the protocol carries; read it with record.bytes. */
  z.object({ encoding: z.literal('large'), bytes: count }),
]);

const recordSchema = z.object({
  ...rowSchema.shape,
  revision: count,
  payload: payloadSchema.nullable(),
  /** Whether VelesDB reads the payload; null for deletes and gaps. */
  check: z.object({ state: z.enum(['ok', 'not-json', 'unreadable']), message: z.string().nullable() }).nullable(),
  crc: z.object({ stored: z.string(), computed: z.string(), matches: z.boolean() }).nullable(),
  /** Byte ranges inside the segment, for colouring. */
  fields: z.array(
    z.object({
      name: z.enum(['marker', 'id', 'length', 'payload', 'crc', 'unknown', 'zeros']),
      from: count,
      to: count,
    }),
  ),
});

const filterSchema = z.strictObject({
  states: z.array(recordStateSchema).max(5).optional(),
  verdicts: z.array(verdictSchema).max(8).optional(),
  /** Only damaged segments (any verdict that is damage). */
  damagedOnly: z.boolean().optional(),
  id: idText.optional(),
  /** Substring of the payload's text, byte for byte. */
  text: z.string().min(1).max(4096).optional(),
  /** Byte string, hexadecimal. */
  bytes: z
    .string()
    .regex(/^([0-9a-fA-F]{2}){1,2048}$/)
    .optional(),
  /** `$.a.b[0] = value`, with = != < <= > >= contains exists. */
  path: z.string().min(1).max(4096).optional(),
});
const orderSchema = z.strictObject({
  by: z.enum(['id', 'offset', 'size', 'versions']),
  direction: z.enum(['ascending', 'descending']),
});

const outcomeCountsSchema = z.object({
  opens: z.boolean(),
  error: z.object({ kind: z.string(), message: z.string() }).nullable(),
  live: count.nullable(),
  unreadable: count.nullable(),
  lost: count.nullable(),
  stale: count.nullable(),
  resurrected: count.nullable(),
  wrong: count.nullable(),
});

const snapshotStateSchema = z.object({
  state: z.enum(['absent', 'valid', 'invalid', 'disagrees', 'unknown']),
  reason: z.string().nullable(),
  walPosition: offsetText.nullable(),
  entries: count.nullable(),
  disagreements: count,
  /** Bytes of the log behind the snapshot's position; the whole log without one. */
  bytesSince: count,
});

const summarySchema = z.object({
  session: name,
  revision: count,
  /** scanning: the pass over the log runs. checking: rows are complete, payloads are being read. */
  phase: z.enum(['scanning', 'checking', 'ready', 'failed']),
  failure: errorValueSchema.nullable(),
  progress: z.object({ done: count, total: count }),
  /** True while lists go on, behind what has been scanned, with rows from a snapshot that is not compared with the log yet. */
  provisional: z.boolean(),
  name: z.string(),
  path: z.string(),
  log: z.object({
    exists: z.boolean(),
    bytes: count,
    records: count,
    stores: count,
    deletes: count,
    legacy: count,
    gaps: count,
    damagedBytes: count,
    liveBytes: count,
    supersededBytes: count,
    deadBytes: count,
  }),
  counts: z.object({ all: count, live: count, damaged: count }),
  damage: z.object({
    byVerdict: z.partialRecord(verdictSchema, count),
    tail: z.object({ offset: offsetText, length: count, verdict: verdictSchema }).nullable(),
    inFlight: z.boolean(),
  }),
  view: viewSchema,
  outcomes: z.partialRecord(viewSchema, outcomeCountsSchema),
  snapshot: snapshotStateSchema,
  writing: z.object({
    on: z.boolean(),
    durability: durabilitySchema,
    /** Why writing cannot be turned on, or null when it can. */
    refusal: errorValueSchema.nullable(),
    /** The last write can be taken back. */
    /** What `writing.undoLast` would take back; null where there is nothing. */
    undoable: z.object({ kind: z.enum(['write', 'import', 'undo']), records: count }).nullable(),
  }),
  lock: lockSchema,
  /** bm25.snapshot is there: VelesDB trusts it, so the full-text index goes stale with an edit. */
  fullText: z.object({ present: z.boolean(), stale: z.boolean() }),
  following: z.boolean(),
  scanMilliseconds: z.number(),
});

const candidateSchema = z.object({
  index: count,
  kind: z.string(),
  description: z.string(),
  provenByCrc: z.boolean(),
  leavesJson: z.boolean(),
  changes: z.array(z.object({ offset: count, before: z.string(), after: z.string() })),
  id: idText,
  length: count,
  preview: z.string(),
  /** Only where no intact later record of its id exists: a draft is appended and would supersede it. */
  mayBecomeDraft: z.boolean(),
});

const damageSchema = z.object({
  row,
  offset: offsetText,
  length: count,
  verdict: verdictSchema,
  kind: z.enum(['store', 'delete', 'gap']),
  id: idText.optional(),
  claimedId: idText.optional(),
  foundBySearch: z.boolean(),
  inFlight: z.boolean(),
  title: z.string(),
  explanation: z.string(),
  /** A likely cause, marked as a guess; null without strong evidence. */
  hint: z.string().nullable(),
  /** What each generation does here, in words. */
  consequences: z.array(z.object({ generation: generationSchema, text: z.string() })),
  /** The first of them. */
  possible: z.array(z.object({ offset: offsetText, length: count, id: idText })),
  morePossible: count,
});

/** Candidates accepted for the recovery plan, by the row of their damage. */
const acceptedSchema = z.object({ accepted: z.array(z.object({ row, index: count })) });

const seenRecordsSchema = z.record(idText, offsetText.nullable());

const draftSchema = z.strictObject({
  id: idText,
  action: z.enum(['store', 'delete']),
  /** The payload as it will be stored; null for a delete. */
  text: z.string().max(TEXT_LIMIT).nullable(),
  /** The record the edit began from: its offset and text, null for a new record. */
  base: z.strictObject({ offset: offsetText, text: z.string().max(TEXT_LIMIT).nullable() }).nullable(),
});
/** What keeping a draft adds to it. */
const draftStateSchema = z.object({
  /** ISO 8601; of two texts of one draft never the same. */
  changedAt: z.string(),
  /** The record in the log is no longer the one the draft began from. */
  conflict: z.boolean(),
});
/** How far a document was edited that is in the journal: its name in the window, and the number of its last change. */
const editedSchema = z.strictObject({ document: name, step: count });
const storedDraftSchema = z.object({ ...draftSchema.shape, ...draftStateSchema.shape });

/** Ids that an undo leaves as they are: how many, and the first of them. */
const leftAsIsSchema = z.object({ count, ids: z.array(idText) });
const undoSchema = z.object({
  /** Records of the write. */
  records: count,
  /** Ids that get the payload they had before. */
  stores: count,
  /** Ids that held nothing before, and are deleted. */
  deletes: count,
  /** Somebody wrote to them since. */
  changed: leftAsIsSchema,
  /** What they held before is damaged or unreadable, and cannot be stored again. */
  lost: leftAsIsSchema,
});

const planSchema = z.object({
  plan: name,
  policy: policySchema,
  compact: z.boolean(),
  met: z.boolean(),
  /** Why the policy writes nothing. */
  refusal: z.string().nullable(),
  inputBytes: count,
  kept: z.object({ records: count, ids: count, bytes: count }),
  leftOut: z.object({
    pieces: count,
    bytes: count,
    first: z.array(z.object({ offset: offsetText, length: count, verdict: verdictSchema })),
  }),
  compactedAway: z.object({ records: count, bytes: count }),
  candidatesApplied: count,
  outcomes: z.partialRecord(viewSchema, outcomeCountsSchema),
});

const recoveryResultSchema = z.object({
  target: z.string(),
  database: name.nullable(),
  kept: planSchema.shape.kept,
  leftOutBytes: count,
  inputSha256: z.string(),
  outputSha256: z.string(),
  verified: z.boolean(),
  steps: z.array(z.string()),
});

// ---------------------------------------------------------------- the calls

const inSession = { session: name };

/** Each call: what goes in, what comes out. A call may emit progress and may be cancelled by its id. */
export const CALLS = {
  'app.info': {
    params: nothing,
    result: z.object({
      version: z.string(),
      door: z.enum(['desktop', 'browser']),
      readOnly: z.boolean(),
      platform: z.string(),
    }),
  },
  'settings.get': {
    params: nothing,
    result: z.object({
      theme: z.enum(['system', 'light', 'dark', 'contrast']),
      view: viewSchema,
      /** Width of the record's pane in CSS pixels; null where the person has not moved its edge. */
      detailWidth: detailWidthSchema.nullable(),
    }),
  },
  'settings.set': {
    params: z.strictObject({
      theme: z.enum(['system', 'light', 'dark', 'contrast']).optional(),
      view: viewSchema.optional(),
      detailWidth: detailWidthSchema.nullable().optional(),
    }),
    result: done,
  },

  /** The directory given at the start (`open DIR`, `serve DIR`), or null. */
  'directory.initial': { params: nothing, result: databaseSchema.nullable() },
  /** Desktop: asks with the system's dialog. Null when the person cancelled. */
  'directory.choose': { params: nothing, result: databaseSchema.nullable() },
  /** Browser: the folders under a place of the served root; never outside it. */
  'directory.places': {
    params: z.strictObject({ place: name.nullable() }),
    result: z.object({ name: z.string(), parent: name.nullable(), places: z.array(placeSchema) }),
  },
  'directory.open': { params: z.strictObject({ place: name }), result: databaseSchema },
  'directory.recents': {
    params: nothing,
    result: z.array(z.object({ place: name, name: z.string(), path: z.string() })),
  },
  /** Reads the list of collections again. */
  'database.list': { params: z.strictObject({ database: name }), result: databaseSchema },
  /** Scans one collection for its badge. Long: progress, cancel. */
  'database.health': { params: z.strictObject({ database: name, collection: name }), result: healthSchema },

  /** Opens a collection. Answers at once; the scan runs on and `session` events tell how far. */
  'session.open': {
    params: z.strictObject({ database: name, collection: name, view: viewSchema }),
    result: summarySchema,
  },
  'session.close': { params: z.strictObject(inSession), result: done },
  'session.summary': { params: z.strictObject(inSession), result: summarySchema },
  'session.setView': { params: z.strictObject({ ...inSession, view: viewSchema }), result: summarySchema },
  'session.setFollow': { params: z.strictObject({ ...inSession, on: z.boolean() }), result: summarySchema },
  /** Forgets what was scanned and begins again, after the file was replaced or shrank. */
  'session.rescan': { params: z.strictObject(inSession), result: summarySchema },

  /**
   * Makes the list of rows a grid shows. Answers once the first rows are known; a text or path search goes on and `query`
   * events carry the growing total. A query belongs to one revision; a later revision of the session keeps it readable.
   */
  'records.query': {
    params: z.strictObject({ ...inSession, filter: filterSchema, order: orderSchema }),
    result: z.object({ query: name, revision: count, total: count, complete: z.boolean() }),
  },
  'records.closeQuery': { params: z.strictObject({ ...inSession, query: name }), result: done },
  /** Stops a search that still runs; what it found stays a list that can be read. */
  'records.stopQuery': { params: z.strictObject({ ...inSession, query: name }), result: done },
  'records.page': {
    params: z.strictObject({ ...inSession, query: name, from: count, count: z.int().min(1).max(PAGE_LIMIT) }),
    result: z.object({ revision: count, total: count, complete: z.boolean(), rows: z.array(rowSchema) }),
  },
  /**
   * Where an id's current record, an offset or a table row stands in a query's list; null when it is not in it. While the scan has not
   * come to it, `provisional` names what the snapshot lists there.
   */
  'records.locate': {
    params: z.strictObject({
      ...inSession,
      query: name,
      target: z.discriminatedUnion('by', [
        z.strictObject({ by: z.literal('id'), id: idText }),
        z.strictObject({ by: z.literal('offset'), offset: offsetText }),
        z.strictObject({ by: z.literal('row'), row }),
      ]),
    }),
    result: z.object({
      position: count.nullable(),
      row: row.nullable(),
      provisional: z.object({ id: idText, offset: offsetText }).optional(),
    }),
  },
  'record.read': { params: z.strictObject({ ...inSession, row }), result: recordSchema },
  /** The record that a provisional row stands for: by its row once the scan has passed it, before that as it is read in its place. */
  'record.readAt': {
    params: z.strictObject({ ...inSession, id: idText, offset: offsetText }),
    result: recordSchema,
  },
  'record.bytes': {
    params: z.strictObject({ ...inSession, offset: offsetText, length: z.int().min(0).max(BYTES_LIMIT) }),
    result: z.object({ offset: offsetText, base64: z.string() }),
  },
  /** Every version and delete of an id, oldest first. */
  /** Versions and deletes of an id, oldest first: `count` of them (1000 unless told) from `from` on, or the last ones. */
  'record.history': {
    params: z.strictObject({
      ...inSession,
      id: idText,
      from: count.optional(),
      count: z.int().min(1).max(1000).optional(),
    }),
    result: z.object({ rows: z.array(scannedRowSchema), total: count }),
  },

  /** The log as one strip: for each of `buckets` equal byte ranges, how many bytes are what. */
  'log.map': {
    params: z.strictObject({ ...inSession, buckets: z.int().min(1).max(4096) }),
    result: z.object({
      revision: count,
      bytes: count,
      /** Four numbers a bucket, in the order live, superseded, dead, damaged. */
      values: z.array(count),
    }),
  },

  'damage.list': {
    params: z.strictObject({ ...inSession, from: count, count: z.int().min(1).max(PAGE_LIMIT) }),
    result: z.object({ total: count, damage: z.array(damageSchema) }),
  },
  'damage.at': { params: z.strictObject({ ...inSession, row }), result: damageSchema.nullable() },
  'damage.candidates': {
    params: z.strictObject({ ...inSession, row }),
    result: z.object({ candidates: z.array(candidateSchema), more: count }),
  },
  /** Accepts or takes back a candidate for the recovery plan. */
  'damage.accept': {
    params: z.strictObject({ ...inSession, row, index: count.nullable() }),
    result: acceptedSchema,
  },
  /** What is accepted, also from before the window was reloaded; nothing until the log has been read. */
  'damage.accepted': { params: z.strictObject(inSession), result: acceptedSchema },
  'outcome.ids': {
    params: z.strictObject({
      ...inSession,
      view: viewSchema,
      outcome: outcomeSchema,
      from: count,
      count: z.int().min(1).max(PAGE_LIMIT),
    }),
    result: z.object({ total: count, ids: z.array(idText) }),
  },
  'report.render': {
    params: z.strictObject({ ...inSession, format: z.enum(['json', 'markdown']) }),
    result: z.object({ fileName: z.string(), text: z.string() }),
  },

  'snapshot.disagreements': {
    params: z.strictObject({ ...inSession, from: count, count: z.int().min(1).max(PAGE_LIMIT) }),
    result: z.object({
      total: count,
      disagreements: z.array(
        z.object({
          id: idText.nullable(),
          kind: z.string(),
          expected: z.string().nullable(),
          found: z.string().nullable(),
          text: z.string(),
        }),
      ),
    }),
  },
  /** Writes a snapshot of the log as it stands; also what "rebuild" does. */
  'snapshot.create': {
    params: z.strictObject(inSession),
    result: z.object({ walPosition: offsetText, entries: count, bytes: count }),
  },
  /** Moves the snapshot aside (to payloads.snapshot.removed-TIME), never deletes it: it may be evidence. */
  'snapshot.remove': { params: z.strictObject(inSession), result: z.object({ keptAs: z.string() }) },

  'writing.set': { params: z.strictObject({ ...inSession, on: z.boolean() }), result: summarySchema },
  'writing.setDurability': {
    params: z.strictObject({ ...inSession, durability: durabilitySchema }),
    result: summarySchema,
  },
  /** What `writing.undoLast` would do. */
  'writing.previewUndo': { params: z.strictObject(inSession), result: undoSchema },
  /**
   * Appends the previous state of what the last write changed: a whole import too. Ids that were written to since, or whose previous state
   * is damaged, are left as they are; without `leaveOut` that is refused (DRAFT_CONFLICT) before anything is written. Stopped by
   * `writing.stopUndo`, it answers with what was taken back until then (whole batches), and doing it again goes on.
   */
  'writing.undoLast': {
    params: z.strictObject({ ...inSession, leaveOut: z.boolean() }),
    result: undoSchema.extend({ cancelled: z.boolean(), revision: count }),
  },
  /** Not a cancel of the call: that would leave the caller without the answer. */
  'writing.stopUndo': { params: z.strictObject(inSession), result: done },
  /** Cuts a torn or zero-filled tail, keeping the bytes, so that writing is safe again. */
  'writing.trimTail': { params: z.strictObject(inSession), result: z.object({ bytes: count, keptAs: z.string() }) },
  /** Moves bm25.snapshot and bm25.wal aside together, so that VelesDB rebuilds the index. */
  'fullText.moveAside': { params: z.strictObject(inSession), result: z.object({ moved: z.array(z.string()) }) },

  /** Drafts are kept by the main process, per directory, outside the data directory. */
  'drafts.list': {
    params: z.strictObject({
      ...inSession,
      /** `changedAt` of the drafts that the caller has: their texts are not sent again. */
      known: z.record(idText, z.string()).optional(),
    }),
    result: z.array(z.union([storedDraftSchema, draftStateSchema.extend({ id: idText, known: z.literal(true) })])),
  },
  'drafts.put': {
    params: z.strictObject({
      ...inSession,
      draft: draftSchema,
      /** `changedAt` of the draft that the text goes on from, null where there was none. */
      over: z.string().nullable().optional(),
      /** The document in the window whose text it is; one that was made of the same before is nobody else's. */
      document: name.optional(),
      edited: editedSchema.optional(),
    }),
    /** `replaced`: where `over` is given, the draft of somebody else whose place it took. */
    result: draftStateSchema.extend({ replaced: draftSchema.nullable() }),
  },
  /**
   * Makes a draft of a document of which all changes are in the journal, up to the last one in `edited`. Null where it cannot be made of them,
   * or would have another text than the one of this fingerprint: the text has to be put then.
   */
  'drafts.putEdited': {
    params: z.strictObject({
      ...inSession,
      id: idText,
      edited: editedSchema,
      /** Where the record is that the edit begins from. */
      base: offsetText.nullable(),
      fingerprint: z.string(),
      over: z.string().nullable().optional(),
    }),
    result: draftStateSchema.extend({ replaced: draftSchema.nullable() }).nullable(),
  },
  'drafts.drop': {
    params: z.strictObject({ ...inSession, ids: z.array(idText).max(IDS_LIMIT), edited: editedSchema.optional() }),
    result: z.object({ dropped: count, change: name }),
  },
  /**
   * A change of a payload that is too large to be a draft at once. Kept as it is made, it becomes a draft if the window is gone before it
   * has made one. `opened` comes with the first.
   */
  'drafts.journal': {
    params: z.strictObject({
      ...inSession,
      id: idText,
      edited: editedSchema,
      /** From where to where of the displayed text, and what stands there now; all counted in the text before. */
      edits: z.array(z.tuple([count, count, z.string().max(TEXT_LIMIT)])),
      /** Where the record is that the edit begins from. */
      base: offsetText.nullable(),
      opened: z
        .strictObject({
          /** `changedAt` of the draft that was opened; null where it was the record. */
          draft: z.string().nullable(),
          compact: z.boolean(),
          /** What was displayed before the change, where the document had been edited and becomes large only now. */
          displayed: z.string().max(TEXT_LIMIT).optional(),
        })
        .optional(),
    }),
    /** Not kept where what was opened is not there any more. */
    result: z.object({ kept: z.boolean() }),
  },
  /**
   * Takes a change to drafts back (a drop, an import): what was there before is there again. A draft that was changed since is left as it
   * is. NOT_ALLOWED where the change is not remembered any more.
   */
  'drafts.takeBack': {
    params: z.strictObject({ ...inSession, change: name }),
    result: z.object({ restored: count, dropped: count, left: count }),
  },
  /** Each draft beside what it began from and what the log holds now. */
  'drafts.review': {
    params: z.strictObject(inSession),
    result: z.array(
      z.object({
        draft: storedDraftSchema,
        current: z.object({ offset: offsetText, text: z.string().nullable() }).nullable(),
      }),
    ),
  },
  /** Writes the named drafts as one batch with one sync, and drops them once the batch is verified. */
  'drafts.write': {
    params: z.strictObject({
      ...inSession,
      ids: z.array(idText).min(1).max(IDS_LIMIT),
      /** `changedAt` of the drafts as the person saw them: one that somebody changed since is not written unseen. */
      seen: z.record(idText, z.string()).optional(),
      /**
       * Conflicts that the person saw and means to write over: where the record stands that the log held then, null for none. A conflict that
       * is not named, or where the log holds another record by now, is refused (DRAFT_CONFLICT), and with it the whole batch.
       */
      overwrite: seenRecordsSchema.optional(),
    }),
    result: z.object({ written: count, revision: count, state: z.enum(['saved', 'accepted']) }),
  },

  'recovery.plan': {
    params: z.strictObject({
      ...inSession,
      policy: policySchema,
      compact: z.boolean(),
      /** Candidates proven by CRC enter where they are the only one; accepted ones always do. */
      applyCandidates: z.boolean(),
    }),
    result: planSchema,
  },
  /** Desktop: a save dialog; browser: a new folder of that name beside the collection. Null when cancelled. */
  'recovery.chooseTarget': {
    params: z.strictObject({ ...inSession, name: z.string().min(1).max(128) }),
    result: z.object({ target: name, path: z.string() }).nullable(),
  },
  'recovery.apply': {
    params: z.strictObject({ ...inSession, plan: name, target: name }),
    result: recoveryResultSchema,
  },
  /** In place, under the lock, keeping the original under a second name. */
  'recovery.applyInPlace': { params: z.strictObject({ ...inSession, plan: name }), result: recoveryResultSchema },

  /** Carries out the steps that put the result of a finished `recovery.apply` in the collection's place, under the lock. */
  'recovery.putInPlace': {
    params: z.strictObject({ ...inSession, plan: name }),
    result: z.object({ keptIn: z.string(), keptAs: z.string() }),
  },

  /**
   * NDJSON as `dump` prints it, written where the person chooses (desktop) or ready for download (browser): the rows named, else a
   * list's rows, else what the session's view holds, by id.
   */
  'export.records': {
    params: z.strictObject({ ...inSession, query: name.nullable(), rows: z.array(row).max(100_000).nullable() }),
    result: z
      .object({ records: count, bytes: count, path: z.string().nullable(), download: name.nullable() })
      .nullable(),
  },
  /**
   * Takes NDJSON lines as drafts or straight as batches. Sent in pieces, in order; what is taken of a piece is one batch with one sync. An
   * id counts as there already where the log holds it, also by an earlier line, and for drafts where there is a draft of it.
   */
  'import.lines': {
    params: z.strictObject({
      ...inSession,
      text: z.string().max(TEXT_LIMIT),
      mode: z.enum(['drafts', 'batches']),
      conflicts: z.enum(['overwrite', 'skip', 'stop']),
      /** Number of the piece's first line in the file, from 1: a refusal names its line. */
      firstLine: count,
      /** The same for all pieces of a file, so that they are taken back together. */
      group: name,
    }),
    result: z.object({
      applied: count,
      skipped: count,
      /** Of the applied: drafts that took the place of a draft. Of the skipped: drafts that were kept for it. */
      draftsReplaced: count,
      draftsKept: count,
      refused: z.object({ line: count, code: z.string(), message: z.string() }).nullable(),
      /** For `drafts.takeBack`, of all pieces so far; null where the lines were written. */
      change: name.nullable(),
    }),
  },
} as const;

export type Method = keyof typeof CALLS;
export type Params<M extends Method> = z.infer<(typeof CALLS)[M]['params']>;
export type Result<M extends Method> = z.infer<(typeof CALLS)[M]['result']>;

export const METHODS = Object.keys(CALLS) as Method[];

export type Row = z.infer<typeof rowSchema>;
export type ScannedRow = z.infer<typeof scannedRowSchema>;
export type RecordDetail = z.infer<typeof recordSchema>;
export type Payload = z.infer<typeof payloadSchema>;
export type Summary = z.infer<typeof summarySchema>;
export type OutcomeCounts = z.infer<typeof outcomeCountsSchema>;
export type Database = z.infer<typeof databaseSchema>;
export type Collection = z.infer<typeof collectionSchema>;
export type Health = z.infer<typeof healthSchema>;
export type Lock = z.infer<typeof lockSchema>;
export type Place = z.infer<typeof placeSchema>;
export type Filter = z.infer<typeof filterSchema>;
export type Order = z.infer<typeof orderSchema>;
export type RecordState = z.infer<typeof recordStateSchema>;
export type Outcome = z.infer<typeof outcomeSchema>;
export type Durability = z.infer<typeof durabilitySchema>;
export type Damage = z.infer<typeof damageSchema>;
export type CandidateView = z.infer<typeof candidateSchema>;
export type Draft = z.infer<typeof draftSchema>;
/** Where the record stands that a person saw of each id, and means to write over; null where there was none. */
export type SeenRecords = Readonly<z.infer<typeof seenRecordsSchema>>;
export type StoredDraft = z.infer<typeof storedDraftSchema>;
export type Policy = z.infer<typeof policySchema>;
export type Plan = z.infer<typeof planSchema>;
export type RecoveryResult = z.infer<typeof recoveryResultSchema>;
export type SnapshotState = z.infer<typeof snapshotStateSchema>;

// ---------------------------------------------------------------- events

/** What the main process says unasked. Events carry state, never commands. */
export const eventSchema = z.discriminatedUnion('event', [
  /** The session moved on: a scan advanced, a write was made, the log grew. Fetch the summary for the rest. */
  z.object({ event: z.literal('session'), session: name, revision: count, summary: summarySchema }),
  z.object({
    event: z.literal('query'),
    session: name,
    query: name,
    total: count,
    complete: z.boolean(),
    error: errorValueSchema.nullable(),
  }),
  z.object({ event: z.literal('drafts'), session: name }),
  /** Something went wrong beside what was asked for: an automatic snapshot that failed, and will be tried again. */
  z.object({ event: z.literal('warning'), session: name, error: errorValueSchema }),
  z.object({ event: z.literal('health'), database: name, collection: name, health: healthSchema }),
  /** The menu of the desktop application, or a second instance, asks the window to do something a person could do. */
  z.object({ event: z.literal('command'), command: z.string().max(64) }),
  z.object({ event: z.literal('opened'), database: databaseSchema }),
]);
export type ProtocolEvent = z.infer<typeof eventSchema>;

// ---------------------------------------------------------------- envelopes

export const progressSchema = z.object({ done: z.number(), total: z.number(), note: z.string().optional() });
export type CallProgress = z.infer<typeof progressSchema>;

/** What a caller sends. */
export const requestSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('call'), call: z.int().min(0), method: z.string().max(64), params: z.unknown() }),
  z.strictObject({ type: z.literal('cancel'), call: z.int().min(0) }),
]);
export type Request = z.infer<typeof requestSchema>;

/** What a caller receives. */
export type Response =
  | { type: 'result'; call: number; value: unknown }
  | { type: 'error'; call: number; error: z.infer<typeof errorValueSchema> }
  | { type: 'progress'; call: number; progress: CallProgress }
  | { type: 'event'; event: ProtocolEvent };

/** What a handler gets beside its parameters. */
export interface CallContext {
  signal: AbortSignal;
  /** Runs when the peer that made the call goes away: what the call opened ends with its window. */
  onPeerClosed(cleanUp: () => void): void;
  progress(progress: CallProgress): void;
}

export type Handler<M extends Method> = (params: Params<M>, context: CallContext) => Promise<Result<M>> | Result<M>;
export type Handlers = { [M in Method]: Handler<M> };
