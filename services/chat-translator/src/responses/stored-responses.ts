import {
  isResponseId,
  parseResponse,
  readResponseRequest,
  type ClientCodecContext,
  type StoredItem,
} from '@zai2api/dialects';
import { abortOnClose, type Logger, type RequestState } from '@zai2api/runtime';
import { TurnError } from '@zai2api/turn';
import type { ParameterizedContext } from 'koa';
import { estimateInput } from '../answer/estimate-input.ts';
import type { BodyReader } from '../body/body-reader.ts';
import type { TranslatorMetrics } from '../metrics.ts';
import { concludeKept, readKept } from './conclude-kept.ts';
import { findItems, parseItems } from './find-items.ts';
import { followResponse } from './follow-response.ts';
import type { FollowerPlaces } from './follower-places.ts';
import { readWholeNumber } from './query-number.ts';
import { tooManyFollowers } from './response-refusals.ts';
import type { KeptResponse, ResponseStore } from './response-store.ts';
import { sendTexts } from './send-texts.ts';
import { tenantOf } from './tenant-of.ts';

type Context = ParameterizedContext<RequestState>;

/** What the endpoints of kept responses are served with. */
export interface StoredResponsesOptions {
  readonly store: ResponseStore;
  /** What the codecs of one request are given: its seals are those of its tenant. */
  readonly clientContextFor: (tenant: string) => ClientCodecContext;
  readonly bodies: BodyReader;
  readonly countTokens: (text: string) => number;
  readonly heartbeatMs: number;
  readonly logger: Logger;
  readonly metrics: Pick<TranslatorMetrics, 'followers'>;
  /** For those who read along. */
  readonly followers: FollowerPlaces;
}

/** `GET /v1/responses/{id}`: the response as it is, or with `stream=true` its events (contract 2.2). */
export async function showResponse(ctx: Context, id: string, options: StoredResponsesOptions): Promise<void> {
  const kept = await findKept(ctx, id, options.store);
  if (ctx.query['stream'] === 'true' || ctx.query['stream'] === '1') {
    if (!kept.hasEvents) throw invalid('stream', 'The response was not created as a stream or in the background.');
    await streamResponse(ctx, id, kept, options);
    return;
  }
  sendJson(ctx, kept.response);
}

async function streamResponse(
  ctx: Context,
  id: string,
  kept: KeptResponse,
  options: StoredResponsesOptions,
): Promise<void> {
  const { store, heartbeatMs, logger, metrics } = options;
  const signal = abortOnClose(ctx.res);
  const after = readWholeNumber(ctx.query['starting_after'], 'starting_after') ?? -1;
  const follow = { store, id, tenant: tenantOf(ctx), after, signal };
  const leavePlace = options.followers.take(id);
  if (!leavePlace) throw tooManyFollowers();
  metrics.followers.inc();
  try {
    // Of one that runs there may be nothing new for a while.
    const beginsAtOnce = kept.state === 'running';
    await sendTexts(ctx, followResponse(follow), { heartbeatMs, signal, logger, beginsAtOnce });
  } finally {
    leavePlace();
    metrics.followers.dec();
  }
}

/** `DELETE /v1/responses/{id}`. One that runs is ended. */
export async function deleteResponse(ctx: Context, id: string, { store }: StoredResponsesOptions): Promise<void> {
  if (!isResponseId(id) || !(await store.remove(id, tenantOf(ctx)))) throw notFound(id);
  ctx.body = { id, object: 'response', deleted: true };
}

/** `POST /v1/responses/{id}/cancel`: wherever it runs. One that is over stays as it is. */
export async function cancelResponse(ctx: Context, id: string, { store }: StoredResponsesOptions): Promise<void> {
  const tenant = tenantOf(ctx);
  const kept = await findKept(ctx, id, store);
  if (!parseResponse(kept.response).background) {
    throw invalid('response_id', 'Only a response that was created with background=true can be cancelled.');
  }
  if (kept.state === 'over') {
    sendJson(ctx, kept.response);
    return;
  }
  await concludeKept(store, id, tenant, { status: 'cancelled' });
  sendJson(ctx, (await findKept(ctx, id, store)).response);
}

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 100;

/** `GET /v1/responses/{id}/input_items`: everything that the response was made of, newest first unless asked otherwise. */
export async function listInputItems(ctx: Context, id: string, { store }: StoredResponsesOptions): Promise<void> {
  const input = isResponseId(id) ? await store.readInput(id, tenantOf(ctx)) : undefined;
  if (input === undefined) throw notFound(id);
  const { after, order = 'desc' } = ctx.query;
  if (order !== 'asc' && order !== 'desc') throw invalid('order', 'expected asc or desc.');
  const limit = readWholeNumber(ctx.query['limit'], 'limit') ?? DEFAULT_LIMIT;
  if (limit < 1 || limit > MAX_LIMIT) throw invalid('limit', `expected 1 to ${MAX_LIMIT}.`);
  const items = order === 'asc' ? parseItems(input) : parseItems(input).reverse();
  const from = after === undefined ? 0 : items.findIndex((item) => item.id === after) + 1;
  if (after !== undefined && from === 0) throw invalid('after', 'no item of the response has this id.');
  ctx.body = pageOf(items, from, limit);
}

function pageOf(items: readonly StoredItem[], from: number, limit: number): unknown {
  const data = items.slice(from, from + limit);
  return {
    object: 'list',
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: from + limit < items.length,
  };
}

/** `POST /v1/responses/input_tokens`: an estimate that asks nobody. */
export async function countInputTokens(ctx: Context, options: StoredResponsesOptions): Promise<void> {
  const asked = readResponseRequest(await options.bodies.readJson(ctx));
  const tenant = tenantOf(ctx);
  const found = await findItems(asked, options.store, tenant, abortOnClose(ctx.res));
  const { request } = asked.decode(options.clientContextFor(tenant), found);
  ctx.body = { object: 'response.input_tokens', input_tokens: estimateInput(request, options.countTokens) };
}

async function findKept(ctx: Context, id: string, store: ResponseStore): Promise<KeptResponse> {
  const kept = isResponseId(id) ? await readKept(store, id, tenantOf(ctx)) : undefined;
  if (!kept) throw notFound(id);
  return kept;
}

function sendJson(ctx: Context, json: string): void {
  ctx.type = 'application/json; charset=utf-8';
  ctx.body = json;
}

function notFound(id: string): TurnError {
  const named = isResponseId(id) ? ` with id '${id}'` : '';
  return new TurnError('not_found', `Response${named} not found.`, { layer: 'client' });
}

function invalid(param: string, rule: string): TurnError {
  return new TurnError('invalid_request', `Invalid value for '${param}': ${rule}`, {
    layer: 'client',
    param,
    reason: 'invalid_value',
  });
}
