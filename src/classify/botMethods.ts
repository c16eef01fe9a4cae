import type { ClassifyService } from './service.js';

/** A method of the service that is about a bot. */
export type BotMethod = (bot: string, ...rest: unknown[]) => Promise<unknown>;

/** Has other methods stand in the place of a service's own. @param wrap makes the one that does, of the method. */
export function wrapBotMethods(
  service: ClassifyService,
  names: readonly (keyof ClassifyService)[],
  wrap: (method: BotMethod) => BotMethod,
): void {
  for (const name of names) {
    Object.assign(service, { [name]: wrap(service[name].bind(service) as BotMethod) });
  }
}
