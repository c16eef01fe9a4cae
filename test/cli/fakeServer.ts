import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type {
  HeadChangeSummary,
  HeadSummary,
  ImportResult,
  IntentDefinition,
} from '../../src/classify/service.js';
import type { BotDocument } from '../../src/formats/document.js';
import { readBot } from '../../src/formats/formats.js';

interface Bot {
  readonly intents: Map<string, { description: string | null; examples: string[] }>;
  counterexamples: string[];
  unlabelled: { id: number; text: string; source: 'given' | 'seen' }[];
  revision: number;
}

export interface Recorded {
  readonly method: string;
  /** Still encoded. */
  readonly path: string;
  readonly body: unknown;
  readonly headers: IncomingMessage['headers'];
}

type Reply = (response: ServerResponse) => void;

/** The API over HTTP, kept in memory: classifies a text to the intent whose name it holds. */
export class FakeServer {
  readonly requests: Recorded[] = [];
  readonly bots = new Map<string, Bot>();
  /** Answers given instead of the usual ones, first come first served. */
  readonly replies: Reply[] = [];
  apiKey: string | undefined;
  ready = true;
  closed = false;
  /** How often it was asked to reload its heads, by signal or request. */
  reloads = 0;
  readonly heads: HeadSummary[] = [];
  readonly headChanges: HeadChangeSummary[] = [];
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(): Promise<FakeServer> {
    const fake = new FakeServer();
    await new Promise<void>((resolve) => fake.#server.listen(0, '127.0.0.1', resolve));
    return fake;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  reload(): Promise<void> {
    this.reloads++;
    return Promise.resolve();
  }

  async close(): Promise<void> {
    this.closed = true;
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Makes a bot whose intents have these examples. */
  addBot(name: string, intents: Record<string, string[]>): void {
    const entries = Object.entries(intents).map(
      ([intent, examples]) => [intent, { description: null, examples }] as const,
    );
    this.bots.set(name, { intents: new Map(entries), counterexamples: [], unlabelled: [], revision: 1 });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const part of request) text += String(part);
    if (request.url === '/readyz') {
      response.writeHead(this.ready ? 200 : 503).end();
      return;
    }
    const isJson = request.headers['content-type'] === 'application/json';
    const body: unknown = text === '' ? undefined : isJson ? JSON.parse(text) : text;
    const path = request.url ?? '';
    this.requests.push({ method: request.method ?? '', path, body, headers: request.headers });
    const reply = this.replies.shift();
    if (reply !== undefined) reply(response);
    else if (this.apiKey !== undefined && request.headers.authorization !== `Bearer ${this.apiKey}`) {
      problem(401, 'unauthorized', 'Send an API key')(response);
    } else this.#route(request.method ?? '', path, body, response);
  }

  #route(method: string, path: string, body: unknown, response: ServerResponse): void {
    const json = (value: unknown) =>
      response.setHeader('content-type', 'application/json').end(JSON.stringify(value));
    if (path === '/v1/heads') {
      json({ heads: this.heads });
      return;
    }
    if (path === '/v1/heads/reload' && method === 'POST') {
      this.reloads++;
      json({ changes: this.headChanges, bots_renewed: 2, heads: this.heads });
      return;
    }
    const [name, part, intent, leaf] = (path.split('?')[0] ?? '').split('/').slice(3).map(decodeURIComponent);
    if (name === undefined) {
      json({ bots: [...this.bots].map(([name, bot]) => summary(name, bot)) });
      return;
    }
    const makesBot = (method === 'PUT' && part === 'intents') || part === 'import';
    if (makesBot && !this.bots.has(name)) this.addBot(name, {});
    const bot = this.bots.get(name);
    if (bot === undefined) {
      problem(404, 'unknown_bot', `There is no bot "${name}"`)(response);
      return;
    }
    if (method !== 'GET' && part !== 'classify') bot.revision++;
    const written = (added: readonly string[], removed: readonly string[]) =>
      json({ bot: name, revision: bot.revision, added: rows(added), removed: rows(removed) });

    switch (`${method} ${part ?? ''}`) {
      case 'DELETE ':
        this.bots.delete(name);
        json({ bot: name, deleted: true });
        return;
      case 'POST classify': {
        const { texts, top } = body as { texts: string[]; top: number };
        json({ results: texts.map((text) => classified(bot, text, top)) });
        return;
      }
      case 'GET intents':
        json({
          intents: [...bot.intents].map(([name, { description, examples }]) => ({
            name,
            description,
            examples: rows(examples),
          })),
        });
        return;
      case 'PUT intents': {
        const { intents } = body as { intents: IntentDefinition[] };
        const removed = intents.flatMap(({ name }) => bot.intents.get(name)?.examples ?? []);
        for (const { name, description, examples } of intents) {
          bot.intents.set(name, { description: description ?? null, examples: [...examples] });
        }
        const added = intents.flatMap(({ examples }) => examples);
        written(
          added.filter((text) => !removed.includes(text)),
          removed.filter((text) => !added.includes(text)),
        );
        return;
      }
      case 'POST import':
        readBot(Buffer.from(body as string)).then(
          ({ document }) => json(imported(name, bot, document, new URLSearchParams(path.split('?')[1]))),
          (error: Error) => problem(400, 'invalid_file', error.message)(response),
        );
        return;
      case 'POST intents': {
        const { examples } = body as { examples: string[] };
        if (leaf === 'examples') bot.intents.get(intent ?? '')?.examples.push(...examples);
        written(examples, []);
        return;
      }
      case 'DELETE intents': {
        const removed = bot.intents.get(intent ?? '')?.examples ?? [];
        bot.intents.delete(intent ?? '');
        written([], removed);
        return;
      }
      case 'GET counterexamples':
        json({ examples: rows(bot.counterexamples) });
        return;
      case 'POST unlabelled': {
        if (leaf === 'label') {
          const { text } = bot.unlabelled.splice(Number(intent) - 1, 1)[0]!;
          written([text], []);
          return;
        }
        const { texts } = body as { texts: string[] };
        const added = texts.filter((text) => !bot.unlabelled.some((one) => one.text === text));
        for (const text of added)
          bot.unlabelled.push({ id: bot.unlabelled.length + 1, text, source: 'given' });
        const known = texts.length - added.length;
        json({ bot: name, added: added.length, known, dropped: 0, total: bot.unlabelled.length });
        return;
      }
      case 'GET unlabelled': {
        const query = new URLSearchParams(path.split('?')[1]);
        const rest = bot.unlabelled.filter(({ id }) => id > Number(query.get('after') ?? 0));
        const texts = rest.slice(0, Number(query.get('limit')));
        const next = rest.length > texts.length ? texts.at(-1)!.id : null;
        json({ texts, total: bot.unlabelled.length, next });
        return;
      }
      case 'DELETE unlabelled':
        json({ bot: name, removed: bot.unlabelled.splice(0).length });
        return;
      case 'GET suggestions': {
        const query = new URLSearchParams(path.split('?')[1]);
        const chosen = bot.unlabelled.slice(0, Number(query.get('limit')));
        const suggestions = chosen.map((one) => ({
          ...(classified(bot, one.text, 3) as object),
          ...one,
          score: 0.25,
        }));
        json({ strategy: query.get('strategy'), considered: bot.unlabelled.length, suggestions });
        return;
      }
      case 'PUT counterexamples': {
        const removed = bot.counterexamples;
        bot.counterexamples = (body as { examples: string[] }).examples;
        written(bot.counterexamples, removed);
        return;
      }
      default:
        problem(404, 'not_found', `There is nothing at ${path}`)(response);
    }
  }
}

/** A problem+json answer. */
export function problem(
  status: number,
  code: string,
  detail: string,
  errors?: { field: string; message: string }[],
  headers: Record<string, string> = {},
): Reply {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/problem+json', ...headers });
    response.end(JSON.stringify({ type: `/docs#${code}`, title: code, status, detail, code, errors }));
  };
}

