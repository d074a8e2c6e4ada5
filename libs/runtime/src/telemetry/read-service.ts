import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Name and version of the service that a main module belongs to, by the nearest `package.json` above it; the product's name without one. */
export function readService(mainPath: string | undefined): { readonly name: string; readonly version?: string } {
  for (let folder = dirname(mainPath ?? '/'); folder !== dirname(folder); folder = dirname(folder)) {
    try {
      const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<
        string,
        string
      >;
      if (name !== undefined) return { name: name.replace(/^@[^/]*\//, ''), ...(version !== undefined && { version }) };
    } catch {
      // Higher up, then.
    }
  }
  return { name: 'zai2api' };
}
