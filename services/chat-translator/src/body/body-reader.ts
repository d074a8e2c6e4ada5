import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { abortOnClose, onResponseClose, parseRequestJson, requestBodyOf, type RequestState } from '@zai2api/runtime';
import { TurnError } from '@zai2api/turn';
import type { ParameterizedContext } from 'koa';
import type { BodyBudget, BodyClaim } from './body-budget.ts';
import { decompressBody, type DecompressedBody } from './decompress-body.ts';

type Context = ParameterizedContext<RequestState>;

/** Reads the bodies of requests within the memory that there is for them. */
export interface BodyReader {
  /**
   * The parsed JSON body, with its `Content-Encoding` taken off (contract 5.6). It counts against the budget until {@link BodyReader.forget}, or
   * until the response is over. Throws a TurnError: for a wrong media type or encoding, for a body that is too large, that is no JSON or nested
   * too deep, and `no_capacity` when there is no room for it.
   */
  readJson(ctx: Context): Promise<unknown>;
  /** Says that nothing of the request's body is held any more, as soon as that is true: answers run for minutes. */
  forget(ctx: Context): void;
}

/** A reader of bodies up to `maxBytes` each, all of them together within `budget`. */
export function createBodyReader({ maxBytes, budget }: { maxBytes: number; budget: BodyBudget }): BodyReader {
  const claims = new WeakMap<ServerResponse, BodyClaim>();

  async function claim(ctx: Context): Promise<BodyClaim> {
    const declared = Number(ctx.headers['content-length'] ?? 0);
    if (declared > maxBytes) throw tooLarge(maxBytes);
    const claimed = await budget.claim(declared, abortOnClose(ctx.res));
    claims.set(ctx.res, claimed);
    onResponseClose(ctx.res, () => claimed.release());
    return claimed;
  }

  async function readText(ctx: Context, body: DecompressedBody): Promise<string> {
    const claimed = await claim(ctx);
    // A body that broke its limit before anybody read it says why only here.
    if (body.stream.errored) throw body.stream.errored;
    const decoder = new StringDecoder('utf8');
    let text = '';
    let length = 0;
    for await (const chunk of chunksOf(body.stream)) {
      length += chunk.length;
      if (length > maxBytes) throw tooLarge(maxBytes);
      body.checkRatio(length);
      claimed.grow(length);
      text += decoder.write(chunk);
    }
    return text + decoder.end();
  }

  return {
    async readJson(ctx) {
      requireJsonType(ctx.get('content-type'));
      const body = decompressBody(requestBodyOf(ctx), ctx.get('content-encoding'));
      try {
        return parseRequestJson(await readText(ctx, body));
      } catch (reason) {
        throw body.explain(reason);
      } finally {
        body.close();
      }
    },
    forget: (ctx) => claims.get(ctx.res)?.release(),
  };
}

/** Leaves the stream alone at an early end: with the request, its connection would be destroyed before the answer is sent. */
function chunksOf(stream: Readable): AsyncIterable<Buffer> {
  return { [Symbol.asyncIterator]: () => stream.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer> };
}

function requireJsonType(contentType: string): void {
  const type = contentType.split(';')[0]?.trim().toLowerCase() ?? '';
  if (type === '' || type === 'application/json' || /^application\/[\w.-]+\+json$/.test(type)) return;
  throw new TurnError('unsupported_media_type', 'The body must be sent as application/json.', { layer: 'client' });
}

function tooLarge(maxBytes: number): TurnError {
  return new TurnError('request_too_large', `The body is larger than ${maxBytes} bytes.`, { layer: 'client' });
}