function imported(name: string, bot: Bot, document: BotDocument, query: URLSearchParams): ImportResult {
  const dryRun = query.get('dry_run') === 'true';
  const prune = query.get('prune') === 'true';
  const changes = document.intents.map(({ name, examples }) => {
    const before = bot.intents.get(name)?.examples ?? [];
    const added = examples.filter((text) => !before.includes(text));
    const removed = before.filter((text) => !examples.includes(text));
    const change = !bot.intents.has(name)
      ? 'added'
      : added.length + removed.length > 0
        ? 'changed'
        : 'unchanged';
    const kept = examples.length - added.length;
    return { name, change, description: 'unchanged', added, removed, kept } as const;
  });
  const others = [...bot.intents].filter(
    ([name]) => !document.intents.some((intent) => intent.name === name),
  );
  const rest = others.map(([name, { examples }]) => {
    const texts = prune
      ? { added: [], removed: examples, kept: 0 }
      : { added: [], removed: [], kept: examples.length };
    return { name, change: prune ? 'removed' : 'unchanged', description: 'unchanged', ...texts } as const;
  });
  const intents = [...changes, ...rest];
  const kind = (wanted: string) => intents.filter(({ change }) => change === wanted).length;
  const sum = (part: 'added' | 'removed') => intents.flatMap((intent) => intent[part]).length;
  const counterexamples = { added: [...document.counterexamples], removed: bot.counterexamples, kept: 0 };
  if (!dryRun) {
    for (const { name, description = null, examples } of document.intents) {
      bot.intents.set(name, { description, examples: [...examples] });
    }
    if (prune) for (const [name] of others) bot.intents.delete(name);
    if (prune || document.counterexamples.length > 0) bot.counterexamples = [...document.counterexamples];
  }
  return {
    bot: name,
    dry_run: dryRun,
    revision: bot.revision,
    totals: {
      intents: {
        added: kind('added'),
        changed: kind('changed'),
        removed: kind('removed'),
        unchanged: kind('unchanged'),
      },
      examples: { added: sum('added'), removed: sum('removed'), kept: 0 },
      counterexamples: {
        added: counterexamples.added.length,
        removed: counterexamples.removed.length,
        kept: 0,
      },
    },
    intents,
    counterexamples: { change: counterexamples.added.length > 0 ? 'added' : 'unchanged', ...counterexamples },
  };
}

