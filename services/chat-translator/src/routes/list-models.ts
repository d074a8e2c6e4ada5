import { encodeOpenAiModel, encodeOpenAiModelList, expandModels } from '@zai2api/dialects';
import { abortOnClose, type RequestState } from '@zai2api/runtime';
import { TurnError } from '@zai2api/turn';
import type { ParameterizedContext } from 'koa';
import type { ModelDirectory } from '../models/model-directory.ts';

/** Says whether the list is `live`, `stale` (the upstream fails; its last good list) or `built-in` (it was never reached). */
const sourceHeader = 'x-model-list';

/** `GET /v1/models` (contract 4.1). */
export async function listModels(
  ctx: ParameterizedContext<RequestState>,
  catalog: Pick<ModelDirectory, 'list'>,
): Promise<void> {
  const { models, source } = await catalog.list(abortOnClose(ctx.res));
  ctx.set(sourceHeader, source);
  ctx.body = encodeOpenAiModelList(expandModels(models));
}

/** `GET /v1/models/{id}`: a listed id, in any case. Throws `model_not_found`. */
export async function showModel(
  ctx: ParameterizedContext<RequestState>,
  id: string,
  catalog: Pick<ModelDirectory, 'list'>,
): Promise<void> {
  const { models, source } = await catalog.list(abortOnClose(ctx.res));
  const wanted = id.toLowerCase();
  // Hidden models answer when they are asked for, so they are shown when they are asked for.
  const all = expandModels(models.map((model) => ({ ...model, hidden: false })));
  const model = all.find((candidate) => candidate.id.toLowerCase() === wanted);
  if (!model) {
    throw new TurnError('model_not_found', `The model ${JSON.stringify(id.slice(0, 100))} does not exist.`, {
      layer: 'client',
      param: 'model',
    });
  }
  ctx.set(sourceHeader, source);
  ctx.body = encodeOpenAiModel(model);
}
