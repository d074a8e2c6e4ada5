import type { IncomingHttpHeaders } from 'node:http';
import { isTracing, KEY_NAME_HEADER, PRINCIPAL_HEADER, type RequestState } from '@zai2api/runtime';

type Headers = Record<string, string | string[]>;

const hopByHop = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/**
 * Request headers that are not forwarded: the caller's secrets, what belongs to this connection, what would make the inside compress
 * a stream, the caller's baggage, which nobody reads, and what only the gateway may say.
 */
const droppedRequestHeaders = new Set([
  ...hopByHop,
  'host',
  'expect',
  'authorization',
  'x-api-key',
  'cookie',
  'accept-encoding',
  'baggage',
  PRINCIPAL_HEADER,
  KEY_NAME_HEADER,
]);

/** Besides, the trace as the caller knows it: a gateway that traces puts its own part in between. */
const droppedRequestHeadersWhenTracing = new Set([...droppedRequestHeaders, 'traceparent', 'tracestate']);

/** Response headers that are not forwarded: the gateway says them itself. */
const droppedResponseHeaders = new Set([...hopByHop, 'date', 'server', 'x-request-id', 'request-id', 'set-cookie']);

/** The headers of a request as they go to the inside, with the gateway's request id and with who asks. */
export function forwardedRequestHeaders(
  headers: IncomingHttpHeaders,
  { requestId, principal, keyName }: Pick<RequestState, 'requestId' | 'principal' | 'keyName'>,
): Headers {
  return {
    ...keep(headers, isTracing() ? droppedRequestHeadersWhenTracing : droppedRequestHeaders),
    'x-request-id': requestId,
    ...(principal !== undefined && { [PRINCIPAL_HEADER]: principal }),
    ...(keyName !== undefined && { [KEY_NAME_HEADER]: keyName }),
  };
}

/** The headers of an inner answer as they go to the client. CORS is the gateway's alone. */
export function forwardedResponseHeaders(headers: IncomingHttpHeaders): Headers {
  const kept = keep(headers, droppedResponseHeaders);
  return Object.fromEntries(Object.entries(kept).filter(([name]) => !name.startsWith('access-control-')));
}

function keep(headers: IncomingHttpHeaders, dropped: ReadonlySet<string>): Headers {
  const named = new Set((headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase()));
  const kept: Headers = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !dropped.has(name) && !named.has(name)) kept[name] = value;
  }
  return kept;
}
