import {
  ATTRIBUTES,
  type AttributeProto,
  type Element,
  ELEMENTS,
  type ModelProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from './schema.js';

/** The opset of ONNX's operators, and the version of the format, that the shipped encoder has: old runtimes read them. */
const OPSET = 17;
const IR_VERSION = 8;
/** onnxruntime's own operators: whole parts of a transformer as one. */
const MICROSOFT = 'com.microsoft';

/** A size, or the name of one that whoever runs the graph chooses. */
export type Dimension = number | string;

export type Attribute =
  { readonly int: number } | { readonly float: number } | { readonly ints: readonly number[] };
type Attributes = Readonly<Record<string, Attribute>>;
/** Names of what a node gives. */
type Outputs = string | readonly [string, ...string[]];

/** Numbers of a constant, in an array of its element; float16 as its bits. */
type Values = Float32Array | Uint8Array | Int8Array | Uint16Array | BigInt64Array;

/** Writes an ONNX graph node by node. Values are known by their names, which the methods return. */
export class GraphBuilder {
  readonly #nodes: NodeProto[] = [];
  readonly #constants = new Map<string, TensorProto>();
  readonly #inputs: ValueInfoProto[] = [];
  readonly #outputs: ValueInfoProto[] = [];

  input(name: string, element: Element, shape: readonly Dimension[]): string {
    this.#inputs.push(valueInfo(name, element, shape));
    return name;
  }

  /** Makes a value that a node gives one of the graph's outputs. */
  output(name: string, element: Element, shape: readonly Dimension[]): void {
    this.#outputs.push(valueInfo(name, element, shape));
  }

  /** A tensor of the file. Of one name there is one: the first. */
  constant(name: string, element: Element, dims: readonly number[], values: Values): string {
    if (!this.#constants.has(name)) {
      const rawData = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      this.#constants.set(name, { name, dataType: ELEMENTS[element], dims, rawData });
    }
    return name;
  }

  /** One of ONNX's operators. @returns the name of its first output. */
  node(operator: string, inputs: readonly string[], outputs: Outputs, attributes: Attributes = {}): string {
    return this.#add('', operator, inputs, outputs, attributes);
  }

  /** One of onnxruntime's own, as `node`. */
  fused(operator: string, inputs: readonly string[], outputs: Outputs, attributes: Attributes = {}): string {
    return this.#add(MICROSOFT, operator, inputs, outputs, attributes);
  }

  /** A value as other numbers. */
  cast(value: string, element: Element, output: string): string {
    return this.node('Cast', [value], output, { to: { int: ELEMENTS[element] } });
  }

  model(name: string): ModelProto {
    return {
      irVersion: IR_VERSION,
      producerName: 'kshot',
      opsetImport: [
        { domain: '', version: OPSET },
        { domain: MICROSOFT, version: 1 },
      ],
      graph: {
        name,
        node: this.#nodes,
        initializer: [...this.#constants.values()],
        input: this.#inputs,
        output: this.#outputs,
      },
    };
  }

  #add(
    domain: string,
    opType: string,
    input: readonly string[],
    outputs: Outputs,
    attributes: Attributes,
  ): string {
    const output = typeof outputs === 'string' ? ([outputs] as const) : outputs;
    const attribute = Object.entries(attributes).map(([name, value]) => attributeOf(name, value));
    this.#nodes.push({ name: output[0], opType, domain, input, output, attribute });
    return output[0];
  }
}

function attributeOf(name: string, value: Attribute): AttributeProto {
  if ('int' in value) return { name, type: ATTRIBUTES.int, i: value.int };
  if ('float' in value) return { name, type: ATTRIBUTES.float, f: value.float };
  return { name, type: ATTRIBUTES.ints, ints: value.ints };
}

function valueInfo(name: string, element: Element, shape: readonly Dimension[]): ValueInfoProto {
  const dim = shape.map((size) => (typeof size === 'number' ? { dimValue: size } : { dimParam: size }));
  return { name, type: { tensorType: { elemType: ELEMENTS[element], shape: { dim } } } };
}
