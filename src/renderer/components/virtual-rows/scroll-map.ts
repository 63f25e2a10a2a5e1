/**
 * The mapping from scroll position to row, for lists of any length. Chromium caps an element near 33.5 million pixels, which is
 * 1.3 million rows of 26: beyond that a list as tall as its rows cannot exist, and a list scaled down proportionally cannot be
 * scrolled by one row any more (one pixel is many rows).
 *
 * So the true position (`top`, in pixels of the full list) is kept apart from the element's scroll position. Small movements (wheel,
 * touch, page by page) move the true position pixel for pixel, wherever it is; only large ones (dragging the thumb) are read
 * proportionally. When scrolling comes to rest, the element's scroll position is set to where the true position belongs, which
 * moves nothing on the screen: rows are drawn from `top`, in a layer that sticks to the viewport.
 */

/** Far below the cap, and tall enough for the thumb to be as small as it gets. */
export const SPACER_LIMIT = 8_000_000;
/** Movements up to this many pixels are exact. Dragging a thumb by one pixel moves further than this as soon as a list is scaled. */
const EXACT_LIMIT = 2_000;
/** How far the ends of the scroll range are kept free while the true position is not at its end, so that wheeling has room. */
const MARGIN = 20_000;

/** Height in pixels of the element that is scrolled. */
export function spacerHeight(rows: number, rowHeight: number): number {
  return Math.min(rows * rowHeight, SPACER_LIMIT);
}

export interface Geometry {
  rows: number;
  rowHeight: number;
  viewportHeight: number;
}

export class ScrollMap {
  /** Pixels of the full list above the viewport; fractions are kept. */
  top = 0;
  /** The element's scroll position as it was seen or set last. */
  scroll = 0;
  private geometry: Geometry = { rows: 0, rowHeight: 1, viewportHeight: 0 };

  get maximumTop(): number {
    return Math.max(0, this.fullHeight - this.geometry.viewportHeight);
  }

  /** First row that shows at least in part. */
  get firstRow(): number {
    return Math.min(Math.floor(this.top / this.geometry.rowHeight), Math.max(0, this.geometry.rows - 1));
  }

  /** Last row that shows at least in part; -1 when there is none. */
  get lastRow(): number {
    const { rows, rowHeight, viewportHeight } = this.geometry;
    return Math.min(rows - 1, Math.max(this.firstRow, Math.ceil((this.top + viewportHeight) / rowHeight) - 1));
  }

  /** Rows that fit the viewport whole; at least one. */
  get wholeRows(): number {
    return Math.max(1, Math.floor(this.geometry.viewportHeight / this.geometry.rowHeight));
  }

  /** Pixels from the viewport's upper edge to a row's. */
  offsetOf(row: number): number {
    return row * this.geometry.rowHeight - this.top;
  }

  /** Takes new sizes; the true position stays, as far as the new list reaches. Returns the scroll position to set. */
  resize(geometry: Geometry): number {
    this.geometry = geometry;
    return this.moveTo(this.top);
  }

  /** The element was scrolled to `scroll`. Returns a scroll position to set at once, or null where none is needed. */
  scrolled(scroll: number): number | null {
    const moved = scroll - this.scroll;
    this.scroll = scroll;
    if (!this.scaled) {
      this.top = clamp(scroll, 0, this.maximumTop);
      return null;
    }
    if (Math.abs(moved) <= EXACT_LIMIT) {
      this.top = clamp(this.top + moved, 0, this.maximumTop);
      // Out of room although the list goes on: make room now, the person is still scrolling.
      const stuck = (scroll <= 0 && this.top > 0) || (scroll >= this.maximumScroll && this.top < this.maximumTop);
      return stuck ? this.rest() : null;
    }
    this.top = this.topAt(scroll);
    return null;
  }

  /** Scrolling came to rest: the scroll position that belongs to the true one. */
  rest(): number {
    this.scroll = this.scrollAt(this.top);
    return this.scroll;
  }

  /** Moves the true position. Returns the scroll position to set. */
  moveTo(top: number): number {
    this.top = clamp(top, 0, this.maximumTop);
    return this.rest();
  }

  /**
   * Moves as little as needed for a row to show whole. Returns the scroll position to set, or null where the row shows already.
   */
  reveal(row: number): number | null {
    const { rowHeight, viewportHeight } = this.geometry;
    const from = row * rowHeight;
    if (from < this.top) return this.moveTo(from);
    if (from + rowHeight > this.top + viewportHeight) return this.moveTo(from + rowHeight - viewportHeight);
    return null;
  }

  /** What is shown stands so many rows further in the list now: it stays where it is on the screen. Returns the scroll position to set. */
  shift(rows: number): number {
    return this.moveTo(this.top + rows * this.geometry.rowHeight);
  }

  /** Moves a row to the middle of the viewport. Returns the scroll position to set. */
  center(row: number): number {
    const { rowHeight, viewportHeight } = this.geometry;
    return this.moveTo(row * rowHeight - Math.max(0, (viewportHeight - rowHeight) / 2));
  }

  private get fullHeight(): number {
    return this.geometry.rows * this.geometry.rowHeight;
  }

  private get maximumScroll(): number {
    return Math.max(0, spacerHeight(this.geometry.rows, this.geometry.rowHeight) - this.geometry.viewportHeight);
  }

  private get scaled(): boolean {
    return this.fullHeight > SPACER_LIMIT;
  }

  private topAt(scroll: number): number {
    const from = MARGIN;
    const to = this.maximumScroll - MARGIN;
    return clamp(((scroll - from) / (to - from)) * this.maximumTop, 0, this.maximumTop);
  }

  private scrollAt(top: number): number {
    if (!this.scaled) return top;
    if (top <= 0) return 0;
    if (top >= this.maximumTop) return this.maximumScroll;
    const from = MARGIN;
    const to = this.maximumScroll - MARGIN;
    // Whole pixels: the element rounds to the screen's, and a rounded echo must not look like a movement.
    return Math.round(from + (top / this.maximumTop) * (to - from));
  }
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
