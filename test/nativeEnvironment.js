import vm from 'node:vm';
import { TestEnvironment } from 'jest-environment-node';

/**
 * Jest runs each test file in a V8 context of its own, whose typed arrays are not those that native addons
 * (onnxruntime-node, hnswlib-node) check for with instanceof. This environment lends the context the outer ones.
 *
 * Its context is also an ordinary one. In Jest's own every use of a global, be it `Math`, goes through an interceptor and
 * a proxy, which takes jax-js, whose compiler uses `BigInt` for every letter that it hashes, three times as long.
 */
export default class NativeEnvironment extends TestEnvironment {
  constructor(config, context) {
    const { createContext } = vm;
    vm.createContext = () => createContext(vm.constants.DONT_CONTEXTIFY);
    try {
      super(config, context);
    } finally {
      vm.createContext = createContext;
    }
    Object.assign(this.global, {
      Float32Array,
      Float64Array,
      Int32Array,
      Uint32Array,
      Uint16Array,
      Uint8Array,
      BigInt64Array,
      BigUint64Array,
      ArrayBuffer,
      SharedArrayBuffer,
    });
  }
}
