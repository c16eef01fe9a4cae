import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** What a session runs on. */
export type Device = 'cpu' | 'cuda' | 'webgpu';

/** What stands between this machine and CUDA, as far as can be told without loading anything. */
export type CudaOutlook = 'likely' | 'not_installed' | 'no_gpu';

export interface DevicePlan {
  /** Devices to try, first choice first. */
  readonly attempts: readonly Device[];
  /** Why `auto` does not try a GPU; `expected` when nobody would miss one here. */
  readonly fallback?: { readonly reason: string; readonly expected: boolean };
}

export const CUDA_INSTALL =
  'install the CUDA provider with `ONNXRUNTIME_NODE_INSTALL=cuda12 node node_modules/onnxruntime-node/script/install` ' +
  '(Linux x64), and CUDA 12 and cuDNN 9';

/**
 * Which devices to try. Only `auto` ever tries a second one: who names a device gets it or an error.
 *
 * @param outlook called for `auto` only.
 */
export function planDevices(choice: Device | 'auto', outlook: () => CudaOutlook = cudaOutlook): DevicePlan {
  if (choice !== 'auto') return { attempts: [choice] };
  switch (outlook()) {
    case 'likely':
      return { attempts: ['cuda', 'cpu'] };
    case 'not_installed':
      return {
        attempts: ['cpu'],
        fallback: {
          reason: `there is an NVIDIA GPU, but onnxruntime lacks its CUDA provider: ${CUDA_INSTALL}`,
          expected: false,
        },
      };
    case 'no_gpu':
      return { attempts: ['cpu'], fallback: { reason: 'there is no NVIDIA GPU', expected: true } };
  }
}

/** What to do when `device` cannot be had. */
export function installAdvice(device: Device): string {
  switch (device) {
    case 'cuda':
      return `${CUDA_INSTALL}; or use device "cpu"`;
    case 'webgpu':
      return 'install a GPU driver with Vulkan (Linux), Metal (macOS) or Direct3D 12 (Windows); or use device "cpu"';
    case 'cpu':
      return 'reinstall with `npm ci`';
  }
}

/** Looks for an NVIDIA driver and for onnxruntime's CUDA provider. Takes well under a millisecond. */
function cudaOutlook(): CudaOutlook {
  // WSL has no /proc/driver/nvidia, only its own bridge and the driver's library beside it.
  const driver = ['/proc/driver/nvidia/version', '/dev/nvidiactl', '/usr/lib/wsl/lib/libcuda.so.1'];
  if (!driver.some((path) => existsSync(path))) return 'no_gpu';
  return hasCudaProvider() ? 'likely' : 'not_installed';
}

function hasCudaProvider(): boolean {
  const entry = createRequire(import.meta.url).resolve('onnxruntime-node');
  const binaries = join(dirname(entry), '..', 'bin');
  if (!existsSync(binaries)) return false;
  return readdirSync(binaries).some((napi) =>
    existsSync(join(binaries, napi, process.platform, process.arch, 'libonnxruntime_providers_cuda.so')),
  );
}
