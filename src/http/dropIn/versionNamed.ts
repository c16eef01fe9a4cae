import type { ClassifyService } from '../../classify/service.js';
import { KshotError } from '../../errors.js';

/** What clients of other services call a deployment: the version or alias of that name, where the bot has one. */
export async function versionNamed(
  service: ClassifyService,
  bot: string,
  name: string | undefined,
): Promise<{ readonly version?: string }> {
  if (name === undefined) return {};
  try {
    return { version: (await service.getVersion(bot, name)).name };
  } catch (error) {
    if (error instanceof KshotError && error.code === 'unknown_version') return {};
    throw error;
  }
}
