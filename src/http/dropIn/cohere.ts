import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { ClassifyResult } from '../../classify/service.js';
import { noteClassified } from '../noteClassified.js';
import { ok, operation, type Operation } from '../operation.js';
import { type ErrorShape, invalidField } from '../problem.js';
import { boundedArray, probability, type RequestLimits, textSchema } from '../schemas.js';

/** Bounds that Cohere publishes: inputs and examples of a request, and examples of a label. */
const MOST_INPUTS = 96;
const MOST_EXAMPLES = 2500;
const FEWEST_OF_A_LABEL = 2;

/** A class state of more would be put together anew with every text; few have as many. */
const MOST_LABELS = 512;
const LONGEST_LABEL = 128;

const classification = z.strictObject({
  id: z.string(),
  input: z.string(),
  prediction: z.string(),
  predictions: z.array(z.string()),
  confidence: probability,
  confidences: z.array(probability),
  labels: z.record(z.string(), z.strictObject({ confidence: probability })),
  classification_type: z.literal('single-label'),
});

const classifyResult = z.strictObject({
  id: z.string(),
  classifications: z.array(classification).describe('One an input, in order'),
  meta: z.strictObject({ api_version: z.strictObject({ version: z.literal('1') }) }),
});

const cohereError = z.strictObject({ message: z.string() });

const errors: ErrorShape = {
  schema: cohereError,
  body: ({ detail }) => ({ message: detail }) satisfies z.infer<typeof cohereError>,
};

/** The table's row for clients of Cohere's classify: examples and texts in one request, nothing stored. */
export function cohereOperation(limits: RequestLimits, logTexts: boolean): Operation {
  const text = textSchema(limits.maxTextChars);
  const mostExamples = Math.min(MOST_EXAMPLES, limits.maxExamplesPerWrite);
  const body = z
    .looseObject({
      inputs: boundedArray(text, 1, Math.min(MOST_INPUTS, limits.maxTexts)),
      examples: boundedArray(
        z.looseObject({ text, label: textSchema(LONGEST_LABEL) }),
        FEWEST_OF_A_LABEL,
        mostExamples,
      ).describe('Two a label at the least'),
      truncate: z
        .enum(['NONE', 'START', 'END'])
        .default('END')
        .describe('Of an input that is too long; START is refused then, as NONE is'),
      model: z.unknown().optional().meta({ description: 'Taken, and not used' }),
      preset: z.unknown().optional().meta({ description: 'Taken, and not used' }),
    })
    .superRefine(({ examples }, context) => {
      const counts = new Map<string, number>();
      for (const { label } of examples) counts.set(label, (counts.get(label) ?? 0) + 1);
      const lonely = [...counts].flatMap(([label, count]) => (count < FEWEST_OF_A_LABEL ? label : []));
      const message =
        lonely.length > 0
          ? `must hold at least ${FEWEST_OF_A_LABEL} examples of each label; there is one of ${shortList(lonely)}`
          : counts.size > MOST_LABELS
            ? `must hold at most ${MOST_LABELS} labels, not ${counts.size}`
            : undefined;
      if (message !== undefined) context.addIssue({ code: 'custom', path: ['examples'], message });
    })
    .meta({
      examples: [
        {
          inputs: ['where is my parcel'],
          examples: [
            { text: 'when does my order arrive', label: 'shipping' },
            { text: 'track my package', label: 'shipping' },
            { text: 'i want my money back', label: 'refund' },
            { text: 'how do i return this', label: 'refund' },
          ],
        },
      ],
    });
  return operation({
    id: 'cohereClassify',
    method: 'post',
    path: '/v1/classify',
    tag: 'drop-in',
    summary: 'Classify texts against examples that come with them, for clients of Cohere',
    description:
      'A bot for one request: nothing is stored, and its head does not adapt. Every input gets one of the labels: there is no ' +
      'out of scope here. Errors are in the shape of Cohere.',
    access: 'read',
    bots: 'none',
    errors,
    ownSchemas: {
      request: { CohereClassifyRequest: body },
      response: { CohereClassifyResult: classifyResult, CohereError: cohereError },
    },
    needsService: true,
    encodes: true,
    body,
    success: { 200: { description: 'What the texts mean', schemas: [classifyResult] } },
    problems: [],
    async run({ body: { inputs, examples, truncate }, service, signal, note }) {
      const byLabel = new Map<string, string[]>();
      for (const example of examples) {
        const known = byLabel.get(example.label);
        if (known === undefined) byLabel.set(example.label, [example.text]);
        else known.push(example.text);
      }
      const intents = [...byLabel].map(([name, texts]) => ({ name, examples: texts }));
      const results = await service.classifyAgainst(intents, inputs, { top: intents.length, signal });
      const cut = results.findIndex(({ truncated }) => truncated);
      if (truncate !== 'END' && cut >= 0) {
        throw invalidField(`inputs.${cut}`, 'is too long; shorten it, or send "truncate": "END"');
      }
      noteClassified(note, results, logTexts);
      return ok({
        id: randomUUID(),
        classifications: results.map(classified),
        meta: { api_version: { version: '1' } },
      } satisfies z.infer<typeof classifyResult>);
    },
  });
}

function classified({ text, ranking }: ClassifyResult): z.infer<typeof classification> {
  const { intent, confidence } = ranking[0]!;
  return {
    id: randomUUID(),
    input: text,
    prediction: intent,
    predictions: [intent],
    confidence,
    confidences: [confidence],
    labels: Object.fromEntries(ranking.map((one) => [one.intent, { confidence: one.confidence }])),
    classification_type: 'single-label',
  };
}

/** The first few of them, quoted. */
function shortList(labels: readonly string[]): string {
  const shown = labels.slice(0, 5).map((label) => `"${label}"`);
  return shown.join(', ') + (labels.length > shown.length ? ` and ${labels.length - shown.length} more` : '');
}
