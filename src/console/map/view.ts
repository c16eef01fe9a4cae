import type { MapPoint } from '../../client/index.js';

/** What of the plane is shown: the middle, and how many times larger than all of it. */
export interface View {
  readonly x: number;
  readonly y: number;
  readonly zoom: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export const WHOLE: View = { x: 0, y: 0, zoom: 1 };
const MARGIN = 24;
const MOST_ZOOM = 24;

function scaleOf({ width, height }: Size, zoom: number): number {
  return Math.max(1, Math.min(width, height) / 2 - MARGIN) * zoom;
}

/** Where a point of the plane (-1 to 1) lies on the screen, in CSS pixels. A wide screen is used in its width. */
export function placeOf(point: Pick<MapPoint, 'x' | 'y'>, view: View, size: Size): readonly [number, number] {
  const scale = scaleOf(size, view.zoom);
  const stretch = stretchOf(size);
  return [
    size.width / 2 + (point.x - view.x) * scale * stretch,
    size.height / 2 - (point.y - view.y) * scale,
  ];
}

function stretchOf({ width, height }: Size): number {
  return Math.max(1, Math.min(1.9, (width - 2 * MARGIN) / (height - 2 * MARGIN)));
}

/** Moves by pixels of the screen. */
export function moved(view: View, dx: number, dy: number, size: Size): View {
  const scale = scaleOf(size, view.zoom);
  return { ...view, x: view.x - dx / (scale * stretchOf(size)), y: view.y + dy / scale };
}

/** Zooms so that what is under a place of the screen stays there. */
export function zoomed(view: View, factor: number, [px, py]: readonly [number, number], size: Size): View {
  const zoom = Math.min(MOST_ZOOM, Math.max(1, view.zoom * factor));
  if (zoom === 1) return WHOLE;
  const dx = px - size.width / 2;
  const dy = py - size.height / 2;
  const before = scaleOf(size, view.zoom);
  const after = scaleOf(size, zoom);
  const stretch = stretchOf(size);
  return {
    zoom,
    x: view.x + (dx / before - dx / after) / stretch,
    y: view.y - (dy / before - dy / after),
  };
}

/** The point nearest to a place of the screen, if any is within reach. */
export function nearest(
  points: readonly MapPoint[],
  [px, py]: readonly [number, number],
  view: View,
  size: Size,
  reach: number,
): MapPoint | undefined {
  let best: MapPoint | undefined;
  let least = reach * reach;
  for (const point of points) {
    const [x, y] = placeOf(point, view, size);
    const distance = (x - px) ** 2 + (y - py) ** 2;
    if (distance < least) {
      least = distance;
      best = point;
    }
  }
  return best;
}
