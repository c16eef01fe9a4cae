import { describe, expect, test } from '@jest/globals';
import { planDevices } from '../../src/encoder/device.js';

describe('planDevices', () => {
  test('a device that is named is the only one tried', () => {
    const neverAsked = (): never => {
      throw new Error('asked');
    };
    expect(planDevices('cuda', neverAsked)).toEqual({ attempts: ['cuda'] });
    expect(planDevices('cpu', neverAsked)).toEqual({ attempts: ['cpu'] });
  });

  test('auto tries CUDA first where it is likely to work', () => {
    expect(planDevices('auto', () => 'likely')).toEqual({ attempts: ['cuda', 'cpu'] });
  });

  test('auto says what to install where a GPU lies idle', () => {
    const plan = planDevices('auto', () => 'not_installed');
    expect(plan.attempts).toEqual(['cpu']);
    expect(plan.fallback?.expected).toBe(false);
    expect(plan.fallback?.reason).toContain('ONNXRUNTIME_NODE_INSTALL=cuda12');
  });

  test('auto takes a machine without a GPU as it is', () => {
    const plan = planDevices('auto', () => 'no_gpu');
    expect(plan).toEqual({
      attempts: ['cpu'],
      fallback: { reason: 'there is no NVIDIA GPU', expected: true },
    });
  });
});
