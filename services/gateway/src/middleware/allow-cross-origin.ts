import cors from '@koa/cors';
import type { Middleware } from 'koa';
import type { GatewayState } from '../gateway-state.ts';

const ALLOWED_METHODS = 'GET, POST, DELETE, OPTIONS';
const PREFLIGHT_MAX_AGE_SECONDS = 86_400;

/** By name: wildcards do not match prefixes (contract 5.5). */
const exposedHeaders = [
  'x-request-id',
  'request-id',
  'retry-after',
  'retry-after-ms',
  'x-should-retry',
  'x-error-layer',
  'x-error-code',
  'x-gateway-ignored-params',
  'x-gateway-upstream',
  'x-gateway-cache',
  'x-gateway-response-not-stored',
  'x-model-list',
  ...['limit', 'remaining', 'reset'].flatMap((value) => [
    `x-ratelimit-${value}-requests`,
    `x-ratelimit-${value}-tokens`,
  ]),
  ...['requests', 'tokens', 'input-tokens', 'output-tokens'].flatMap((unit) =>
    ['limit', 'remaining', 'reset'].map((value) => `anthropic-ratelimit-${unit}-${value}`),
  ),
  'openai-processing-ms',
  'server-timing',
];

const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/;

/**
 * Lets web pages of the allowed origins call the API (contract 5.5). Preflights are answered here, so before any key is asked for, and
 * every other answer gets its headers before it is known whether it is an error. Requested headers are reflected, when they are header
 * names at all. Credentials mode is not supported: keys travel in headers.
 */
export function allowCrossOrigin(origins: readonly string[]): Middleware<GatewayState> {
  const allowsAll = origins.includes('*');
  const isAllowed = createOriginCheck(origins);
  const handle = cors({
    origin: (ctx) => {
      if (allowsAll) return '*';
      const origin = ctx.get('origin');
      return isAllowed(origin) ? origin : '';
    },
    allowMethods: ALLOWED_METHODS,
    exposeHeaders: exposedHeaders.join(', '),
    maxAge: PREFLIGHT_MAX_AGE_SECONDS,
    keepHeadersOnError: false,
  });
  return async (ctx, next) => {
    if (ctx.method !== 'OPTIONS') {
      ctx.vary('Origin');
      // Nobody but a browser reads these headers, and they are long.
      await (ctx.get('origin') === '' ? next() : handle(ctx, next));
      return;
    }
    ctx.vary('Access-Control-Request-Headers');
    const requested = ctx.req.headers['access-control-request-headers'];
    if (typeof requested === 'string') ctx.req.headers['access-control-request-headers'] = headerNames(requested);
    await handle(ctx, () => {
      // No preflight, or one from elsewhere: answered all the same, with nothing allowed.
      ctx.set('allow', ALLOWED_METHODS);
      ctx.status = 204;
      return Promise.resolve();
    });
  };
}

/** Whether pages of an origin may call; `*` among `origins` lets all of them. */
export function createOriginCheck(origins: readonly string[]): (origin: string) => boolean {
  const allowed = new Set(origins.map((origin) => origin.replace(/\/+$/, '').toLowerCase()));
  return (origin) => allowed.has('*') || allowed.has(origin.toLowerCase());
}

function headerNames(list: string): string {
  return list
    .split(',')
    .map((name) => name.trim())
    .filter((name) => HEADER_NAME.test(name))
    .join(', ');
}
