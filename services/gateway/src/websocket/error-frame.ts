import { openAiResponses } from '@zai2api/dialects';
import { TurnError } from '@zai2api/turn';

/** Headers that say when to come back: the only ones that a client of a WebSocket can use. */
const toldHeaders = ['retry-after', 'retry-after-ms', 'x-should-retry'];

/** An error as an event (contract 2.8). */
export function encodeErrorEvent(error: TurnError): Readonly<Record<string, unknown>> {
  const { status, headers, body } = openAiResponses.encodeError(error);
  return encodeAnsweredError(status, headers, body);
}

/** The error of an HTTP answer as an event. */
export function encodeAnsweredError(
  status: number,
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
  body: unknown,
): Readonly<Record<string, unknown>> {
  const told = Object.fromEntries(toldHeaders.flatMap((name) => (headers[name] ? [[name, headers[name]]] : [])));
  const { error } = body as { readonly error: unknown };
  return { type: 'error', status, error, ...(Object.keys(told).length > 0 && { headers: told }) };
}

/** A frame that cannot be served. */
export function invalidFrame(message: string, param?: string): TurnError {
  return new TurnError('invalid_request', message, { layer: 'client', ...(param !== undefined && { param }) });
}

/** The answer to new requests on a connection that is to end (contract 2.8). */
export function connectionLimitReached(): TurnError {
  return new TurnError('invalid_request', 'This connection takes no further responses: open a new one.', {
    layer: 'gateway',
    reason: 'websocket_connection_limit_reached',
  });
}
