import type { CallOptions } from '../../../shared/connection.ts';
import type { Params, Result, Row } from '../../../shared/protocol.ts';

export const ROWS_PER_PAGE = 128;
const PAGES_KEPT = 48;

/** Where a grid takes its rows from. Positions count from 0 in the order the grid shows. */
export interface RowSource {
  readonly total: number;
  /** Grows with every change, for `useSyncExternalStore`. */
  readonly version: number;
  /** The row at a position, or undefined while it is not here yet. */
  get(position: number): Row | undefined;
  /**
   * Says which positions are on the screen: fetches what is missing, gives up what was scrolled past. `held` is the row with the tab stop,
   * which stays in the page wherever one scrolls, and has to have a name when the focus comes back to it.
   */
  want(first: number, last: number, held?: number): void;
  subscribe(listener: () => void): () => void;
}

type FetchPage = (params: Params<'records.page'>, options: CallOptions) => Promise<Result<'records.page'>>;

/**
 * The rows of one query, a page at a time. Keeps the pages used last and cancels those in flight that were scrolled past, so that
 * dragging the scrollbar over ten million rows asks for little more than the rows where it comes to rest.
 */
export class RowPages implements RowSource {
  total: number;
  version = 0;
  failure: unknown = null;
  /** Insertion order is the order of use: the first key is the one to forget. */
  private readonly pages = new Map<number, readonly Row[]>();
  private readonly inFlight = new Map<number, AbortController>();
  private readonly listeners = new Set<() => void>();

  constructor(
    readonly session: string,
    readonly query: string,
    total: number,
    private readonly fetchPage: FetchPage,
  ) {
    this.total = total;
  }

  get(position: number): Row | undefined {
    return this.pages.get(Math.floor(position / ROWS_PER_PAGE))?.[position % ROWS_PER_PAGE];
  }

  /** Whether a page of the current window is on its way. */
  get busy(): boolean {
    return this.inFlight.size > 0;
  }

  want(first: number, last: number, held = first): void {
    if (this.total === 0) return;
    const pageOf = (position: number) => Math.floor(Math.max(0, Math.min(this.total - 1, position)) / ROWS_PER_PAGE);
    const wanted = new Set<number>();
    for (let page = pageOf(first); page <= pageOf(last); page++) wanted.add(page);
    wanted.add(pageOf(held));
    for (const [page, controller] of this.inFlight) {
      if (wanted.has(page)) continue;
      controller.abort();
      this.inFlight.delete(page);
    }
    for (const page of wanted) {
      const known = this.pages.get(page);
      if (known) {
        this.pages.delete(page);
        this.pages.set(page, known);
      }
      const expected = Math.min(ROWS_PER_PAGE, this.total - page * ROWS_PER_PAGE);
      if ((!known || known.length < expected) && !this.inFlight.has(page)) this.fetch(page);
    }
  }

  /** The query found more rows. Pages that were not full are fetched again when they are wanted. */
  setTotal(total: number): void {
    if (total === this.total) return;
    this.total = total;
    this.changed();
  }

  /** The rows stand in another order now: all are fetched again as they are wanted. */
  forget(): void {
    for (const controller of this.inFlight.values()) controller.abort();
    this.inFlight.clear();
    this.pages.clear();
    this.changed();
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Cancels what is in flight; the source is not used any more. */
  close(): void {
    for (const controller of this.inFlight.values()) controller.abort();
    this.inFlight.clear();
    this.listeners.clear();
  }

  private fetch(page: number): void {
    const controller = new AbortController();
    this.inFlight.set(page, controller);
    const params = { session: this.session, query: this.query, from: page * ROWS_PER_PAGE, count: ROWS_PER_PAGE };
    this.fetchPage(params, { signal: controller.signal }).then(
      (result) => {
        if (this.inFlight.get(page) !== controller) return;
        this.inFlight.delete(page);
        this.pages.set(page, result.rows);
        if (this.pages.size > PAGES_KEPT) this.pages.delete(this.pages.keys().next().value!);
        this.failure = null;
        // A search that is still running answers with fewer rows than it will have: the larger total is the newer one.
        this.total = Math.max(this.total, result.total);
        this.changed();
      },
      (thrown: unknown) => {
        if (this.inFlight.get(page) !== controller) return;
        this.inFlight.delete(page);
        this.failure = thrown;
        this.changed();
      },
    );
  }

  private changed(): void {
    this.version++;
    for (const listener of this.listeners) listener();
  }
}
