import { TestEnvironment } from 'jest-environment-node';

/**
 * Jest runs each test file in a V8 context of its own, whose typed arrays are not those that native addons
 * (onnxruntime-node, hnswlib-node) check for with instanceof. This environment lends the context the outer ones.
 */
export default class NativeEnvironment extends TestEnvironment {
  constructor(config, context) {
    super(config, context);
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
