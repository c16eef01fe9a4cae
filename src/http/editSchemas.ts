import { z } from 'zod';
import type { ExampleEdit } from '../classify/service.js';
import { intentName } from './names.js';
import { boundedArray, textSchema, type RequestLimits } from './schemas.js';

/** Bodies of requests that change a part of what a bot has, by the names that the OpenAPI document gives them. */
export function editSchemas(limits: RequestLimits) {
  const text = textSchema(limits.maxTextChars);
  const editExample = z
    .strictObject({
      text: z.exactOptional(text.describe('What it is to read')),
      intent: z.exactOptional(intentName.describe('The intent that it is to belong to; it must exist')),
    })
    .superRefine((body, context) => {
      if (body.text !== undefined || body.intent !== undefined) return;
      context.addIssue({ code: 'custom', path: ['text'], message: 'is missing: give text, intent or both' });
    })
    .meta({
      anyOf: [{ required: ['text'] }, { required: ['intent'] }],
      examples: [{ intent: 'card_lost' }],
    }) satisfies z.ZodType<ExampleEdit>;

  return {
    EditExampleRequest: editExample,
    RenameIntentRequest: z
      .strictObject({ name: intentName.describe('What it is to be called') })
      .meta({ examples: [{ name: 'card_stolen' }] }),
    AddCounterexamplesRequest: z
      .strictObject({
        examples: boundedArray(text, 1, limits.maxExamplesPerIntent).describe(
          'Texts that are out of scope for this bot',
        ),
      })
      .meta({ examples: [{ examples: ['what is the weather like'] }] }),
  };
}
