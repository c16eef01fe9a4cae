import { importChanges } from '../../src/classify/importChanges.js';
import type { SavedVersion, WrittenAlias } from '../../src/classify/service.js';
import { asDocument, asPresent, type VersionContents } from '../../src/classify/versionContents.js';
import type { AliasSummary, VersionChanges, VersionSummary } from '../../src/classify/versionTypes.js';
import { KshotError } from '../../src/errors.js';
import type { FakeBot } from './fakeService.js';

interface FakeVersion {
  readonly note: string | null;
  readonly bot: FakeBot;
}

const EPOCH = '2024-01-01T00:00:00.000Z';

/** The versions and aliases of a fake service's bots. */
export class FakeVersions {
  private readonly versions = new WeakMap<FakeBot, Map<string, FakeVersion>>();
  /** Where each alias has pointed, the present version first. */
  private readonly aliases = new WeakMap<FakeBot, Map<string, string[]>>();

  constructor(private readonly bot: (name: string) => FakeBot) {}

  /** What a version holds, by its name or an alias's. */
  find(bot: string, name: string): FakeBot {
    return this.versionsOf(bot).get(this.resolve(bot, name))!.bot;
  }

  list(bot: string): VersionSummary[] {
    return [...this.versionsOf(bot).keys()].reverse().map((name) => this.get(bot, name));
  }

  get(bot: string, named: string): VersionSummary {
    const name = this.resolve(bot, named);
    const { note, bot: held } = this.versionsOf(bot).get(name)!;
    const aliases = [...this.aliasesOf(bot)].filter(([, [version]]) => version === name);
    return {
      name,
      note,
      revision: held.revision,
      created_at: EPOCH,
      head: held.settings.head ?? 'adapted',
      intents: held.intents.size,
      examples: [...held.intents.values()].flatMap(({ examples }) => examples).length,
      counterexamples: held.counterexamples.length,
      aliases: aliases.map(([alias]) => alias),
    };
  }

  save(bot: string, name: string, note: string | null): SavedVersion {
    const present = this.bot(bot);
    const versions = this.versionsOf(bot);
    if (this.aliasesOf(bot).has(name)) throw new KshotError('name_taken', `${name} is an alias`);
    const known = versions.get(name);
    if (known !== undefined && known.bot.revision !== present.revision) {
      throw new KshotError('version_exists', `There is a version ${name}`);
    }
    if (known === undefined) versions.set(name, { note, bot: structuredClone(present) });
    return { created: known === undefined, version: this.get(bot, name) };
  }

  delete(bot: string, name: string): void {
    if (!this.versionsOf(bot).has(name)) throw this.unknown(name);
    if (this.get(bot, name).aliases.length > 0)
      throw new KshotError('version_in_use', 'An alias points there');
    this.versionsOf(bot).delete(name);
  }

  contents(bot: string, name: string): VersionContents {
    return contentsOf(this.find(bot, name));
  }

  changes(bot: string, from: string, to?: string): VersionChanges {
    const before = this.contents(bot, from);
    const after = to === undefined ? contentsOf(this.bot(bot)) : this.contents(bot, to);
    return {
      bot,
      from: this.resolve(bot, from),
      to: to === undefined ? null : this.resolve(bot, to),
      ...importChanges(asPresent(before), asDocument(after), true),
    };
  }

  contentsToRestore(bot: string, name: string): Partial<FakeBot> {
    const { settings, intents, counterexamples } = structuredClone(this.find(bot, name));
    return { settings, intents, counterexamples };
  }

  listAliases(bot: string): AliasSummary[] {
    return [...this.aliasesOf(bot).keys()].sort().map((name) => this.alias(bot, name));
  }

  putAlias(bot: string, alias: string, named: string): WrittenAlias {
    const version = this.resolve(bot, named);
    if (this.versionsOf(bot).has(alias)) throw new KshotError('name_taken', `${alias} is a version`);
    const aliases = this.aliasesOf(bot);
    const path = aliases.get(alias);
    if (path?.[0] !== version) aliases.set(alias, [version, ...(path ?? [])]);
    return { created: path === undefined, alias: this.alias(bot, alias) };
  }

  rollBackAlias(bot: string, alias: string): AliasSummary {
    const { history } = this.alias(bot, alias);
    if (history.length === 0) throw new KshotError('nothing_to_roll_back', 'It pointed nowhere before');
    this.aliasesOf(bot).get(alias)!.shift();
    return this.alias(bot, alias);
  }

  deleteAlias(bot: string, alias: string): void {
    this.alias(bot, alias);
    this.aliasesOf(bot).delete(alias);
  }

  private alias(bot: string, name: string): AliasSummary {
    const path = this.aliasesOf(bot).get(name);
    if (path === undefined) throw new KshotError('unknown_alias', `There is no alias ${name}`);
    const [target, ...history] = path.map((version) => ({ version, moved_at: EPOCH }));
    return { name, ...target!, history };
  }

  private resolve(bot: string, name: string): string {
    const version = this.versionsOf(bot).has(name) ? name : this.aliasesOf(bot).get(name)?.[0];
    if (version === undefined) throw this.unknown(name);
    return version;
  }

  private unknown(name: string): KshotError {
    return new KshotError('unknown_version', `There is no version ${name}`);
  }

  private versionsOf(bot: string): Map<string, FakeVersion> {
    return of(this.versions, this.bot(bot));
  }

  private aliasesOf(bot: string): Map<string, string[]> {
    return of(this.aliases, this.bot(bot));
  }
}

function of<V>(maps: WeakMap<FakeBot, Map<string, V>>, bot: FakeBot): Map<string, V> {
  const map = maps.get(bot) ?? new Map<string, V>();
  maps.set(bot, map);
  return map;
}

function contentsOf({ intents, counterexamples }: FakeBot): VersionContents {
  return { intents: [...intents].map(([name, intent]) => ({ name, ...intent })), counterexamples };
}
