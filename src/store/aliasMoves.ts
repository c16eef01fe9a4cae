/** The moves of an alias, newest first, that say nothing: it was moved where it was, since the version between is gone. */
export function emptyMoves<M extends { readonly version_id: number }>(moves: readonly M[]): M[] {
  return moves.filter((move, i) => i > 0 && moves[i - 1]!.version_id === move.version_id);
}
