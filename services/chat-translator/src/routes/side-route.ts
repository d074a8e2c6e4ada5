import { TurnError } from '@zai2api/turn';
import type { BodyReader } from '../body/body-reader.ts';
import { applyRules, rulesFor, splitUpstream, type ModelRule } from '../models/model-names.ts';
import type { AskUpstreamOptions } from '../upstreams/ask-upstream.ts';
import type { Upstream } from '../upstreams/upstream.ts';

/** What the routes beside turns have in common: short calls that only some upstreams can answer. */
export interface SideRouteOptions extends AskUpstreamOptions {
  readonly upstreams: readonly Upstream[];
  readonly aliases: readonly ModelRule[];
  readonly bodies: BodyReader;
}

/** The first upstream with that ability. Throws 400 `unsupported_endpoint` when there is none (contract 4.2). */
export function findAble<T>(
  upstreams: readonly Upstream[],
  path: string,
  ability: (upstream: Upstream) => T | undefined,
): { readonly upstream: Upstream; readonly able: T } {
  for (const upstream of upstreams) {
    const able = ability(upstream);
    if (able !== undefined) return { upstream, able };
  }
  throw new TurnError('unsupported', `No configured upstream can answer ${path}.`, {
    layer: 'client',
    reason: 'unsupported_endpoint',
  });
}

/** The model's name as it goes up: what an alias says of it, without the upstream's name. */
export function upstreamModelOf(
  asked: string,
  { defaultModel, keyName }: { readonly defaultModel: string; readonly keyName: string | undefined },
  { upstreams, aliases }: SideRouteOptions,
): string {
  const names = upstreams.map(({ name }) => name);
  const { name } = splitUpstream(asked === '' ? defaultModel : asked, names);
  const [target = name] = applyRules(rulesFor(aliases, keyName), name);
  return splitUpstream(target, names).name;
}

/** These bodies go up nearly as they come: what the upstream does not understand in them is what the client said. */
export function parameterFault(reason: unknown): never {
  const error = TurnError.from(reason);
  if (error.code !== 'upstream_drifted' || error.details.cause === undefined) throw error;
  throw new TurnError('invalid_request', 'The upstream does not take these parameters.', {
    layer: 'client',
    reason: 'invalid_value',
    cause: error,
  });
}
