import { useEffect, useState } from 'react';
import { type ErrorValue, toErrorValue } from '../../../shared/errors.ts';
import type { ScannedRow } from '../../../shared/protocol.ts';
import { call } from '../../connection/current.ts';
import { useSession } from '../../state/session-state.ts';

/** Versions that are asked for at once. */
const PAGE = 200;

/** The versions of an id, of which those are here that were looked at. */
export interface Versions {
  total: number;
  /** By their place in the history, the oldest first. */
  rows: ReadonlyMap<number, ScannedRow>;
}

/**
 * The history of an id, page by page: an id may have been written a million times. `want` says which places are on the screen. A log
 * that goes on makes the pages on the screen be asked for again; `versions` is null until something is known.
 */
export function useVersions(id: string | null): {
  versions: Versions | null;
  failure: ErrorValue | null;
  want: (first: number, last: number) => void;
} {
  const session = useSession((state) => state.session);
  const revision = useSession((state) => state.summary?.revision ?? 0);
  const [known, setKnown] = useState<(Versions & { of: string }) | null>(null);
  const [failure, setFailure] = useState<ErrorValue | null>(null);
  const [pages, setPages] = useState<{ of: string; first: number; last: number } | null>(null);
  const of = `${session} ${id}`;
  const { first, last } = pages?.of === of ? pages : { first: null, last: null };

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new revision is what makes the old answer stale
  useEffect(() => {
    if (!session || id === null) return;
    const controller = new AbortController();
    const read = async (from: number | null) => {
      const params = { session, id, count: PAGE, ...(from === null ? {} : { from }) };
      const { total, rows } = await call('record.history', params, { signal: controller.signal });
      const start = from ?? total - rows.length;
      setKnown((before) => {
        const merged = new Map(before?.of === of ? before.rows : []);
        for (const [index, row] of rows.entries()) merged.set(start + index, row);
        return { of, total, rows: merged };
      });
      setFailure(null);
    };
    const readAll = async () => {
      if (first === null) return read(null);
      for (let page = first; page <= last; page++) await read(page * PAGE);
    };
    readAll().catch((thrown: unknown) => {
      const error = toErrorValue(thrown);
      if (error.code !== 'CANCELLED') setFailure(error);
    });
    return () => controller.abort();
  }, [session, id, revision, first, last]);

  const want = (from: number, to: number) => {
    const next = { of, first: Math.floor(from / PAGE), last: Math.floor(to / PAGE) };
    if (next.first !== first || next.last !== last) setPages(next);
  };
  return { versions: known?.of === of ? known : null, failure, want };
}
