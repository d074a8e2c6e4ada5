import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

/** As much of skaffold.yaml as the tests look at. */
export interface SkaffoldConfig {
  readonly build: { readonly artifacts: readonly Artifact[] };
  readonly manifests?: { readonly rawYaml: readonly string[] };
  readonly deploy: { readonly helm: { readonly releases: readonly [Release] } };
  readonly profiles: readonly Profile[];
}

export interface Artifact {
  readonly image: string;
  readonly docker: {
    readonly dockerfile: string;
    readonly target?: string;
    readonly buildArgs?: Readonly<Record<string, string>>;
  };
  readonly sync?: { readonly manual: readonly { readonly src: string; readonly dest: string }[] };
}

export interface Release {
  readonly chartPath: string;
  readonly valuesFiles: readonly string[];
  readonly setValueTemplates: Readonly<Record<string, string>>;
}

interface Profile {
  readonly name: string;
  readonly patches: readonly { readonly op: 'add'; readonly path: string; readonly value: unknown }[];
  readonly manifests?: SkaffoldConfig['manifests'];
}

const file = new URL('../../../skaffold.yaml', import.meta.url);

/** The text of skaffold.yaml. */
export const skaffoldText = readFileSync(file, 'utf8');

/** The profiles that are used together; `sources` is there with every `skaffold dev`. */
export const profileCombinations: readonly (readonly string[])[] = [
  [],
  ['sources'],
  ['fake'],
  ['chaos'],
  ['sources', 'fake'],
  ['sources', 'chaos'],
];

/** skaffold.yaml with its profiles applied, as skaffold does it: patches in their order, manifests replaced. Throws for an unknown profile. */
export function readSkaffoldConfig(...profileNames: readonly string[]): SkaffoldConfig {
  const config = parse(skaffoldText) as SkaffoldConfig & { manifests?: SkaffoldConfig['manifests'] };
  for (const name of profileNames) {
    const profile = config.profiles.find((one) => one.name === name);
    if (profile === undefined) throw new Error(`There is no profile ${name}.`);
    for (const { path, value } of profile.patches) add(config, path.split('/').slice(1), value);
    if (profile.manifests !== undefined) config.manifests = profile.manifests;
  }
  return config;
}

/** The operation `add` of JSON Patch. */
function add(target: unknown, [key = '', ...rest]: readonly string[], value: unknown): void {
  if (Array.isArray(target)) {
    if (rest.length > 0) add(target[Number(key)], rest, value);
    else if (key === '-') target.push(value);
    else throw new Error(`No patch inserts at ${key}.`);
    return;
  }
  if (typeof target !== 'object' || target === null) throw new Error(`There is nothing to patch at ${key}.`);
  if (rest.length > 0) add((target as Record<string, unknown>)[key], rest, value);
  else (target as Record<string, unknown>)[key] = value;
}
