import { type KeyboardEvent, type PointerEvent, useState } from 'react';
import { keepDetailWidth, useApplication } from '../../state/application.ts';

const STEP = 24;
/** The narrowest the two panes get: the record's tabs, and the grid with something of its payloads. */
const LEAST = { detail: 320, records: 360 } as const;

/**
 * The edge between the grid and the record, which a pointer drags and arrow keys move. How much of the window the payload deserves
 * depends on the payloads; a double click or Enter gives it back its own width.
 */
export function DetailEdge() {
  const width = useApplication((state) => state.detailWidth);
  const [range, setRange] = useState({ now: width ?? 0, most: width ?? 0 });

  const measure = (edge: HTMLElement) => {
    const pane = edge.parentElement!;
    const detail = pane.getBoundingClientRect();
    const records = pane.previousElementSibling!.getBoundingClientRect();
    const most = Math.max(LEAST.detail, Math.round(detail.width + records.width - LEAST.records));
    setRange({ now: Math.round(detail.width), most });
    return { now: Math.round(detail.width), right: detail.right, most };
  };
  const move = (edge: HTMLElement, to: number) => {
    const { most } = measure(edge);
    const kept = Math.round(Math.min(most, Math.max(LEAST.detail, to)));
    keepDetailWidth(kept);
    setRange({ now: kept, most });
  };
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    const { now, most } = measure(event.currentTarget);
    const to: Record<string, number> = { ArrowLeft: now + STEP, ArrowRight: now - STEP, Home: LEAST.detail, End: most };
    if (event.key === 'Enter') keepDetailWidth(null);
    else if (to[event.key] === undefined) return;
    else move(event.currentTarget, to[event.key]!);
    event.preventDefault();
  };

  return (
    // biome-ignore lint/a11y/useSemanticElements: a rule cannot be moved, and this one can
    <div
      className="detail-edge"
      role="separator"
      tabIndex={0}
      aria-orientation="vertical"
      aria-label="Width of the record"
      aria-valuenow={range.now}
      aria-valuemin={LEAST.detail}
      aria-valuemax={Math.max(range.most, range.now)}
      aria-valuetext={`${range.now} pixels. Arrow keys move the edge, Enter gives the record its own width.`}
      onFocus={(event) => void measure(event.currentTarget)}
      onKeyDown={onKeyDown}
      onDoubleClick={() => keepDetailWidth(null)}
      onPointerDown={(event: PointerEvent<HTMLElement>) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        measure(event.currentTarget);
      }}
      onPointerMove={(event: PointerEvent<HTMLElement>) => {
        if (event.buttons !== 1) return;
        move(event.currentTarget, measure(event.currentTarget).right - event.clientX);
      }}
    />
  );
}
