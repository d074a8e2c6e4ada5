import { decodeImageRequest } from '@zai2api/dialects';
import { abortOnClose, type RequestState } from '@zai2api/runtime';
import { TurnError } from '@zai2api/turn';
import type { ParameterizedContext } from 'koa';
import type { MediaFetcher } from '../media/fetch-media.ts';
import { askUpstream } from '../upstreams/ask-upstream.ts';
import { setIgnoredParametersHeader } from './ignored-parameters-header.ts';
import { findAble, parameterFault, upstreamModelOf, type SideRouteOptions } from './side-route.ts';

/** What `POST /v1/images/generations` is served with. */
export interface ImageRouteOptions extends SideRouteOptions {
  readonly fetchMedia: MediaFetcher;
  /** Largest picture, in bytes. */
  readonly maxImageBytes: number;
  readonly fetchTimeoutMs: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

const DEFAULT_MODEL = 'glm-image';

/** `POST /v1/images/generations` (contract 4.2): one picture by the first upstream that can, as its temporary address or as its bytes. */
export async function answerImages(ctx: ParameterizedContext<RequestState>, options: ImageRouteOptions): Promise<void> {
  const { upstream, able: drawImage } = findAble(options.upstreams, ctx.path, ({ driver }) => driver.drawImage);
  const { request, format, warnings } = decodeImageRequest(await options.bodies.readJson(ctx));
  setIgnoredParametersHeader(ctx, warnings);
  const signal = abortOnClose(ctx.res);
  const naming = { defaultModel: DEFAULT_MODEL, keyName: ctx.state.keyName };
  const asked = { ...request, model: upstreamModelOf(request.model, naming, options) };
  const { url } = await askUpstream(
    upstream,
    asked.model,
    (credential, inForce) => drawImage(asked, credential, inForce),
    signal,
    { ...options, mayRepeat: false },
  ).catch(parameterFault);
  ctx.set('x-gateway-upstream', upstream.name);
  ctx.body = {
    created: Math.floor(options.now() / 1000),
    data: [format === 'url' ? { url } : { b64_json: await fetchBase64(url, signal, options) }],
  };
}

async function fetchBase64(url: string, signal: AbortSignal, options: ImageRouteOptions): Promise<string> {
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(options.fetchTimeoutMs))]);
  try {
    return Buffer.from(await options.fetchMedia(url, options.maxImageBytes, bounded)).toString('base64');
  } catch (cause) {
    if (signal.aborted) throw TurnError.from(signal.reason);
    throw new TurnError('upstream_failed', 'The picture was made, but could not be fetched.', {
      layer: 'upstream',
      cause,
    });
  }
}
