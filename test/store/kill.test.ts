import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import Database from 'better-sqlite3';
import { spawnScript } from './child.js';
import { openStoreAt } from './openStoreAt.js';
import { describeOnPostgres, postgresPlace } from './postgresServer.js';
import { temporaryDirectories } from './temporary.js';
import { vectorsOf } from './texts.js';
import { stateAfter, type State } from './writePlan.js';

const FP = 'encoder-a';
const BOT = 'bank';
const temporaryDirectory = temporaryDirectories();

/** After how many acknowledged writes each round's writer is killed; 0: as soon as it has opened the store. */
const ROUNDS = [23, 1, 0, 57, 4, 12, 2, 88, 7, 31];

const place = postgresPlace();

describe('kill -9 in a loop of writes', () => {
  test('loses no acknowledged write, and leaves no half of one', async () => {
    const file = join(temporaryDirectory(), 'kshot.db');
    await writeAndKill(file);
    const db = new Database(file, { readonly: true });
    expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
    expect(db.pragma('foreign_key_check')).toEqual([]);
    db.close();
  }, 30_000);
});

describeOnPostgres('kill -9 in a loop of writes to PostgreSQL', () => {
  test('loses no acknowledged write, and leaves no half of one', async () => {
    await writeAndKill((await place.schema()).url);
  }, 60_000);
});

async function writeAndKill(location: string): Promise<void> {
  let revision = 0;
  for (const writes of ROUNDS) {
    const acknowledged = await writeUntilKilled(location, writes);
    expect(acknowledged).toBeGreaterThanOrEqual(revision + writes);

    const { revision: found, state } = await readState(location);
    // The write under way may have reached the disk without being acknowledged: one at most, since the writer
    // waits for each.
    expect([acknowledged, acknowledged + 1]).toContain(found);
    expect(state).toEqual(stateAfter(found));
    revision = found;
  }
}

/** Kills a writer once it has acknowledged so many writes; returns the last step that it acknowledged. */
async function writeUntilKilled(location: string, writes: number): Promise<number> {
  const before = (await readState(location)).revision;
  const writer = spawnScript('killWriter', [location, BOT, FP]);
  let last = before;
  let killed: Promise<void> | undefined;
  try {
    for await (const line of writer.lines) {
      // It goes on printing while the signal is on its way; those writes count as well.
      if (line !== 'open') last = Number(line);
      if (last >= before + writes) killed ??= writer.kill();
    }
  } finally {
    await (killed ?? writer.kill());
  }
  return last;
}

/** What the store holds, in the plan's terms; its embeddings are checked against the texts. */
async function readState(location: string): Promise<{ revision: number; state: State }> {
  const store = await openStoreAt(location);
  try {
    const contents = await store.readBot(BOT, FP);
    if (contents === undefined) return { revision: 0, state: stateAfter(0) };
    const texts = contents.texts.map(({ text }) => text);
    expect(contents.embeddings).toEqual(vectorsOf(texts, FP));
    const state: State = { settings: contents.bot.settings, intents: new Map(), counterexamples: [] };
    for (const { name } of contents.intents) state.intents.set(name, []);
    for (const { kind, intent, text } of contents.texts) {
      if (kind === 'example') state.intents.get(intent ?? '')?.push(text);
      if (kind === 'counterexample') state.counterexamples.push(text);
    }
    expect(texts.filter((_, row) => contents.texts[row]?.kind === 'label')).toHaveLength(state.intents.size);
    return { revision: contents.bot.revision, state };
  } finally {
    await store.close();
  }
}
