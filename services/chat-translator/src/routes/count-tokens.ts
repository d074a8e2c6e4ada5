import { decodeAnthropicCountRequest, type ClientCodecContext } from '@zai2api/dialects';
import type { RequestState } from '@zai2api/runtime';
import type { ParameterizedContext } from 'koa';
import { estimateInput } from '../answer/estimate-input.ts';
import type { BodyReader } from '../body/body-reader.ts';
import { tenantOf } from '../responses/tenant-of.ts';

/** What `POST /v1/messages/count_tokens` is served with. */
export interface CountTokensOptions {
  readonly bodies: BodyReader;
  /** What the codec of one request is given: it opens the seals of its tenant. */
  readonly clientContextFor: (tenant: string) => Pick<ClientCodecContext, 'unseal'>;
  /** Tokens of a text, estimated. */
  readonly countTokens: (text: string) => number;
}

/**
 * `POST /v1/messages/count_tokens` (contract 3.7): an estimate, made here and at once. Coding agents ask for dozens in parallel, so it takes no
 * credential and asks no upstream.
 */
export async function countRequestTokens(
  ctx: ParameterizedContext<RequestState>,
  { bodies, clientContextFor, countTokens }: CountTokensOptions,
): Promise<void> {
  const body = await bodies.readJson(ctx);
  const request = decodeAnthropicCountRequest(body, clientContextFor(tenantOf(ctx)));
  ctx.body = { input_tokens: Math.max(1, estimateInput(request, countTokens)) };
}
