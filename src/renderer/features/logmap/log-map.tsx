import { type KeyboardEvent, type PointerEvent, useEffect, useRef, useState } from 'react';
import type { Result, Summary } from '../../../shared/protocol.ts';
import { formatBytes, formatCount, formatNoun, formatOffset } from '../../components/format.ts';
import { call } from '../../connection/current.ts';
import { goTo, walkDamage } from '../../state/go-to.ts';
import { type ByteRange, useSession } from '../../state/session-state.ts';
import { joined } from './joined.ts';

const KINDS = ['live', 'superseded', 'dead', 'damaged'] as const;
type Kind = (typeof KINDS)[number];
const KIND_WORDS: Readonly<Record<Kind, string>> = {
  live: 'live',
  superseded: 'superseded',
  dead: 'deletes',
  damaged: 'damaged',
};
const REFRESH_MILLISECONDS = 400;
/** Marks closer to each other than this part of the strip are one. */
const LEAST_GAP = 0.005;

/** The log as one strip from its first to its last byte: what is where, what is on the screen, and a way to go there. */
export function LogMap() {
  const { summary, session, visibleRanges, record } = useSession();
  const strip = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(0);
  const [map, setMap] = useState<Result<'log.map'> | null>(null);
  const [cursor, setCursor] = useState<number | null>(null);
  const revision = summary?.revision ?? 0;
  const bytes = summary?.log.bytes ?? 0;

  useEffect(() => {
    const element = strip.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const buckets = Math.max(1, Math.min(4096, Math.floor(width / 2), bytes));
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new revision is what makes the old answer stale
  useEffect(() => {
    if (!session || width === 0 || bytes === 0) return;
    const controller = new AbortController();
    const timer = setTimeout(() => {
      call('log.map', { session, buckets }, { signal: controller.signal }).then(setMap, () => {});
    }, REFRESH_MILLISECONDS / 4);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [session, width, buckets, revision, bytes]);

  const hasTail = (summary?.damage.tail ?? null) !== null;
  useEffect(() => {
    const element = canvas.current;
    if (!element || !map || width === 0) return;
    const draw = () => paint(element, map, width, hasTail);
    draw();
    // Colours are custom properties: they change with the theme without anything of React's changing.
    const observer = new MutationObserver(draw);
    observer.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    const dark = window.matchMedia('(prefers-color-scheme: dark)');
    dark.addEventListener('change', draw);
    return () => {
      observer.disconnect();
      dark.removeEventListener('change', draw);
    };
  }, [map, width, hasTail]);

  if (!summary) return null;
  const { log, counts, damage } = summary;
  const at = cursor ?? (record ? Number(record.offset) : 0);
  const step = Math.max(1, Math.floor(bytes / buckets));
  const place = (event: PointerEvent<HTMLDivElement>): number => {
    const box = event.currentTarget.getBoundingClientRect();
    return Math.max(0, Math.min(bytes - 1, Math.floor(((event.clientX - box.left) / box.width) * bytes)));
  };
  const go = (offset: number) => {
    setCursor(null);
    void goTo({ by: 'offset', offset: String(offset) });
  };
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    const to: Record<string, number> = {
      ArrowLeft: at - step,
      ArrowDown: at - step,
      ArrowRight: at + step,
      ArrowUp: at + step,
      PageUp: at + step * 16,
      PageDown: at - step * 16,
      Home: 0,
      End: bytes - 1,
    };
    if (bytes === 0) return;
    if (event.key === 'Enter' || event.key === ' ') go(at);
    else if (event.key === 'Escape') setCursor(null);
    else if (event.key.toLowerCase() === 'd') void walkDamage(event.shiftKey ? -1 : 1);
    else if (to[event.key] === undefined) return;
    else setCursor(Math.max(0, Math.min(bytes - 1, to[event.key]!)));
    event.preventDefault();
  };

  return (
    <section className="logmap" aria-label="Map of the log">
      <div
        ref={strip}
        className={bytes === 0 ? 'logmap-strip empty' : 'logmap-strip'}
        role="slider"
        tabIndex={0}
        aria-label="Place in the log"
        aria-valuemin={0}
        aria-valuemax={Math.max(0, bytes - 1)}
        aria-valuenow={at}
        aria-valuetext={
          bytes === 0
            ? 'The log is empty.'
            : `${formatOffset(at)} of ${formatBytes(bytes)}, ${wordsAt(map, at)}. Enter goes there, D goes to the next damage.`
        }
        onKeyDown={onKeyDown}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          setCursor(place(event));
        }}
        onPointerMove={(event) => {
          if (event.buttons === 1) setCursor(place(event));
        }}
        onPointerUp={(event) => {
          if (bytes > 0) go(place(event));
        }}
      >
        <canvas ref={canvas} />
        {bytes > 0 ? <VisibleRows ranges={visibleRanges} bytes={bytes} /> : null}
        {bytes > 0 && (cursor !== null || record) ? (
          <span className="logmap-cursor" style={{ left: `${(at / bytes) * 100}%` }} />
        ) : null}
      </div>
      <div className="legend">
        <Legend
          kind="live"
          text={`${holdsAllIntact(summary) ? '' : 'in salvage '}${formatBytes(log.liveBytes)}`}
          {...(holdsAllIntact(summary)
            ? {}
            : { title: 'The map shows what is intact and newest; the chosen VelesDB does not hold all of it.' })}
        />
        <Legend kind="superseded" text={formatBytes(log.supersededBytes)} />
        <Legend kind="dead" text={formatBytes(log.deadBytes)} />
        <Legend
          kind="damaged"
          text={
            log.damagedBytes === 0
              ? '0 bytes'
              : `${formatCount(log.damagedBytes)} bytes in ${formatNoun(counts.damaged, 'place')}`
          }
        />
        {damage.tail && !damage.inFlight ? (
          <span className="tail">
            {damage.tail.verdict === 'zero-filled'
              ? `zero-filled tail of ${formatNoun(damage.tail.length, 'byte')}`
              : `torn tail: the writer stopped ${formatNoun(damage.tail.length, 'byte')} into a record`}
          </span>
        ) : null}
      </div>
    </section>
  );
}

