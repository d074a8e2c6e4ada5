import {
  MAX_SUFFIXES,
  withoutClaude,
  type ModelSwitches,
  type ResolvedModel,
  type UpstreamModel,
} from '@zai2api/dialects';
import { TurnError } from '@zai2api/turn';
import type { CatalogSource, ModelCatalog } from './model-catalog.ts';
import { applyRules, rulesFor, splitUpstream, type ModelRule } from './model-names.ts';

/** A model at one of the upstreams that have it. */
export interface ModelRoute {
  /** The upstream's name. */
  readonly upstream: string;
  readonly model: UpstreamModel;
}

/** What a name means: where it can be asked for, the best place first, and what the name says about thinking and search. */
export interface ResolvedRoutes extends ModelSwitches {
  /** Never empty. */
  readonly routes: readonly ModelRoute[];
}

/** The models of all upstreams under all their names; aliases and fallbacks are those of the API key with that name. */
export interface ModelDirectory {
  /** Every model once, and the aliases that are no patterns; never fails. */
  list(signal: AbortSignal, keyName?: string): Promise<{ models: readonly UpstreamModel[]; source: CatalogSource }>;
  /** Where the known lists come from, the worst one; asks nobody. */
  source(): CatalogSource;
  /** Throws `model_not_found` (param `model`). Waits for a reading only when no upstream that was reached knows the name. */
  resolve(name: string, signal: AbortSignal, keyName?: string): Promise<ResolvedRoutes>;
}

/** The upstreams and rules by which a model's name is resolved. */
export interface ModelDirectoryOptions {
  /** In the order in which they are asked. */
  readonly upstreams: readonly { readonly name: string; readonly catalog: ModelCatalog }[];
  readonly aliases: readonly ModelRule[];
  readonly fallbacks: readonly ModelRule[];
  /** How many tokens go into a model; undefined where nobody knows. */
  readonly contextOf: (model: UpstreamModel) => number | undefined;
  /** Stands for the empty name, and for `claude-*` names that no alias fits. */
  readonly defaultModel: string;
}

/** From the worst to the best. */
const bySource: readonly CatalogSource[] = ['built-in', 'stale', 'live'];

/** What a suffix of a name may be: an alias is told with it, too. */
const suffix = /-(?:thinking|nothinking|search|separate|think|pure|raw)$/i;

