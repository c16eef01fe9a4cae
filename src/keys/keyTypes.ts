// API keys in the wire format.

/** `read` covers classifying; `write` covers `read`. */
export type KeyAccess = 'read' | 'write';

/** What a new key is to be. */
export interface KeyRequest {
  /** What it is for, in the operator's words. */
  readonly name: string;
  readonly access: KeyAccess;
  /** The bots that it is for; null or left out: all, those to come too. */
  readonly bots?: readonly string[] | null | undefined;
  /** Requests a second; null or left out: as many as come. */
  readonly rate?: number | null | undefined;
}

export interface KeySummary {
  readonly id: number;
  readonly name: string;
  /** How its secret begins, to tell keys apart by. */
  readonly hint: string;
  readonly access: KeyAccess;
  /** Null: all. */
  readonly bots: readonly string[] | null;
  /** Requests a second; null: no limit. */
  readonly rate: number | null;
  /** ISO 8601, UTC. */
  readonly created_at: string;
  /** To the minute or so. */
  readonly last_used_at: string | null;
  /** Null for a key that is in force. */
  readonly revoked_at: string | null;
}

/** A key that has just been made. */
export interface NewKey extends KeySummary {
  /** The key itself: it is told this once, and kept nowhere. */
  readonly secret: string;
  /** What has changed for everybody by it; null: nothing. */
  readonly notice: string | null;
}
