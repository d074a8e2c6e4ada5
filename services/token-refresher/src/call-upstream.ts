import { TurnError } from '@zai2api/turn';
import { request, type Dispatcher } from 'undici';

/** A whole answer of a short call. */
export interface UpstreamAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly retryAfterSeconds?: number;
}

/** One call of the web backend. */
export interface UpstreamCall {
  readonly dispatcher: Dispatcher;
  readonly method: 'GET' | 'DELETE';
  readonly url: string;
  readonly headers: Record<string, string>;
  /** For the whole call, body included. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * One short call, never repeated, never redirected. Throws `signal.reason` when aborted, `upstream_timeout`, or `upstream_unreachable`;
 * `upstream_drifted` for a body beyond the dispatcher's limit. Any status is an answer.
 */
export async function callUpstream({
  dispatcher,
  method,
  url,
  headers,
  timeoutMs,
  signal,
}: UpstreamCall): Promise<UpstreamAnswer> {
  signal.throwIfAborted();
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await request(url, { dispatcher, method, headers, signal: AbortSignal.any([signal, timeout]) });
    const body = await response.body.text();
    const retryAfterSeconds = readRetryAfter(firstOf(response.headers['retry-after']), Date.now());
    return {
      status: response.statusCode,
      contentType: firstOf(response.headers['content-type']) ?? '',
      body,
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    };
  } catch (error) {
    signal.throwIfAborted();
    if (timeout.aborted) {
      throw new TurnError('upstream_timeout', 'The upstream did not answer in time.', {
        layer: 'upstream',
        cause: error,
      });
    }
    if (error instanceof Error && 'code' in error && error.code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') {
      throw new TurnError('upstream_drifted', 'The upstream’s answer is far too long.', {
        layer: 'upstream',
        cause: error,
      });
    }
    throw new TurnError('upstream_unreachable', 'The upstream cannot be reached.', { layer: 'upstream', cause: error });
  }
}

const firstOf = (header: string | string[] | undefined): string | undefined =>
  Array.isArray(header) ? header[0] : header;

/** Seconds of a `Retry-After`, which is a number or an HTTP date; undefined when it is neither. Never negative. */
export function readRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined || value.trim() === '') return undefined;
  if (/^\s*\d+\s*$/.test(value)) return Number(value);
  const atMs = Date.parse(value);
  return Number.isNaN(atMs) ? undefined : Math.max(0, Math.ceil((atMs - nowMs) / 1000));
}
