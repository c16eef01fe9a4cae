import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import { numpy as np } from '@jax-js/jax';
import { initHeads } from '../../src/heads/runtime.js';

interface Api {
  Instance: new (module: object, imports?: object) => { readonly exports: Record<string, unknown> };
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Memory: new (limits: { initial: number }) => object;
}
const api = (globalThis as unknown as { WebAssembly: Api }).WebAssembly;

let made = 0;

beforeAll(async () => {
  api.Instance = new Proxy(api.Instance, {
    construct(Instance, args: [object, object?]) {
      made++;
      return new Instance(...args);
    },
  });
  await initHeads();
  await initHeads(); // twice is harmless
});
beforeEach(() => {
  made = 0;
});

function sums(...values: number[]): number[] {
  const array = np.array(values);
  return [...(array.ref.add(array.sum()).dataSync() as Float32Array)];
}

test('a kernel that is called again is no new instance, and computes from its own operands', () => {
  expect(sums(1, 2, 3)).toEqual([7, 8, 9]);
  expect(made).toBeGreaterThan(0);
  made = 0;
  expect(sums(1, 2, 3)).toEqual([7, 8, 9]);
  expect(sums(10, 20, 30)).toEqual([70, 80, 90]);
  expect(made).toBe(0);
  expect(sums(1, 2, 3, 4)).toEqual([11, 12, 13, 14]); // another shape, another kernel
  expect(made).toBeGreaterThan(0);
});

/** A module that imports a memory and exports a function that does nothing. */
function moduleThatExports(name: string): object {
  const text = (value: string) => [value.length, ...Buffer.from(value)];
  const section = (id: number, ...content: number[]) => [id, content.length, ...content];
  return new api.Module(
    Uint8Array.from([
      ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      ...section(1, 1, 0x60, 0, 0), // one type: nothing to nothing
      ...section(2, 1, ...text('env'), ...text('memory'), 2, 0, 1),
      ...section(3, 1, 0),
      ...section(7, 1, ...text(name), 0, 0),
      ...section(10, 1, 2, 0, 0x0b),
    ]),
  );
}

test('what is of another memory, or no kernel, is an instance of its own', () => {
  const memory = new api.Memory({ initial: 1 });
  const instancesOf = (module: object, ...memories: object[]) =>
    new Set(memories.map((each) => new api.Instance(module, { env: { memory: each } }))).size;
  const kernel = moduleThatExports('kernel');
  expect(instancesOf(kernel, memory, memory)).toBe(1);
  expect(instancesOf(kernel, memory, new api.Memory({ initial: 1 }))).toBe(2);
  expect(instancesOf(moduleThatExports('kernel'), memory, memory)).toBe(1);
  expect(instancesOf(moduleThatExports('other'), memory, memory)).toBe(2);
  const empty = new api.Module(Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
  const instance = new api.Instance(empty);
  expect(instance).toBeInstanceOf(api.Instance);
  expect(new api.Instance(empty)).not.toBe(instance);
  expect(() => new api.Instance(kernel)).toThrow(TypeError);
});