function classified(bot: Bot, text: string, top: number): unknown {
  const names = [...bot.intents.keys()];
  const intent = names.find((name) => text.includes(name)) ?? null;
  const ordered = [...(intent === null ? [] : [intent]), ...names.filter((name) => name !== intent)];
  return {
    text,
    intent,
    confidence: intent === null ? 0.4 : 0.9,
    out_of_scope: intent === null,
    in_scope: intent === null ? 0.05 : 0.98,
    ranking: ordered.slice(0, top).map((intent, i) => ({ intent, confidence: 0.9 / 10 ** i })),
    evidence: [],
    model: { encoder: 'fake', head: 'fake', revision: bot.revision },
  };
}

function summary(name: string, bot: Bot): unknown {
  const examples = [...bot.intents.values()].reduce((sum, intent) => sum + intent.examples.length, 0);
  const at = '2025-01-02T03:04:05.000Z';
  return {
    name,
    settings: {},
    head: { wanted: 'adapted', serving: 'adapted', reason: null },
    revision: bot.revision,
    intents: bot.intents.size,
    examples,
    counterexamples: bot.counterexamples.length,
    created_at: at,
    updated_at: at,
  };
}

function rows(texts: readonly string[]): { id: number; text: string }[] {
  return texts.map((text, id) => ({ id, text }));
}
