import type { WriteResult } from '../classify/service.js';
import type { VersionChanges, VersionSummary } from '../classify/versionTypes.js';
import { botPath } from './botPath.js';
import type { CallOptions, Transport } from './transport.js';

/** Snapshots of a bot. Where one is read, an alias may stand for it. */
export class Versions {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Newest first. */
  list(bot: string, options?: CallOptions): Promise<VersionSummary[]> {
    const path = botPath(bot, 'versions');
    return this.#transport.member('versions', { method: 'GET', path, options });
  }

  get(bot: string, version: string, options?: CallOptions): Promise<VersionSummary> {
    return this.#transport.json({ method: 'GET', path: botPath(bot, 'versions', version), options });
  }

  /** Keeps the bot as it is now under a name that none has yet. */
  save(
    bot: string,
    version: string,
    { note, ...options }: CallOptions & { readonly note?: string | undefined } = {},
  ): Promise<VersionSummary> {
    const path = botPath(bot, 'versions', version);
    return this.#transport.json({ method: 'PUT', path, json: { note }, options });
  }

  /** Refused while an alias points at it. */
  async delete(bot: string, version: string, options?: CallOptions): Promise<void> {
    await this.#transport.json({ method: 'DELETE', path: botPath(bot, 'versions', version), options });
  }

  /** What is different since. @param to another version or alias; left out: the bot as it is now. */
  changes(
    bot: string,
    version: string,
    { to, ...options }: CallOptions & { readonly to?: string | undefined } = {},
  ): Promise<VersionChanges> {
    const path = botPath(bot, 'versions', version, 'changes');
    return this.#transport.json({ method: 'GET', path, query: { to }, options });
  }

  /** Makes the bot what the version is, settings included, as a new revision. */
  restore(bot: string, version: string, options?: CallOptions): Promise<WriteResult> {
    const path = botPath(bot, 'versions', version, 'restore');
    return this.#transport.json({ method: 'POST', path, options });
  }
}
