import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import { type Reviewed, ReviewItem } from './review-item.tsx';

/** Where a draft's height is not known yet; most change a few lines. */
const LIKELY_HEIGHT = 170;
const GAP = 12;

/**
 * The drafts as a list in the dialog's body. Each has an editor that shows its difference, and thousands of editors would hold up the window:
 * only those on the screen exist, each as high as it turns out.
 */
export function ReviewList(props: {
  entries: readonly Reviewed[];
  /** Ids that are left out. */
  left: ReadonlySet<string>;
  /** Brought into view, once for each object. */
  shownFirst: { id: string } | null;
  onToggle: (id: string) => void;
  onShow: (id: string) => void;
}) {
  const { entries, left, shownFirst, onToggle, onShow } = props;
  const list = useRef<HTMLUListElement>(null);
  const [scrollMargin, setScrollMargin] = useState(0);
  const bodyOf = () => list.current?.closest<HTMLElement>('.dialog-body') ?? null;
  const virtual = useVirtualizer({
    count: entries.length,
    getScrollElement: bodyOf,
    estimateSize: () => LIKELY_HEIGHT,
    getItemKey: (index) => entries[index]!.draft.id,
    gap: GAP,
    overscan: 2,
    scrollMargin,
    initialRect: { width: 800, height: 600 },
  });
  // What stands above the list comes and goes.
  useLayoutEffect(() => {
    const body = bodyOf();
    if (!body || !list.current) return;
    const margin = list.current.getBoundingClientRect().top - body.getBoundingClientRect().top + body.scrollTop;
    setScrollMargin(Math.round(margin));
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked for once, whatever becomes of the list
  useEffect(() => {
    const index = entries.findIndex(({ draft }) => draft.id === shownFirst?.id);
    if (index >= 0) virtual.scrollToIndex(index, { align: 'start' });
  }, [shownFirst]);
  return (
    <ul className="review-list" ref={list} style={{ height: virtual.getTotalSize() }}>
      {virtual.getVirtualItems().map(({ index, key, start }) => {
        const entry = entries[index]!;
        const { id } = entry.draft;
        return (
          <li
            key={key}
            ref={virtual.measureElement}
            data-index={index}
            aria-label={`Draft of id ${id}`}
            aria-setsize={entries.length}
            aria-posinset={index + 1}
            style={{ transform: `translateY(${start - scrollMargin}px)` }}
          >
            <ReviewItem
              entry={entry}
              included={!left.has(id)}
              onToggle={() => onToggle(id)}
              onShow={() => onShow(id)}
            />
          </li>
        );
      })}
    </ul>
  );
}
