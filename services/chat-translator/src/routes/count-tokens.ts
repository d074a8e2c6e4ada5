import { decodeAnthropicCountRequest, type ClientCodecContext } from '@zai2api/dialects';
import type { RequestState } from '@zai2api/runtime';
import type { ParameterizedContext } from 'koa';
import { estimateInput } from '../answer/estimate-input.ts';
import type { BodyReader } from '../body/body-reader.ts';

export interface CountTokensOptions {
  readonly bodies: BodyReader;
  readonly clientContext: Pick<ClientCodecContext, 'unseal'>;
  readonly countTokens: (text: string) => number;
}

/**
 * `POST /v1/messages/count_tokens` (contract 3.7): an estimate, made here and at once. Coding agents ask for dozens in parallel, so it takes no
 * credential and asks no upstream.
 */
export async function countRequestTokens(
  ctx: ParameterizedContext<RequestState>,
  { bodies, clientContext, countTokens }: CountTokensOptions,
): Promise<void> {
  const body = await bodies.readJson(ctx);
  const request = decodeAnthropicCountRequest(body, clientContext);
  ctx.body = { input_tokens: Math.max(1, estimateInput(request, countTokens)) };
}
