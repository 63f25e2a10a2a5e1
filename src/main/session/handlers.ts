import { encodeUtf8 } from '../../core/json/encode.ts';
import { parseU64 } from '../../core/u64.ts';
import { toErrorValue, VelescopeError } from '../../shared/errors.ts';
import type { CallContext, Draft, Handlers, Result, StoredDraft, Summary } from '../../shared/protocol.ts';
import type { Operation } from '../engine/log-payload-storage.ts';
import { candidateAt, DamageList, describeCandidates, describeDamages } from './damage.ts';
import { currentOf, isConflict, refuseUnseen } from './draft-conflicts.ts';
import { DraftHistory } from './draft-history.ts';
import { DraftedEdits } from './drafted-edits.ts';
import { DraftStore, type KeptDraft } from './drafts.ts';
import { importAsDrafts, importIntoLog, importLines } from './import-lines.ts';
import { isDone } from './is-done.ts';
import { EditJournal } from './journal.ts';
import { payloadText } from './record-detail.ts';
import { RecoverySession } from './recovery.ts';
import { renderReport } from './report.ts';
import type { Session } from './session.ts';
import { runSliced } from './slices.ts';
import { Undo } from './undo.ts';
import { Writer } from './writing.ts';

/** The calls a session answers: everything that names one, but for opening and closing it and for asking a person for a path. */
export type SessionMethod = Exclude<
  keyof Handlers,
  | `app.${string}`
  | `settings.${string}`
  | `directory.${string}`
  | `database.${string}`
  | 'session.open'
  | 'session.close'
  | 'recovery.chooseTarget'
>;
/** Calls that need a path which only the main process may supply; it travels beside the parameters, never in them. */
export interface Supplied {
  path: string | null;
}
export type SessionHandlers = {
  [M in SessionMethod]: (
    params: Parameters<Handlers[M]>[0],
    context: Parameters<Handlers[M]>[1],
    supplied: Supplied,
  ) => Promise<Result<M>> | Result<M>;
};

