import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** The version in the package.json one folder above the calling file, which is given by its `import.meta.url`. */
export function readPackageVersion(moduleUrl: string): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', moduleUrl), 'utf8'));
  return z.object({ version: z.string() }).parse(manifest).version;
}