/** Whether the chosen view holds just what is live on the map, which is drawn of everything intact. */
function holdsAllIntact({ view, outcomes }: Summary): boolean {
  const outcome = outcomes[view];
  if (!outcome) return true;
  return outcome.opens && ![outcome.lost, outcome.stale, outcome.resurrected, outcome.wrong].some((count) => count);
}

function Legend({ kind, text, title }: { kind: Kind; text: string; title?: string }) {
  return (
    <span title={title}>
      <span className={`swatch ${kind}`} aria-hidden="true" />
      {KIND_WORDS[kind]} {text}
    </span>
  );
}

/** Marks the rows on the screen. */
function VisibleRows({ ranges, bytes }: { ranges: readonly ByteRange[]; bytes: number }) {
  return joined(ranges, bytes * LEAST_GAP).map(({ from, to }) => (
    <span
      key={from}
      className="logmap-window"
      aria-hidden="true"
      style={{ left: `${(from / bytes) * 100}%`, width: `${((to - from) / bytes) * 100}%` }}
    />
  ));
}

/** The bucket's kind: any damage shows, otherwise what most of its bytes are. */
function kindOf(values: readonly number[], bucket: number): Kind | null {
  const at = bucket * 4;
  if ((values[at + 3] ?? 0) > 0) return 'damaged';
  let kind: Kind | null = null;
  let most = 0;
  for (let index = 0; index < 3; index++) {
    const value = values[at + index] ?? 0;
    if (value > most) {
      most = value;
      kind = KINDS[index]!;
    }
  }
  return kind;
}

function wordsAt(map: Result<'log.map'> | null, offset: number): string {
  if (!map || map.bytes === 0) return '';
  const buckets = map.values.length / 4;
  const kind = kindOf(map.values, Math.min(buckets - 1, Math.floor((offset / map.bytes) * buckets)));
  return kind === null ? 'not scanned yet' : `${kind === 'damaged' ? '' : 'mostly '}${KIND_WORDS[kind]}`;
}

function paint(element: HTMLCanvasElement, map: Result<'log.map'>, width: number, hasTail: boolean): void {
  const ratio = window.devicePixelRatio || 1;
  const height = element.clientHeight;
  element.width = Math.round(width * ratio);
  element.height = Math.round(height * ratio);
  const context = element.getContext('2d');
  if (!context) return;
  const styles = getComputedStyle(element);
  const probe = document.createElement('span');
  // With forced colours every element's colour is the text's, and the whole strip would be: the map keeps its own, as the legend does.
  probe.style.setProperty('forced-color-adjust', 'none');
  element.parentElement?.append(probe);
  const colour = (name: string): string => {
    // A canvas does not resolve light-dark(): an element does.
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color || styles.color;
  };
  const colours: Record<Kind | 'empty', string> = {
    live: colour('--map-live'),
    superseded: colour('--map-superseded'),
    dead: colour('--map-dead'),
    damaged: colour('--map-damaged'),
    empty: colour('--map-empty'),
  };
  const background = colour('--surface');
  probe.remove();

  context.scale(ratio, ratio);
  context.fillStyle = colours.empty;
  context.fillRect(0, 0, width, height);
  const buckets = map.values.length / 4;
  const step = width / buckets;
  const damaged: number[] = [];
  for (let bucket = 0; bucket < buckets; bucket++) {
    const kind = kindOf(map.values, bucket);
    if (kind === null) continue;
    if (kind === 'damaged') damaged.push(bucket);
    context.fillStyle = colours[kind];
    context.fillRect(bucket * step, 0, step + 0.5, height);
  }
  // Damage last and never thinner than three pixels: one bad byte in a gigabyte must be seen.
  context.fillStyle = colours.damaged;
  for (const bucket of damaged)
    context.fillRect(bucket * step - Math.max(0, (3 - step) / 2), 0, Math.max(3, step), height);
  if (hasTail) {
    const from = Math.max(0, width - 7);
    context.save();
    context.beginPath();
    context.rect(from, 0, width - from, height);
    context.clip();
    context.fillStyle = background;
    context.fillRect(from, 0, width - from, height);
    context.strokeStyle = colours.damaged;
    context.lineWidth = 2.5;
    for (let y = -8; y < height + 8; y += 6) {
      context.beginPath();
      context.moveTo(from - 1, y + 8);
      context.lineTo(width + 1, y);
      context.stroke();
    }
    context.restore();
  }
}
