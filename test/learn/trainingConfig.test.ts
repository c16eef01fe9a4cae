import { expect, test } from '@jest/globals';
import { readTrainingConfig, trainingShape, validationShape } from '../../src/learn/trainingConfig.js';

const SMALLEST = { head: 'projected', data: [{ set: 'clinc150' }] };

test('what is left out has defaults, and a full configuration reads as itself', () => {
  const config = readTrainingConfig(SMALLEST, 'test');
  expect(config).toMatchObject({
    names: true,
    seed: 1,
    validation: { classes: 0.2 },
    exclude: [],
    options: { width: 0 },
  });
  expect(config.episode).toEqual({ ways: 5, shots: 5, queries: 5, leftOut: 0, confusable: 0 });
  expect(readTrainingConfig(JSON.parse(JSON.stringify(config)), 'test')).toEqual(config);
});

test('an episode of the validation is like one of the training, but for what is said', () => {
  const config = readTrainingConfig(
    {
      ...SMALLEST,
      episode: { ways: { min: 5, max: 40 }, shots: 3 },
      validationEpisode: { ways: 20 },
    },
    'test',
  );
  expect(trainingShape(config)).toMatchObject({ ways: { min: 5, max: 40 }, shots: 3, queries: 5 });
  expect(validationShape(config)).toMatchObject({ ways: 20, shots: 3, queries: 5 });
});

test('layers that learn have defaults of their own; by default none do', () => {
  expect(readTrainingConfig(SMALLEST, 'test').unfreeze).toBeUndefined();
  expect(readTrainingConfig({ ...SMALLEST, unfreeze: { layers: 2 } }, 'test').unfreeze).toEqual({
    layers: 2,
    rate: 5e-5,
    maxTokens: 128,
    interpolation: [0, 0.2, 0.4, 0.6, 0.8, 1],
  });
});

test.each([
  ['a head that there is not', { head: 'nonsense' }, 'head: '],
  ['a field that there is not', { learningRate: 1 }, 'learningRate'],
  ['no data', { data: [] }, 'data: '],
  ['a share that is none', { validation: { classes: 1.5 } }, 'validation.classes: '],
  ['a number of ways that is none', { episode: { ways: 'five' } }, 'episode.ways: must be a whole number'],
  ['a negative rate', { rate: -1 }, 'rate: '],
  ['an option that the head has not', { options: { slices: 3 } }, 'has no option "slices"'],
  [
    'a set with an encoder of its own, while the encoder learns',
    { data: [{ set: 'clinc150', encoder: 'other' }], unfreeze: { layers: 1 } },
    'data: an encoder that learns embeds all sets',
  ],
  [
    'such a set of the validation',
    { validation: [{ set: 'hwu64', encoder: 'other' }], unfreeze: { layers: 1 } },
    'an encoder that learns embeds all sets',
  ],
  ['no layer', { unfreeze: { layers: 0 } }, 'unfreeze.layers: '],
  [
    'a share beyond what was learned',
    { unfreeze: { layers: 1, interpolation: [1.2] } },
    'unfreeze.interpolation.0: ',
  ],
  ['no share', { unfreeze: { layers: 1, interpolation: [] } }, 'unfreeze.interpolation: '],
  [
    'entities for some sets only',
    { data: [{ set: 'fewrel', entities: true }, { set: 'clinc150' }] },
    'entities must be on for all sets',
  ],
])('%s is refused, by the name of the field', (_, wrong, message) => {
  expect(() => readTrainingConfig({ ...SMALLEST, ...wrong }, 'my.json')).toThrow(
    expect.objectContaining({ code: 'invalid_configuration', message: expect.stringContaining(message) }),
  );
});
