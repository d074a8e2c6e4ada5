import { requestBodyOf, type RequestState } from '@zai2api/runtime';
import { TurnError } from '@zai2api/turn';
import type { ParameterizedContext } from 'koa';
import getRawBody from 'raw-body';
import { jsonDepth } from './json-depth.ts';

/** Deeper than any schema that people write, and far from where recursive code overflows its stack. */
const MAX_DEPTH = 200;

/** The parsed JSON body. Throws a TurnError for a wrong media type, a body over `maxBytes` or text that is no JSON (contract 5.6). */
export async function readJsonBody(ctx: ParameterizedContext<RequestState>, maxBytes: number): Promise<unknown> {
  const type = ctx.get('content-type').split(';')[0]?.trim().toLowerCase() ?? '';
  if (type !== '' && type !== 'application/json' && !/^application\/[\w.-]+\+json$/.test(type)) {
    throw new TurnError('unsupported_media_type', 'The body must be sent as application/json.', { layer: 'client' });
  }
  const encoding = ctx.get('content-encoding').trim().toLowerCase();
  if (encoding !== '' && encoding !== 'identity') {
    throw new TurnError('unsupported_media_type', 'The body must be sent without a Content-Encoding.', {
      layer: 'client',
    });
  }
  const text = await readText(ctx, maxBytes);
  if (jsonDepth(text) > MAX_DEPTH) {
    throw new TurnError('invalid_request', `The body is nested more than ${MAX_DEPTH} levels deep.`, {
      layer: 'client',
    });
  }
  try {
    return JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text) as unknown;
  } catch (cause) {
    throw new TurnError('invalid_request', 'The body is not valid JSON.', { layer: 'client', cause });
  }
}

async function readText(ctx: ParameterizedContext<RequestState>, maxBytes: number): Promise<string> {
  const body = requestBodyOf(ctx);
  // A body that broke its limit before anybody read it says why only here.
  if (body.errored) throw body.errored;
  try {
    return await getRawBody(body, { limit: maxBytes, encoding: 'utf8' });
  } catch (reason) {
    if (typeof reason === 'object' && reason !== null && 'type' in reason && reason.type === 'entity.too.large') {
      throw new TurnError('request_too_large', `The body is larger than ${maxBytes} bytes.`, { layer: 'client' });
    }
    throw reason;
  }
}
