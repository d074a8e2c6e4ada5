import type { z } from 'zod';
import { ConfigError } from './config-error.ts';

/** One schema of `setting` for each environment variable, by the variable's name. */
export type SettingsShape = Record<string, z.ZodType>;

/** What `parseSettings` gives for a shape. */
export type Settings<S extends SettingsShape> = { readonly [K in keyof S]: z.output<S[K]> };

/** Reads the variables of `shape` from `env` into a frozen object; throws one ConfigError that lists every fault. */
export function parseSettings<S extends SettingsShape>(shape: S, env: Record<string, string | undefined>): Settings<S> {
  const values: Record<string, unknown> = {};
  const faults: string[] = [];
  for (const [name, schema] of Object.entries(shape)) {
    const parsed = schema.safeParse(env[name]);
    if (parsed.success) values[name] = parsed.data;
    else faults.push(...parsed.error.issues.map((issue) => `${name}: ${issue.message}`));
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return Object.freeze(values) as Settings<S>;
}
