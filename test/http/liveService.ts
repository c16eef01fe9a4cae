import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from '@jest/globals';
import { openService } from '../../src/classify/live.js';
import type { ClassifyService } from '../../src/classify/service.js';
import { Lifecycle } from '../../src/http/lifecycle.js';
import { openSqliteStore } from '../../src/store/sqlite.js';
import { bundledCalibration } from '../classify/bundledCalibration.js';
import { WordEncoder } from '../classify/wordEncoder.js';
import { harness, LIMITS, type Harness } from './harness.js';

/**
 * The real service and store behind the API, without a bot when a test begins. One for all tests of a file: what heads and
 * their worker threads have compiled stays. To be made at the top of a file, before its own hooks.
 */
export class LiveService {
  service!: ClassifyService;
  encoder!: WordEncoder;
  h!: Harness;
  #folder = '';
  readonly #warnings: string[] = [];

  constructor() {
    beforeAll(async () => {
      this.#folder = await mkdtemp(join(tmpdir(), 'kshot-live-'));
      await this.start();
    });
    beforeEach(() => {
      this.encoder.seen.length = 0;
    });
    afterEach(async () => {
      for (const { name } of await this.service.listBots()) await this.service.deleteBot(name);
      expect(this.#warnings.splice(0)).toEqual([]);
    });
    afterAll(async () => {
      await this.service.close();
      await rm(this.#folder, { recursive: true });
      expect(this.#warnings).toEqual([]);
    });
  }

  /** Opens them; to be called by whoever has closed the service. */
  async start(): Promise<void> {
    this.encoder = new WordEncoder();
    this.service = await openService({
      encoder: this.encoder,
      store: await openSqliteStore(join(this.#folder, 'kshot.db')),
      maxTextChars: LIMITS.maxTextChars,
      calibration: bundledCalibration,
      warn: (message, error) => this.#warnings.push(`${message}: ${String(error)}`),
    });
    this.h = harness({ lifecycle: Lifecycle.of(this.service) });
  }

  /** Waits until heads have adapted to what was written: answers differ by it. */
  async settled(): Promise<void> {
    while (this.service.stats().adaptations > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  /** The body of an answer. @throws Error where it is not a success. */
  async send<T>(...[method, path, options]: Parameters<Harness['send']>): Promise<T> {
    const answer = await this.h.send(method, path, options);
    if (answer.status >= 300) throw new Error(`${answer.status}: ${answer.text}`);
    return answer.body as T;
  }
}
