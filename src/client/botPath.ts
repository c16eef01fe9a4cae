/** The address of what belongs to a bot. */
export function botPath(bot: string, ...below: readonly (string | number)[]): string[] {
  return ['v1', 'bots', bot, ...below.map(String)];
}