/** Binds the calls to one session. */
export function createSessionHandlers(session: Session): SessionHandlers {
  const { state } = session;
  const drafts = new DraftStore(session.options.settingsDirectory, session.directory, (warning) =>
    session.warn(warning),
  );
  const draftHistory = new DraftHistory(drafts);
  const journal = new EditJournal(session.options.settingsDirectory, session.directory);
  session.closing.addEventListener('abort', () => journal.close());
  const edits = new DraftedEdits(drafts, journal);
  const damage = new DamageList(state);
  const inWords = (rows: readonly number[], signal: AbortSignal) =>
    runSliced(
      describeDamages(state, rows, (row) => session.isInFlight(row)),
      { signal },
    );
  const recovery = new RecoverySession(session);

  const accepted = async () => (await recovery.accepted.list()).map(({ row, index }) => ({ row, index }));
  /** The record that an edit begins from, with its text. */
  const baseAt = (id: string, offset: string | null): Draft['base'] => {
    if (offset === null) return null;
    const row = state.table.rowStartingAt(Number(offset));
    const isOfId = row >= 0 && state.table.hasId(row) && state.table.id(row) === parseId(id);
    return { offset, text: isOfId ? payloadText(state, row) : null };
  };
  /** Drafts that are being made of the journal. What is said of drafts later holds for them as well, so it waits for them. */
  let making: Promise<unknown> = Promise.resolve();
  const takeUpEdits = (): Promise<void> => {
    const warn = (words: string, next: string) => session.warn(new VelescopeError('IO_ERROR', words, { next }));
    return runSliced(edits.takeUp(warn), { signal: session.closing });
  };
  const draftOfEdits = async (document: string, step: number, base: string | null, fingerprint: string) => {
    try {
      const signal = session.closing;
      const draft = await runSliced(journal.draftAt(document, step, base, fingerprint), { signal });
      // Whatever becomes of the draft on its way to the disk, what it is made of is there before anybody hears that it is kept.
      await journal.settled();
      return draft;
    } catch (thrown) {
      if (session.closing.aborted) throw thrown;
      // The window sends the text then.
      return null;
    }
  };
  /**
   * Keeps a draft, made of a document of a window. Says which one of somebody else it replaced, where it goes on from the one that was changed
   * last at `over`. What was made of the same document is not somebody else's: the connection can break before the window hears of it.
   */
  const keepDraft = (
    draft: Draft,
    { over, document }: { over?: string | null | undefined; document?: string | undefined },
  ): Result<'drafts.put'> => {
    const [step] = drafts.change(() => new Map([[draft.id, { ...draft, document }]]));
    const { before, after } = step!;
    draftsChanged();
    const isOthers =
      over !== undefined &&
      before !== null &&
      before.changedAt !== over &&
      (document === undefined || before.document !== document) &&
      (before.text !== draft.text || before.action !== draft.action);
    const replaced = isOthers ? { id: before.id, action: before.action, text: before.text, base: before.base } : null;
    return { changedAt: after!, conflict: conflicts({ ...draft, changedAt: after! }), replaced };
  };
  const conflicts = (draft: KeptDraft): boolean => isConflict(state, draft);
  const describeDraft = (draft: KeptDraft): StoredDraft => {
    const { document: _document, ...shown } = draft;
    return { ...shown, conflict: conflicts(draft) };
  };
  const draftsChanged = () => {
    edits.settleKept();
    session.options.emit({ event: 'drafts', session: session.options.name });
  };
  session.closing.addEventListener('abort', drafts.follow(state.files, draftsChanged), { once: true });
  // A page that is reloaded has its next session before the last one is through with what it was at.
  session.closing.addEventListener('abort', journal.follow(draftsChanged), { once: true });
  /** An undo of many records, which writes batch after batch: nothing else writes meanwhile. */
  let undoing: { stop: AbortController; done: Promise<unknown> } | null = null;
  const requireWriter = (): Writer => {
    if (undoing) {
      throw new VelescopeError('NOT_ALLOWED', 'The last write is being taken back.', {
        next: 'Wait until that is done, or cancel it.',
      });
    }
    if (session.writer) return session.writer;
    throw new VelescopeError('WRITING_OFF', 'Writing is off.', {
      next: 'Turn writing on in the status bar, then save.',
    });
  };
  /** The same, of the log that is shown: a replaced one is not written to. */
  const requireWriterOfShown = async (): Promise<Writer> => {
    requireWriter();
    await session.catchUp();
    if (session.phase === 'failed') throw session.refusal();
    return requireWriter();
  };
  /** Turning writing on takes a while where the log has to be read again for it; meanwhile the session answers. */
  let turningOn: { stop: AbortController; done: Promise<void> } | null = null;
  const turnOn = (context?: CallContext): Promise<void> => {
    if (turningOn) return turningOn.done;
    const stop = new AbortController();
    const signal = AbortSignal.any([stop.signal, session.closing, ...(context ? [context.signal] : [])]);
    const open = async (): Promise<void> => {
      const writer = await Writer.open(session.directory, {
        files: state.files,
        memory: session,
        view: 'v3.12',
        durability: session.durability,
        onWarning: (warning) => session.warn(warning),
        known: session.knownLog(),
        signal,
        ...(context ? { onProgress: context.progress } : {}),
      });
      try {
        // Both may have happened since the last slice.
        if (signal.aborted) throw new VelescopeError('CANCELLED', 'Turning writing on was cancelled.');
        writer.setDurability(session.durability);
      } catch (thrown) {
        writer.close();
        throw thrown;
      }
      session.writer = writer;
    };
    const done = open().finally(() => {
      turningOn = null;
    });
    turningOn = { stop, done };
    return done;
  };
  /** When it returns nothing is locked. Says whether writing was on. */
  const turnOff = async (): Promise<boolean> => {
    const wasOn = session.writer !== null || turningOn !== null;
    turningOn?.stop.abort();
    await turningOn?.done.catch(() => {});
    undoing?.stop.abort();
    await undoing?.done.catch(() => {});
    session.writer?.close();
    session.writer = null;
    return wasOn;
  };
  /** Turns the writing half off for work that takes the locks itself, and on again if it was. */
  const besideWriting = async <Value>(work: () => Promise<Value> | Value): Promise<Value> => {
    const wasOn = await turnOff();
    try {
      return await work();
    } finally {
      if (wasOn && !session.refusal()) await turnOn();
    }
  };
  /** Takes in what was written. It is written and verified, so what fails here is no failure of the write. */
  const wrote = async (): Promise<void> => {
    try {
      if (session.summary().fullText.present) session.fullTextStale = true;
      await session.catchUp();
    } catch (thrown) {
      const words = `It was written and checked, and could not be shown: ${toErrorValue(thrown).message}`;
      session.warn(new VelescopeError('IO_ERROR', words, { next: 'Scan the log again.', cause: thrown }));
    }
  };

  return {
    'session.summary': () => session.summary(),
    'session.setView': ({ view }) => {
      session.setView(view);
      return session.summary();
    },
    'session.setFollow': ({ on }) => {
      session.setFollow(on);
      return session.summary();
    },
    'session.rescan': async () => {
      await turnOff();
      recovery.accepted.forgetRows();
      await session.rescan();
      return session.summary();
    },

    'records.query': ({ filter, order }, context) => session.query(filter, order, context),
    'records.closeQuery': ({ query }) => {
      session.closeQuery(query);
      return {};
    },
    'records.stopQuery': ({ query }) => {
      session.queryNamed(query).stop.abort();
      return {};
    },
    'records.page': ({ query, from, count }, { signal }) => session.page(query, from, count, signal),
    'records.locate': ({ query, target }) => session.locate(query, target),
    'record.read': ({ row }) => session.record(row),
    'record.readAt': ({ id, offset }, { signal }) => session.recordAt(id, offset, signal),
    'record.bytes': ({ offset, length }) => session.bytes(offset, length),
    'record.history': ({ id, from, count }, { signal }) => session.history(id, signal, { from, count }),
    'log.map': ({ buckets }, { signal }) => session.map(buckets, signal),

    'damage.list': async ({ from, count }, { signal }) => {
      const rows = await runSliced(damage.rows(session.revision), { signal });
      return { total: rows.length, damage: await inWords(rows.slice(from, from + count), signal) };
    },
    'damage.at': async ({ row }, { signal }) => {
      session.requireRow(row);
      const [described] = state.table.isDamaged(row) ? await inWords([row], signal) : [];
      return described ?? null;
    },
    'damage.candidates': ({ row }) => {
      session.requireRow(row);
      return describeCandidates(state, row);
    },
    'damage.accept': async ({ row, index }) => {
      session.requireRow(row);
      if (index !== null) recovery.accepted.accept(row, index, candidateAt(state, row, index));
      else recovery.accepted.takeBack(row);
      return { accepted: await accepted() };
    },
    'damage.accepted': async () => ({ accepted: await accepted() }),
    'outcome.ids': ({ view, outcome, from, count }) => {
      if (outcome === 'live') throw new VelescopeError('BAD_REQUEST', 'Ask the records list for the live ids.');
      const list = state.lists(view)?.[outcome];
      return { total: list?.length ?? 0, ids: list?.slice(from, count) ?? [] };
    },
    'report.render': ({ format }, { signal }) => runSliced(renderReport(session, format), { signal }),

    'snapshot.disagreements': ({ from, count }) => {
      const check = state.snapshot.state === 'read' ? state.snapshot.check : null;
      return {
        total: check?.total ?? 0,
        disagreements: (check?.disagreements ?? []).slice(from, from + count).map((entry) => ({
          id: entry.id === undefined ? null : String(entry.id),
          kind: entry.kind,
          expected: entry.expected ?? null,
          found: entry.found ?? null,
          text: entry.text,
        })),
      };
    },
    'snapshot.create': async () => {
      const made = requireWriter().createSnapshot();
      await session.snapshotChanged();
      return { walPosition: String(made.walPosition), entries: made.entries, bytes: made.bytes };
    },
    'snapshot.remove': async () => {
      session.requireMayChange();
      const keptAs = await besideWriting(() => recovery.removeSnapshot());
      await session.snapshotChanged();
      return { keptAs };
    },

    'writing.set': async ({ on }, context) => {
      if (!on) {
        await turnOff();
      } else if (!session.writer) {
        const refusal = session.refusal();
        if (refusal) throw refusal;
        await turnOn(context);
        await session.catchUp();
        // What is written goes into the log that stands there now; what is shown has to be of the same one.
        if (session.phase === 'failed') {
          await turnOff();
          throw session.refusal();
        }
      }
      session.changed();
      return session.summary();
    },
    'writing.setDurability': ({ durability }): Summary => {
      if (session.durability !== durability) {
        session.writer?.setDurability(durability);
        session.durability = durability;
        session.changed();
      }
      return session.summary();
    },
    'writing.previewUndo': async (_params, { signal, progress }) => {
      const undo = new Undo((await requireWriterOfShown()).storage, state.files, session);
      return runSliced(undo.preview(), { signal, onProgress: progress });
    },
    'writing.undoLast': async ({ leaveOut }, context) => {
      const { storage } = await requireWriterOfShown();
      const stop = new AbortController();
      const signal = AbortSignal.any([stop.signal, session.closing, context.signal]);
      const takeBack = async (): Promise<{ undo: Undo; cancelled: boolean }> => {
        const options = { signal, onProgress: context.progress };
        if (!leaveOut) {
          const { changed, lost } = await runSliced(new Undo(storage, state.files, session).preview(), options);
          if (changed.count + lost.count > 0) {
            throw new VelescopeError('DRAFT_CONFLICT', undoConflictWords(changed.count, lost.count), {
              next: 'Look at what can be taken back, and leave the others as they are.',
            });
          }
        }
        const undo = new Undo(storage, state.files, session);
        try {
          await runSliced(undo.run(), options);
          return { undo, cancelled: false };
        } catch (thrown) {
          if (toErrorValue(thrown).code !== 'CANCELLED') throw thrown;
          return { undo, cancelled: true };
        }
      };
      const done = takeBack().finally(() => {
        undoing = null;
      });
      undoing = { stop, done };
      try {
        const { undo, cancelled } = await done;
        return { ...undo.result, cancelled, revision: session.revision };
      } finally {
        await wrote();
      }
    },
    'writing.stopUndo': () => {
      undoing?.stop.abort();
      return {};
    },
    'writing.trimTail': async (_params, context) => {
      session.requireMayChange();
      const trimmed = await besideWriting(() => recovery.trimTail(context));
      await session.rescan();
      return trimmed;
    },
    'fullText.moveAside': async () => {
      session.requireMayChange();
      const moved = await besideWriting(() => recovery.moveFullTextAside());
      session.fullTextStale = false;
      session.changed();
      return { moved };
    },

    'drafts.list': async ({ known = {} }) => {
      making = making.then(takeUpEdits).catch(() => {});
      await making;
      return drafts.list().map((draft) => {
        if (known[draft.id] !== draft.changedAt) return describeDraft(draft);
        return { id: draft.id, known: true, changedAt: draft.changedAt, conflict: conflicts(draft) };
      });
    },
    'drafts.put': async ({ draft, over, document, edited }) => {
      await making;
      parseId(draft.id);
      const kept = keepDraft(draft, { over, document });
      edits.settle([draft.id], edited);
      return kept;
    },
    'drafts.putEdited': async ({ id, edited, base, fingerprint, over }) => {
      const put = async (): Promise<Result<'drafts.putEdited'>> => {
        const draft = await draftOfEdits(edited.document, edited.step, base, fingerprint);
        if (draft?.id !== id) return null;
        const kept = keepDraft(draft, { over, document: edited.document });
        edits.settle([id], edited);
        return kept;
      };
      const made = making.then(put);
      making = made.catch(() => {});
      return made;
    },
    'drafts.journal': ({ id, edited: { document, step }, edits: changes, base: offset, opened }) => {
      if (opened?.displayed !== undefined) {
        const { compact, displayed } = opened;
        const begun = { document, id, compact, opened: null, displayed, base: baseAt(id, offset) };
        isDone(() => journal.begin(begun));
      } else if (opened) {
        const draft = drafts.get(id);
        if (opened.draft !== null && draft?.changedAt !== opened.draft) return { kept: false };
        const base = opened.draft !== null && draft?.base?.offset === offset ? draft.base : baseAt(id, offset);
        const text = opened.draft === null ? null : draft!.text;
        if (text === null && base?.text == null) return { kept: false };
        const begun = { document, id, compact: opened.compact, opened: text === base?.text ? null : text, base };
        isDone(() => journal.begin(begun));
      }
      // What the disk did not take of its beginning goes before the change; together they are kept or are not.
      return { kept: isDone(() => journal.step(document, step, changes, offset, () => baseAt(id, offset))) };
    },
    'drafts.drop': async ({ ids, edited }) => {
      await making;
      const steps = drafts.drop(ids);
      edits.settle(ids, edited);
      draftsChanged();
      return { dropped: steps.length, change: draftHistory.remember(steps) };
    },
    'drafts.takeBack': async ({ change }) => {
      await making;
      const taken = draftHistory.takeBack(change);
      draftsChanged();
      return taken;
    },
    'drafts.review': () =>
      drafts.list().map((draft) => ({ draft: describeDraft(draft), current: currentOf(state, draft.id) })),
    'drafts.write': async ({ ids, seen = {}, overwrite = {} }) => {
      await making;
      const writer = await requireWriterOfShown();
      const all = new Map(drafts.list().map((draft) => [draft.id, draft]));
      const chosen = ids.map((id) => {
        const draft = all.get(id);
        if (!draft) throw new VelescopeError('NO_SUCH_RECORD', `There is no draft for id ${id}.`);
        return draft;
      });
      const unseen = chosen.filter(({ id, changedAt }) => seen[id] !== undefined && seen[id] !== changedAt);
      if (unseen.length > 0) {
        throw new VelescopeError(
          'DRAFT_CONFLICT',
          `${unseen.length} of ${chosen.length} drafts were changed elsewhere since they were shown here. Nothing was written.`,
          { next: 'Look at them, and write again.', data: { ids: unseen.map((draft) => draft.id) } },
        );
      }
      refuseUnseen(state, chosen, overwrite);
      const written = writer.apply(chosen.map(operationOf));
      // What was typed meanwhile, in this window or another, stays a draft.
      drafts.dropUnchanged(chosen);
      edits.settleWritten(ids);
      draftsChanged();
      await wrote();
      return { written: chosen.length, revision: session.revision, state: written };
    },

    'recovery.plan': (params, context) => recovery.plan(params, context),
    'recovery.apply': ({ plan, target }, context, { path }) => {
      if (path === null) throw new VelescopeError('NO_SUCH_PLACE', `There is no target named ${target}.`);
      return recovery.apply(plan, path, context);
    },
    'recovery.applyInPlace': async ({ plan }, context) => {
      session.requireMayChange();
      const result = await besideWriting(() => recovery.applyInPlace(plan, context));
      session.lastWrite = null;
      await session.rescan();
      return result;
    },

    'recovery.putInPlace': async ({ plan }, context) => {
      session.requireMayChange();
      const kept = await besideWriting(() => recovery.putInPlace(plan, context));
      session.lastWrite = null;
      await session.rescan();
      return kept;
    },

    'export.records': (params, context, { path }) => recovery.exportRecords(params, path, context),
    'import.lines': async (params) => {
      const { mode, group } = params;
      if (mode === 'drafts') {
        const result = importLines(importAsDrafts(session, drafts, draftHistory, group), params);
        draftsChanged();
        return result;
      }
      const result = importLines(importIntoLog(await requireWriterOfShown(), group), params);
      await wrote();
      return result;
    },
  };
}

