import {
  encodeAnthropicModel,
  encodeAnthropicModelPage,
  encodeOpenAiModel,
  encodeOpenAiModelList,
  expandModels,
  listClaudeNames,
  speaksAnthropic,
  type PageWish,
} from '@zai2api/dialects';
import { abortOnClose, type RequestState } from '@zai2api/runtime';
import { TurnError } from '@zai2api/turn';
import type { ParameterizedContext } from 'koa';
import type { ModelDirectory } from '../models/model-directory.ts';

/** Says whether the list is `live`, `stale` (the upstream fails; its last good list) or `built-in` (it was never reached). */
const sourceHeader = 'x-model-list';
/** What decides between the two shapes of the answer (contract 4.1). */
const decidingHeaders = ['anthropic-version', 'x-api-key', 'authorization'];

/** As the API of Anthropic has them. */
const DEFAULT_PAGE = 20;
const LONGEST_PAGE = 1_000;

/** `GET /v1/models`, in the shape of the API that the client speaks (contract 4.1). */
export async function listModels(
  ctx: ParameterizedContext<RequestState>,
  catalog: Pick<ModelDirectory, 'list'>,
): Promise<void> {
  ctx.vary(decidingHeaders);
  const isAnthropic = speaksAnthropic(ctx.path, ctx.headers);
  const wish = isAnthropic ? readPageWish(ctx.query) : undefined;
  const { models, source } = await catalog.list(abortOnClose(ctx.res), ctx.state.keyName);
  const listed = expandModels(models);
  ctx.set(sourceHeader, source);
  if (wish) {
    const plain = new Set(models.map(({ id }) => id));
    const claudeNames = listClaudeNames(listed.filter(({ id }) => plain.has(id)));
    ctx.body = encodeAnthropicModelPage([...listed, ...claudeNames], wish);
  } else {
    ctx.body = encodeOpenAiModelList(listed);
  }
}

/** `GET /v1/models/{id}`: a listed id, in any case, also by its Claude name. Throws `model_not_found`. */
export async function showModel(
  ctx: ParameterizedContext<RequestState>,
  id: string,
  catalog: Pick<ModelDirectory, 'list'>,
): Promise<void> {
  ctx.vary(decidingHeaders);
  const { models, source } = await catalog.list(abortOnClose(ctx.res), ctx.state.keyName);
  const wanted = id.toLowerCase();
  // Hidden models answer when they are asked for, so they are shown when they are asked for.
  const all = expandModels(models.map((model) => ({ ...model, hidden: false })));
  const model = [...all, ...listClaudeNames(all)].find((candidate) => candidate.id.toLowerCase() === wanted);
  if (!model) {
    throw new TurnError('model_not_found', `The model ${JSON.stringify(id.slice(0, 100))} does not exist.`, {
      layer: 'client',
      param: 'model',
    });
  }
  ctx.set(sourceHeader, source);
  ctx.body = speaksAnthropic(ctx.path, ctx.headers) ? encodeAnthropicModel(model) : encodeOpenAiModel(model);
}

type Query = Readonly<Record<string, string | string[] | undefined>>;

function readPageWish(query: Query): PageWish {
  const read = (name: string): string | undefined => [query[name]].flat()[0] || undefined;
  const limit = Number(read('limit') ?? DEFAULT_PAGE);
  if (!Number.isInteger(limit) || limit < 1 || limit > LONGEST_PAGE) {
    throw new TurnError('invalid_request', `Invalid value for 'limit': expected 1 to ${LONGEST_PAGE}.`, {
      layer: 'client',
      param: 'limit',
      reason: 'invalid_value',
    });
  }
  return { limit, afterId: read('after_id'), beforeId: read('before_id') };
}
