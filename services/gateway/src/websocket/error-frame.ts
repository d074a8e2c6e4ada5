import { isRecord, openAiResponses } from '@zai2api/dialects';
import type { TurnError } from '@zai2api/turn';

/** An error as it goes over a WebSocket (contract 2.8). */
export interface ErrorFrame {
  readonly type: 'error';
  readonly status: number;
  readonly error: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What of an answer's headers helps a client that gets no headers. */
const toldHeaders = /^(?:x-request-id|retry-after|retry-after-ms|x-should-retry|x-ratelimit-.+)$/;

/** The frame of an error of our own. */
export function errorFrame(error: TurnError): ErrorFrame {
  const { status, headers, body } = openAiResponses.encodeError(error);
  return frameOf(status, body, headers);
}

/** The frame of an HTTP answer that is an error. */
export function errorFrameOfAnswer(
  status: number,
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
  body: unknown,
): ErrorFrame {
  return frameOf(status, body, headers);
}

/** The frame of an error event within a stream, whose status is no longer told. */
export function errorFrameOfEvent(event: unknown): ErrorFrame {
  return frameOf(500, event, {});
}

function frameOf(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
): ErrorFrame {
  const told = Object.entries(headers).filter(([name, value]) => toldHeaders.test(name) && typeof value === 'string');
  const { type, code, message, param } = isRecord(body) && isRecord(body['error']) ? body['error'] : {};
  return {
    type: 'error',
    status,
    error: {
      type: type ?? 'server_error',
      code: code ?? null,
      message: message ?? 'Internal error.',
      param: param ?? null,
    },
    ...(told.length > 0 && { headers: Object.fromEntries(told) as Record<string, string> }),
  };
}
