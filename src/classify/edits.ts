import type { Encoder } from '../encoder/encoder.js';
import type { Change, Store } from '../store/store.js';
import { embedTexts, withEmbeddings } from './embedTexts.js';
import type { LiveBot } from './liveBot.js';
import type { ExampleEdit, WriteResult } from './service.js';
import { checkText, checkTexts, labelOf } from './text.js';

type Embeddings = Map<string, Float32Array>;

/** What is asked of whoever serves the bots. */
export interface EditsOptions {
  readonly encoder: Encoder;
  readonly store: Store;
  readonly maxTextChars: number;
  /** The bot as it is at that moment. @throws KshotError `unknown_bot`. */
  readonly find: (bot: string) => { readonly bot: LiveBot };
  /** Runs a write in its turn and makes it live. @param embeddings by text, when the write is done, of all that it brought. */
  readonly change: (
    bot: string,
    embeddings: Embeddings,
    write: () => Promise<Change>,
  ) => Promise<WriteResult>;
}

/** Small changes to what a bot has: the rest of it stays as it is. */
export class Edits {
  constructor(private readonly options: EditsOptions) {}

  async editExample(name: string, intent: string, id: number, edit: ExampleEdit): Promise<WriteResult> {
    const { encoder, store, maxTextChars, find, change } = this.options;
    find(name);
    const text = edit.text === undefined ? undefined : checkText('text', edit.text, maxTextChars);
    const embeddings = await embedTexts(encoder, text === undefined ? [] : [text]);
    return change(name, embeddings, () => {
      const { texts } = find(name).bot;
      const known = texts.intent(intent)?.examples.find((example) => example.id === id);
      // One that is only moved has its embedding.
      if (known !== undefined) embeddings.set(known.text, texts.embedding(id));
      return store.editExample(
        name,
        intent,
        id,
        { intent: edit.intent, text: text === undefined ? undefined : withEmbeddings(embeddings)(text) },
        encoder.fingerprint,
      );
    });
  }

  async renameIntent(name: string, intent: string, to: string): Promise<WriteResult> {
    const { encoder, store, find, change } = this.options;
    find(name);
    const label = labelOf(to, null);
    const embeddings = await embedTexts(encoder, [label]);
    return change(name, embeddings, () =>
      store.renameIntent(name, intent, to, withEmbeddings(embeddings)(label), encoder.fingerprint),
    );
  }

  async addCounterexamples(name: string, examples: readonly string[]): Promise<WriteResult> {
    const { encoder, store, maxTextChars, find, change } = this.options;
    find(name);
    const checked = checkTexts('examples', examples, maxTextChars);
    const embeddings = await embedTexts(encoder, checked);
    return change(name, embeddings, () =>
      store.addCounterexamples(name, checked.map(withEmbeddings(embeddings)), encoder.fingerprint),
    );
  }

  removeCounterexample(name: string, id: number): Promise<WriteResult> {
    const { store, change } = this.options;
    return change(name, new Map(), () => store.removeCounterexample(name, id));
  }
}
