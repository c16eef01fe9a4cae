import { Float16Array, getFloat16 } from '@petamoriken/float16';

// IEEE half precision as its bits. Node.js has a Float16Array of its own from version 24 on.

/** The value of each of the 65,536 halves, made when the first is asked for: a look-up takes 4 ns, the conversion 30. */
let values: Float32Array | undefined;

function valueOfBits(): Float32Array {
  const bits = new DataView(Uint16Array.from({ length: 1 << 16 }, (_, half) => half).buffer);
  return Float32Array.from({ length: 1 << 16 }, (_, half) => getFloat16(bits, 2 * half, true));
}

/** Rounded to the nearest half, of two equally near ones the even; beyond 65,504 infinite. */
export function toFloat16(numbers: Float32Array): Uint16Array {
  return new Uint16Array(new Float16Array(numbers).buffer);
}

export function fromFloat16(halves: Uint16Array): Float32Array {
  values ??= valueOfBits();
  const numbers = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) numbers[i] = values[halves[i]!]!;
  return numbers;
}
