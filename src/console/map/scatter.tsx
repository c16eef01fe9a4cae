import { type KeyboardEvent, type PointerEvent, useEffect, useRef, useState } from 'react';
import type { MapPoint } from '../../client/index.js';
import { type Mark, type Shape, shapePath } from './palette.js';
import { moved, nearest, placeOf, type Size, type View, WHOLE, zoomed } from './view.js';

const RADIUS = 4.2;
const REACH = 14;
const STEP = 1.4;

/** The points on a canvas: hovering or the arrow keys pick one, the wheel and dragging move the view. */
export function Scatter({
  points,
  markOf,
  isFaint,
  picked,
  onPick,
  onOpen,
  label,
}: {
  readonly points: readonly MapPoint[];
  readonly markOf: (point: MapPoint) => Mark;
  /** Whether a point is drawn as background only. */
  readonly isFaint: (point: MapPoint) => boolean;
  readonly picked: MapPoint | undefined;
  readonly onPick: (point: MapPoint | undefined) => void;
  readonly onOpen: (point: MapPoint) => void;
  readonly label: string;
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  const [view, setView] = useState(WHOLE);
  const drag = useRef<{ readonly x: number; readonly y: number; moved: boolean }>(undefined);

  useEffect(() => {
    const element = canvas.current;
    if (element === null) return undefined;
    const observer = new ResizeObserver(() => {
      setSize({ width: element.clientWidth, height: element.clientHeight });
    });
    observer.observe(element);
    // React listens to the wheel passively, and the page would scroll.
    const wheel = (event: WheelEvent) => {
      event.preventDefault();
      const now = { width: element.clientWidth, height: element.clientHeight };
      setView((before) => zoomed(before, Math.exp(-event.deltaY / 400), [event.offsetX, event.offsetY], now));
    };
    element.addEventListener('wheel', wheel, { passive: false });
    return () => {
      observer.disconnect();
      element.removeEventListener('wheel', wheel);
    };
  }, []);

  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext('2d');
    if (!element || !context || size.width === 0) return;
    const ratio = devicePixelRatio;
    element.width = Math.round(size.width * ratio);
    element.height = Math.round(size.height * ratio);
    context.scale(ratio, ratio);
    draw(context, points, { markOf, isFaint, picked, view, size, style: getComputedStyle(element) });
  }, [points, markOf, isFaint, picked, view, size]);

  const clear = points.filter((point) => !isFaint(point));
  function at(event: PointerEvent): MapPoint | undefined {
    const { offsetX, offsetY } = event.nativeEvent;
    return nearest(clear, [offsetX, offsetY], view, size, REACH);
  }
  function onPointerMove(event: PointerEvent) {
    const { current } = drag;
    if (current === undefined) {
      onPick(at(event));
      return;
    }
    const dx = event.clientX - current.x;
    const dy = event.clientY - current.y;
    if (!current.moved && Math.hypot(dx, dy) < 4) return;
    drag.current = { x: event.clientX, y: event.clientY, moved: true };
    setView(moved(view, dx, dy, size));
  }
  function onPointerUp(event: PointerEvent) {
    const wasMoved = drag.current?.moved;
    drag.current = undefined;
    const point = at(event);
    if (wasMoved || point === undefined) return;
    // A finger does not hover: its first touch shows, the next opens.
    if (event.pointerType === 'mouse' || point.id === picked?.id) onOpen(point);
    else onPick(point);
  }
  function onKeyDown(event: KeyboardEvent) {
    const middle = [size.width / 2, size.height / 2] as const;
    const actions: Record<string, (() => void) | undefined> = {
      ArrowRight: () => {
        onPick(neighbour(clear, picked, 1, 0));
      },
      ArrowLeft: () => {
        onPick(neighbour(clear, picked, -1, 0));
      },
      ArrowUp: () => {
        onPick(neighbour(clear, picked, 0, 1));
      },
      ArrowDown: () => {
        onPick(neighbour(clear, picked, 0, -1));
      },
      Enter:
        picked &&
        (() => {
          onOpen(picked);
        }),
      '+': () => {
        setView(zoomed(view, STEP, middle, size));
      },
      '-': () => {
        setView(zoomed(view, 1 / STEP, middle, size));
      },
      '0': () => {
        setView(WHOLE);
      },
    };
    const action = actions[event.key];
    if (action === undefined) return;
    event.preventDefault();
    action();
  }
  const place = picked && size.width > 0 ? placeOf(picked, view, size) : undefined;
  return (
    <div className="map-frame">
      <canvas
        ref={canvas}
        className="map-canvas"
        tabIndex={0}
        role="application"
        aria-label={`${label} Arrow keys go from point to point, Enter opens one, plus and minus zoom. The table below has the same texts.`}
        onPointerMove={onPointerMove}
        onPointerDown={(event) => {
          drag.current = { x: event.clientX, y: event.clientY, moved: false };
          event.currentTarget.setPointerCapture(event.pointerId);
        }}
        onPointerUp={onPointerUp}
        onPointerLeave={() => {
          onPick(undefined);
        }}
        onKeyDown={onKeyDown}
      />
      {picked && place && (
        <div
          className={`map-tip${place[0] > size.width / 2 ? ' left' : ''}${place[1] > size.height / 2 ? ' up' : ''}`}
          style={{ left: place[0], top: place[1] }}
        >
          <strong>{picked.intent ?? 'Counter-example'}</strong>
          {picked.outlier && <span className="badge warning">outlier</span>}
          <p className="wrap">{picked.text}</p>
        </div>
      )}
      <p className="visually-hidden" role="status">
        {picked &&
          `${picked.text}, ${picked.intent ?? 'counter-example'}${picked.outlier ? ', outlier' : ''}`}
      </p>
    </div>
  );
}

