import { decodeEmbeddingRequest, encodeEmbeddingResponse } from '@zai2api/dialects';
import { abortOnClose, type RequestState } from '@zai2api/runtime';
import type { ParameterizedContext } from 'koa';
import { askUpstream } from '../upstreams/ask-upstream.ts';
import { setIgnoredParametersHeader } from './ignored-parameters-header.ts';
import { findAble, parameterFault, upstreamModelOf, type SideRouteOptions } from './side-route.ts';

/** The only model of the official API that is known for sure (contract 4.2). */
const DEFAULT_MODEL = 'embedding-3';

/** `POST /v1/embeddings` (contract 4.2): by the first upstream that can. Vectors are never made up. */
export async function answerEmbeddings(
  ctx: ParameterizedContext<RequestState>,
  options: SideRouteOptions,
): Promise<void> {
  const { upstream, able: embed } = findAble(options.upstreams, ctx.path, ({ driver }) => driver.embed);
  const { request, encoding, warnings } = decodeEmbeddingRequest(await options.bodies.readJson(ctx));
  setIgnoredParametersHeader(ctx, warnings);
  const naming = { defaultModel: DEFAULT_MODEL, keyName: ctx.state.keyName };
  const asked = { ...request, model: upstreamModelOf(request.model, naming, options) };
  const result = await askUpstream(
    upstream,
    asked.model,
    (credential, signal) => embed(asked, credential, signal),
    abortOnClose(ctx.res),
    options,
  ).catch(parameterFault);
  ctx.set('x-gateway-upstream', upstream.name);
  ctx.body = encodeEmbeddingResponse(result, { ...request, model: request.model || DEFAULT_MODEL }, encoding);
}
