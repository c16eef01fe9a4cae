import { describe, expect, test } from '@jest/globals';
import { KshotError } from '../../src/errors.js';
import { asStoreFailure, isConflict } from '../../src/store/postgresErrors.js';

const WHERE = 'postgres://db/kshot';
const failure = (code: string, message = 'it failed') => Object.assign(new Error(message), { code });

describe('what goes wrong with PostgreSQL', () => {
  test.each([
    ['ECONNREFUSED', /check that it runs/],
    ['ENOTFOUND', /no address/],
    ['ECONNRESET', /may have been kept or not/],
    ['57P01', /may have been kept or not/],
    ['08006', /may have been kept or not/],
    ['28P01', /password/],
    ['3D000', /create it/],
    ['42501', /own the database/],
    ['25006', /standby/],
    ['53100', /disk is full/],
    ['53300', /--store-connections/],
    ['55P03', /try again/],
    ['57014', /try again/],
    ['40P01', /try again/],
    ['XX001', /damaged/],
  ])('%s says what to do', (code, remedy) => {
    expect(asStoreFailure(failure(code), WHERE)).toMatchObject({
      code: 'store_unavailable',
      message: expect.stringMatching(remedy),
      cause: { code },
    });
    const { message } = asStoreFailure(failure(code), WHERE) as KshotError;
    expect(message).toContain(`Store ${WHERE}: `);
    expect(message).toContain(`${code}: it failed`);
  });

  test.each([
    'Connection terminated unexpectedly',
    'timeout exceeded when trying to connect',
    'Query read timeout',
  ])('the driver\'s "%s" is a lost connection', (message) => {
    expect(asStoreFailure(new Error(message), WHERE)).toMatchObject({ code: 'store_unavailable' });
  });

  test('of several addresses that were tried the first is told', () => {
    const error = new AggregateError([failure('ECONNREFUSED', 'connect ECONNREFUSED ::1:5432')]);
    expect(asStoreFailure(error, WHERE)).toMatchObject({
      message: expect.stringMatching(/ECONNREFUSED ::1/),
    });
  });

  test('a fault of ours stays what it is', () => {
    for (const error of [failure('23505'), failure('42601'), new TypeError('x'), 'a word', undefined]) {
      expect(asStoreFailure(error, WHERE)).toBe(error);
    }
    const refusal = new KshotError('unknown_bot', 'There is none');
    expect(asStoreFailure(refusal, WHERE)).toBe(refusal);
  });

  test("transactions that got into each other's way are told apart", () => {
    expect(isConflict(failure('40P01'))).toBe(true);
    expect(isConflict(failure('40001'))).toBe(true);
    expect(isConflict(failure('23505'))).toBe(false);
  });
});