/** The names that a client may use for the upstreams' models. */
export function createModelDirectory(options: ModelDirectoryOptions): ModelDirectory {
  const { upstreams, contextOf, defaultModel } = options;
  const sized = (model: UpstreamModel): UpstreamModel => ({ ...model, contextTokens: contextOf(model) });
  const upstreamNames = upstreams.map(({ name }) => name);

  /** The name behind an alias, with the suffixes that stood behind the alias. */
  function unalias(asked: string, aliases: readonly ModelRule[]): string {
    if (asked.trim() === '') return defaultModel;
    const { name, upstream } = splitUpstream(asked.trim(), upstreamNames);
    for (let [head, tail, taken] = [name, '', 0]; ; taken += 1) {
      const [target] = applyRules(aliases, head);
      if (target !== undefined) {
        const split = splitUpstream(target, upstreamNames);
        return join(split.name + tail, upstream ?? split.upstream);
      }
      const end = taken < MAX_SUFFIXES ? suffix.exec(head)?.[0] : undefined;
      if (end === undefined) break;
      [head, tail] = [head.slice(0, -end.length), end + tail];
    }
    const behind = withoutClaude(name);
    if (behind === undefined) return join(name, upstream);
    // The list offers each model by such a name, too; all others are Anthropic's own.
    return join(upstreams.some(({ catalog }) => catalog.known(behind)) ? behind : defaultModel, upstream);
  }

  const join = (name: string, upstream: string | undefined): string =>
    upstream === undefined ? name : `${splitUpstream(name, upstreamNames).name}@${upstream}`;

  async function find(asked: string, signal: AbortSignal): Promise<{ route: ModelRoute; found: ResolvedModel }[]> {
    const { name, upstream } = splitUpstream(asked, upstreamNames);
    const allowed = upstreams.filter((each) => upstream === undefined || each.name === upstream);
    const known = allowed.map(({ catalog }) => catalog.known(name));
    // One that was never reached may be wrong about its models: it is waited for when nobody knows better.
    const isSure = allowed.some(({ catalog }, index) => known[index] !== undefined && catalog.source() !== 'built-in');
    const settled = isSure
      ? known
      : await Promise.all(
          allowed.map(({ catalog }) =>
            catalog.resolve(name, signal).catch((reason: unknown) => {
              if (signal.aborted) throw reason;
              return undefined;
            }),
          ),
        );
    const id = settled.find((found) => found !== undefined)?.model.id;
    return allowed.flatMap((each, index) => {
      if (isSure) each.catalog.freshen();
      // An upstream may know the model by its public name alone.
      const found = settled[index] ?? (id === undefined ? undefined : each.catalog.known(id));
      return found ? [{ route: { upstream: each.name, model: sized(found.model) }, found }] : [];
    });
  }

  return {
    async list(signal, keyName) {
      const lists = await Promise.all(upstreams.map(({ catalog }) => catalog.list(signal)));
      const models = new Map<string, UpstreamModel>();
      for (const model of lists.flatMap((list) => list.models)) {
        const listed = models.get(model.id);
        // Hidden where it is hidden everywhere; able where anybody is.
        models.set(model.id, listed ? merge(listed, model) : model);
      }
      const aliases = rulesFor(options.aliases, keyName);
      const patterns = new Set(aliases.map(({ pattern }) => pattern));
      const names = [...patterns].filter((pattern) => !pattern.includes('*') && !models.has(pattern));
      const named = names.flatMap((name) => {
        const target = splitUpstream(unalias(name, aliases), upstreamNames).name;
        const model = upstreams.map(({ catalog }) => catalog.known(target)?.model).find((each) => each !== undefined);
        return model ? [{ ...sized(model), id: name, name, hidden: false }] : [];
      });
      return { models: [...[...models.values()].map(sized), ...named], source: this.source() };
    },
    source: () => bySource.find((source) => upstreams.some(({ catalog }) => catalog.source() === source)) ?? 'built-in',
    async resolve(asked, signal, keyName) {
      const fallbacks = rulesFor(options.fallbacks, keyName);
      const name = unalias(asked, rulesFor(options.aliases, keyName));
      const found = await find(name, signal);
      const [first] = found;
      if (!first) throw unknownModel(asked);
      const further = applyRules(fallbacks, splitUpstream(name, upstreamNames).name);
      const chain = further.length > 0 ? further : applyRules(fallbacks, first.route.model.id);
      const routes = found.map(({ route }) => route);
      for (const next of chain) routes.push(...(await find(next, signal)).map(({ route }) => route));
      const { thinking, search, rendering } = first.found;
      return { routes: uniqueRoutes(routes), thinking, search, rendering };
    },
  };
}

function merge(one: UpstreamModel, other: UpstreamModel): UpstreamModel {
  const able = (key: keyof UpstreamModel['capabilities']): boolean => one.capabilities[key] || other.capabilities[key];
  return {
    ...one,
    hidden: one.hidden && other.hidden,
    createdAtSeconds: one.createdAtSeconds || other.createdAtSeconds,
    capabilities: {
      vision: able('vision'),
      thinking: able('thinking'),
      reasoningEffort: able('reasoningEffort'),
      webSearch: able('webSearch'),
    },
  };
}

const uniqueRoutes = (routes: readonly ModelRoute[]): ModelRoute[] =>
  [
    ...new Map(
      routes.map((route) => [`${route.upstream} ${route.model.upstreamId}`, route] as const).toReversed(),
    ).values(),
  ].toReversed();

const unknownModel = (name: string): TurnError =>
  new TurnError(
    'model_not_found',
    `The model ${JSON.stringify(name.slice(0, 100))} does not exist. GET /v1/models lists those that do.`,
    { layer: 'client', param: 'model' },
  );
