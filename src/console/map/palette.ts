/**
 * The eight colours of Okabe and Ito, which people with any colour vision tell apart, each a little darker or lighter where
 * the ground asks for it; with six shapes they mark 48 intents.
 */
const LIGHT = ['#0072b2', '#b45200', '#00795a', '#a8437f', '#8a6d00', '#2f86b8', '#4d4d4d', '#7b4fb5'];
const DARK = ['#56b4e9', '#e69f00', '#00b98a', '#e08cc0', '#f0e442', '#9ad0f0', '#d0d0d0', '#b79be0'];

export const SHAPES = ['circle', 'square', 'triangle', 'diamond', 'cross', 'ring'] as const;
export type Shape = (typeof SHAPES)[number];

export interface Mark {
  readonly colour: string;
  readonly shape: Shape;
}

/** How the n-th intent is drawn: a new colour each, then a new shape. */
export function markOf(n: number, isDark: boolean): Mark {
  const colours = isDark ? DARK : LIGHT;
  return {
    colour: colours[n % colours.length] ?? LIGHT[0]!,
    shape: SHAPES[Math.floor(n / colours.length) % SHAPES.length] ?? 'circle',
  };
}

/** A shape around a point, as an SVG path and for a canvas (Path2D) alike. */
export function shapePath(shape: Shape, x: number, y: number, r: number): string {
  switch (shape) {
    case 'circle':
      return `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`;
    case 'square':
      return `M${x - r} ${y - r}h${2 * r}v${2 * r}h${-2 * r}z`;
    case 'triangle':
      return `M${x} ${y - 1.2 * r}L${x + 1.15 * r} ${y + 0.9 * r}H${x - 1.15 * r}z`;
    case 'diamond':
      return `M${x} ${y - 1.3 * r}L${x + 1.3 * r} ${y}L${x} ${y + 1.3 * r}L${x - 1.3 * r} ${y}z`;
    case 'cross': {
      const a = r * 0.45;
      const b = r * 1.15;
      return `M${x - a} ${y - b}h${2 * a}v${b - a}h${b - a}v${2 * a}h${a - b}v${b - a}h${-2 * a}v${a - b}h${a - b}v${-2 * a}h${b - a}z`;
    }
    case 'ring': {
      const inner = r * 0.5;
      return `${shapePath('circle', x, y, r * 1.1)}M${x + inner} ${y}a${inner} ${inner} 0 1 0 ${-2 * inner} 0a${inner} ${inner} 0 1 0 ${2 * inner} 0z`;
    }
  }
}
