import { type RefObject, useCallback, useLayoutEffect, useReducer, useRef, useState } from 'react';
import { ScrollMap, spacerHeight } from './scroll-map.ts';

export interface VirtualRows {
  map: ScrollMap;
  /** Height of the spacer inside the scrolled element. */
  spacerHeight: number;
  viewportHeight: number;
  first: number;
  last: number;
  onScroll: () => void;
  /** Shows a row whole, moving as little as needed. */
  reveal: (row: number) => void;
  center: (row: number) => void;
  /** The rows on the screen stand so many rows further in the list now. */
  shift: (by: number) => void;
}

/**
 * Virtual rows of one height in a scrolled element: which rows show, where each stands, and how to bring one into view. Renders
 * again when that changes, at most once a frame.
 */
export function useVirtualRows(scroller: RefObject<HTMLElement | null>, rows: number, rowHeight: number): VirtualRows {
  const [map] = useState(() => new ScrollMap());
  const [viewportHeight, setViewportHeight] = useState(0);
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const frame = useRef(0);

  const set = useCallback(
    (scroll: number | null) => {
      const element = scroller.current;
      if (scroll === null || !element) return;
      if (Math.abs(element.scrollTop - scroll) >= 1) element.scrollTop = scroll;
      // What the element made of it (it rounds and clamps) is what the next movement is measured from.
      map.scroll = element.scrollTop;
    },
    [map, scroller],
  );

  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const measure = () => setViewportHeight(element.clientHeight);
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [scroller]);

  useLayoutEffect(() => {
    set(map.resize({ rows, rowHeight, viewportHeight }));
    redraw();
  }, [map, rows, rowHeight, viewportHeight, set]);

  // Not after a pause of scroll events: setting the position in the middle of the browser's own smooth movement would end it.
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const onScrollEnd = () => set(map.rest());
    element.addEventListener('scrollend', onScrollEnd);
    return () => element.removeEventListener('scrollend', onScrollEnd);
  }, [map, scroller, set]);

  useLayoutEffect(
    () => () => {
      cancelAnimationFrame(frame.current);
    },
    [],
  );

  const onScroll = useCallback(() => {
    const element = scroller.current;
    if (!element || element.scrollTop === map.scroll) return;
    set(map.scrolled(element.scrollTop));
    cancelAnimationFrame(frame.current);
    frame.current = requestAnimationFrame(redraw);
  }, [map, scroller, set]);

  const reveal = useCallback(
    (row: number) => {
      const scroll = map.reveal(row);
      if (scroll === null) return;
      set(scroll);
      redraw();
    },
    [map, set],
  );
  const center = useCallback(
    (row: number) => {
      set(map.center(row));
      redraw();
    },
    [map, set],
  );
  const shift = useCallback(
    (by: number) => {
      set(map.shift(by));
      redraw();
    },
    [map, set],
  );

  return {
    map,
    spacerHeight: spacerHeight(rows, rowHeight),
    viewportHeight,
    first: rows === 0 ? 0 : map.firstRow,
    last: rows === 0 ? -1 : map.lastRow,
    onScroll,
    reveal,
    center,
    shift,
  };
}