function undoConflictWords(changed: number, lost: number): string {
  const words = [
    ...(changed > 0 ? [`${changed} of its records were written to since`] : []),
    ...(lost > 0 ? [`the previous state of ${lost} is damaged or unreadable`] : []),
  ];
  return `The last write cannot be taken back as a whole: ${words.join(', and ')}. Nothing was taken back.`;
}

/** A decimal id, or INVALID_ID. */
export function parseId(text: string): bigint {
  const id = parseU64(text);
  if (id === null) throw new VelescopeError('INVALID_ID', `${text.slice(0, 64)} is no id: ids are 0 to 2^64-1.`);
  return id;
}

/** The write a draft stands for. Text with a lone surrogate is PAYLOAD_REFUSED: it has no UTF-8 form. */
export function operationOf(draft: Pick<KeptDraft, 'id' | 'action' | 'text'>): Operation {
  const id = parseId(draft.id);
  if (draft.action === 'delete' || draft.text === null) return { type: 'delete', id };
  const encoded = encodeUtf8(draft.text);
  if (!encoded.ok) {
    throw new VelescopeError(
      'PAYLOAD_REFUSED',
      `Record ${draft.id}: half a character stands alone at ${encoded.offset}.`,
      {
        next: 'Remove it: VelesDB cannot store it.',
      },
    );
  }
  return { type: 'store', id, payload: encoded.bytes };
}
