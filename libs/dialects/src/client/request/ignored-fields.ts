import type { TurnWarning } from '@zai2api/turn';

/** The names end up in one response header, which has to stay small. */
const MAX_FIELDS = 32;
const MAX_NAME_LENGTH = 64;

/** Values that ask for nothing, by field name: many clients always send them. */
const defaults: ReadonlyMap<string, readonly unknown[]> = new Map<string, readonly unknown[]>([
  ['frequency_penalty', [0]],
  ['presence_penalty', [0]],
  ['detail', ['auto']],
  ['store', [false]],
  ['service_tier', ['auto', 'default']],
  ['verbosity', ['medium']],
  ['include_obfuscation', [false]],
]);

/** Collects the names of fields without effect, each once, up to a bound. */
export interface IgnoredFields {
  /** Adds a path made of our own words, such as `tools`. */
  add(path: string): void;
  /** Adds all keys of a client's object that are not in `known` and ask for something, each as `prefix` + key. */
  addUnknown(
    object: Readonly<Record<string, unknown>>,
    known: Readonly<Record<string, unknown>>,
    prefix?: string,
  ): void;
  /** Adds one field of a client's object unless its value asks for nothing. */
  addUnlessDefault(key: string, value: unknown, prefix?: string): void;
  warnings(): TurnWarning[];
}

/** One collection per request. */
export function createIgnoredFields(): IgnoredFields {
  const fields = new Set<string>();
  const add = (path: string): void => {
    if (fields.size < MAX_FIELDS) fields.add(path);
  };
  const addUnlessDefault = (key: string, value: unknown, prefix = ''): void => {
    if (fields.size >= MAX_FIELDS || asksForNothing(key, value)) return;
    // A client's key goes into a header: only what is harmless there is kept of it.
    add(prefix + key.slice(0, MAX_NAME_LENGTH).replaceAll(/[^A-Za-z0-9_.-]/g, '_'));
  };
  return {
    add,
    addUnlessDefault,
    addUnknown(object, known, prefix) {
      for (const key in object) {
        if (fields.size >= MAX_FIELDS) return;
        if (!Object.hasOwn(known, key)) addUnlessDefault(key, object[key], prefix);
      }
    },
    warnings: () => [...fields].map((field) => ({ code: 'ignored-parameter', field })),
  };
}

function asksForNothing(key: string, value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true;
  if (typeof value === 'object') return Object.keys(value).length === 0;
  return defaults.get(key)?.includes(value) ?? false;
}
