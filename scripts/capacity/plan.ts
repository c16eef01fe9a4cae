/** What a service is to bear. */
export interface Wanted {
  readonly perSecond: number;
  readonly examples: number;
}

/** What was measured of one server on one core. */
export interface Measured {
  /** Requests a second within the bound, at one share of repeated texts. */
  readonly perSecond: number;
  /** Of a server without bots, and of a million examples. */
  readonly baseBytes: number;
  readonly bytesPerMillion: number;
}

export interface Plan {
  /** One-core servers that bear the load, and that still bear it when a zone is lost. */
  readonly cores: number;
  readonly coresWithSpare: number;
  /** Of all of them with spares, each having all the examples. */
  readonly bytes: number;
}

/** Share of what a server can do that it is planned for: the rest is for peaks, and for writes. */
export const LOAD_SHARE = 0.7;
/** Availability zones, of which one may be lost. */
export const ZONES = 3;

/** Cores and memory for a load (docs/capacity.md has the formulas). */
export function planFor(wanted: Wanted, measured: Measured): Plan {
  const cores = Math.ceil(wanted.perSecond / (measured.perSecond * LOAD_SHARE));
  const coresWithSpare = ZONES * Math.ceil(cores / (ZONES - 1));
  const each = measured.baseBytes + (wanted.examples / 1e6) * measured.bytesPerMillion;
  return { cores, coresWithSpare, bytes: coresWithSpare * each };
}
