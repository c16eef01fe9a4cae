import { z } from 'zod';
import { readJson } from './files.js';

/** A path within a folder that cannot lead out of it. */
const innerPath = z
  .string()
  .regex(/^[\w.-]+(\/[\w.-]+)*$/)
  .refine((path) => !path.split('/').includes('..'), 'leads out of its folder');

const manifestSchema = z.object({
  datasets: z.array(
    z.object({
      /** The folder that it goes to, and the name that commands take. */
      folder: innerPath,
      what: z.string(),
      /** As its source states it. */
      licence: z.string(),
      repository: z.url(),
      commit: z.string(),
      files: z.array(
        z.object({
          path: innerPath,
          url: z.url({ protocol: /^https?$/ }),
          bytes: z.int().nonnegative(),
          sha256: z.string().regex(/^[0-9a-f]{64}$/),
        }),
      ),
    }),
  ),
});

/** Where each set comes from: `data/datasets.json`. */
export type Manifest = z.infer<typeof manifestSchema>;
export type ManifestDataset = Manifest['datasets'][number];
export type ManifestFile = ManifestDataset['files'][number];

/** @throws KshotError `invalid_file`. */
export async function readManifest(file: string): Promise<Manifest> {
  return readJson(file, manifestSchema);
}
