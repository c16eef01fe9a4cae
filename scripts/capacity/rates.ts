import type { Cores } from '../bench/pin.js';
import { quantile } from '../bench/figures.js';
import { json, send, settled } from '../../test/e2e/api.js';
import { runArrivals } from '../stress/arrivals.js';
import { BOT, demoTexts, type Stage } from '../stress/stage.js';
import { highestRate } from './highestRate.js';

export interface RateOptions {
  /** p99 in ms that a rate must keep. */
  readonly bound: number;
  /** Of a step of the search. */
  readonly seconds: number;
  /** Of the requests, those whose text is in the cache; a row each. */
  readonly repeats: readonly number[];
}

export interface RateRow {
  readonly bot: string;
  readonly repeats: number;
  /** Requests a second that one core answers within the bound. */
  readonly perSecond: number;
}

const SECOND_BOT = 'made-up';
const ACTIONS = [
  'cancel',
  'change',
  'pay for',
  'find',
  'return',
  'insure',
  'renew',
  'share',
  'print',
  'track',
];
const THINGS = [
  ...['ticket', 'parcel', 'card', 'contract', 'booking', 'invoice', 'password', 'address'],
  ...['subscription', 'appointment', 'refund', 'account', 'car', 'loan', 'phone'],
];
const WAYS = [
  ...['how do i % it', 'i want to %', 'please % now', 'can you %', 'i need help to %'],
  ...[
    'is it possible to %',
    'where can i %',
    'tell me how to %',
    'i would like to % today',
    'what does it cost to %',
  ],
];
const CACHE = ['--embedding-cache-mb', '64'];
const STARTING_RATE = 100;
/** Of each step: what was compiled and cached before does not count. */
const SETTLING_MS = 1000;

/** The highest rate of requests of one text each that a server on one core keeps to the bound. */
export async function measureRates(
  stage: Stage,
  cores: Cores | undefined,
  { bound, seconds, repeats }: RateOptions,
  progress: (what: string) => void,
): Promise<RateRow[]> {
  const { url } = await stage.serve(await stage.folder(), CACHE, { core: cores?.server });
  const made = await fillSecondBot(url);
  const bots = [
    { bot: BOT, what: 'demo: 20 intents, 160 examples', texts: await demoTexts() },
    { bot: SECOND_BOT, what: `${made.length / WAYS.length} intents of ${WAYS.length} examples`, texts: made },
  ];
  const rows: RateRow[] = [];
  let firstNumber = 0;
  for (const { bot, what, texts } of bots) {
    const load = { url: `${url}/v1/bots/${bot}/classify`, texts, core: cores?.load };
    for (const share of repeats) {
      const keeps = async (perSecond: number) => {
        progress(`${what}; ${100 * share} % repeated; ${perSecond.toFixed(0)}/s`);
        const samples = await runArrivals({ ...load, perSecond, seconds, repeats: share, firstNumber });
        firstNumber += samples.length;
        const steady = samples.filter(({ at }) => at >= SETTLING_MS);
        const times = steady.map(({ ms }) => ms).sort((a, b) => a - b);
        return steady.every(({ status }) => status === 200) && quantile(times, 0.99) <= bound;
      };
      // A hiccup of the machine is not the end of a search.
      const isKept = async (perSecond: number) => (await keeps(perSecond)) || keeps(perSecond);
      rows.push({ bot: what, repeats: share, perSecond: await highestRate(isKept, STARTING_RATE) });
    }
  }
  return rows;
}

/** @returns its examples. */
async function fillSecondBot(url: string): Promise<string[]> {
  const examples: string[] = [];
  for (const action of ACTIONS) {
    for (const thing of THINGS) {
      const own = WAYS.map((way) => way.replace('%', `${action} my ${thing}`));
      const path = `/v1/bots/${SECOND_BOT}/intents/${encodeURIComponent(`${action} ${thing}`.replaceAll(' ', '_'))}`;
      json(await send(url, 'PUT', path, { body: { examples: own } }), 200, 201);
      examples.push(...own);
    }
  }
  await settled(url);
  return examples;
}
