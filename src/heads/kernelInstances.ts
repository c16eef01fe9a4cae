type Values = Readonly<Record<string, unknown>>;
type Imports = Readonly<Record<string, Values>>;
type Constructor = new (module: object, imports?: Imports) => { readonly exports: Values };

let isKeeping = false;

/**
 * From here on a kernel of jax-js is one WebAssembly instance in this thread, and not a new one for each call, as its WebAssembly
 * backend makes them (0.1.25; its own workers keep theirs). Instances outlive the collection of young garbage: they were a third of
 * what a server's major collections found, which hold up its answers, and a twelfth of the time that the tests of trained heads took.
 *
 * From call to call a kernel keeps nothing but what is in the memory that it is given, so its instance serves again where module and
 * memory are the same. Only what imports a memory and nothing else, and exports a kernel and nothing else, is taken for one.
 */
export function keepKernelInstances(): void {
  if (isKeeping) return;
  isKeeping = true;
  // The DOM's type library, which declares this, is not for a server.
  const api = (globalThis as unknown as { WebAssembly: { Instance: Constructor } }).WebAssembly;
  const kept = new WeakMap<object, WeakMap<object, object>>();
  api.Instance = new Proxy(api.Instance, {
    construct(Instance, [module, imports]: [object, Imports?]) {
      const memory = onlyMemory(imports);
      const known = memory && kept.get(module)?.get(memory);
      if (known !== undefined) return known;
      const instance = new Instance(module, imports);
      if (memory === undefined || Object.keys(instance.exports).join() !== 'kernel') return instance;
      const ofModule = kept.get(module) ?? new WeakMap<object, object>();
      kept.set(module, ofModule.set(memory, instance));
      return instance;
    },
  });
}

function onlyMemory(imports: Imports = {}): object | undefined {
  const { env = {}, ...otherModules } = imports;
  const { memory, ...others } = env;
  const isAll = Object.keys(otherModules).length === 0 && Object.keys(others).length === 0;
  return isAll && typeof memory === 'object' && memory !== null ? memory : undefined;
}