interface Drawing {
  readonly markOf: (point: MapPoint) => Mark;
  readonly isFaint: (point: MapPoint) => boolean;
  readonly picked: MapPoint | undefined;
  readonly view: View;
  readonly size: Size;
  readonly style: CSSStyleDeclaration;
}

function draw(context: CanvasRenderingContext2D, points: readonly MapPoint[], drawing: Drawing): void {
  const { markOf, isFaint, picked, view, size, style } = drawing;
  context.clearRect(0, 0, size.width, size.height);
  const one = (point: MapPoint, radius: number, alpha: number) => {
    const { colour, shape } = markOf(point);
    const [x, y] = placeOf(point, view, size);
    context.globalAlpha = alpha;
    context.fillStyle = colour;
    context.translate(x, y);
    context.fill(outline(shape, radius), 'evenodd');
    if (point.outlier && alpha > 0.5) {
      context.strokeStyle = style.color;
      context.lineWidth = 1.4;
      context.stroke(outline('circle', radius + 3.5));
    }
    context.translate(-x, -y);
  };
  for (const point of points) if (isFaint(point)) one(point, RADIUS - 1, 0.12);
  for (const point of points) if (!isFaint(point)) one(point, RADIUS, 0.88);
  if (picked !== undefined) one(picked, RADIUS + 2.5, 1);
  context.globalAlpha = 1;
}

const outlines = new Map<string, Path2D>();

/** A shape around the origin; there are but a few, and thousands of points. */
function outline(shape: Shape, radius: number): Path2D {
  const key = `${shape} ${radius}`;
  const known = outlines.get(key) ?? new Path2D(shapePath(shape, 0, 0, radius));
  outlines.set(key, known);
  return known;
}

/** The next point in a direction: the nearest within the quarter that lies there. */
function neighbour(
  points: readonly MapPoint[],
  from: MapPoint | undefined,
  dx: number,
  dy: number,
): MapPoint | undefined {
  if (from === undefined) return points[0];
  let best = from;
  let least = Infinity;
  for (const point of points) {
    const along = (point.x - from.x) * dx + (point.y - from.y) * dy;
    const across = Math.abs((point.x - from.x) * dy) + Math.abs((point.y - from.y) * dx);
    if (point.id === from.id || along <= 0 || across > along) continue;
    const distance = along + across;
    if (distance < least) {
      least = distance;
      best = point;
    }
  }
  return best;
}
