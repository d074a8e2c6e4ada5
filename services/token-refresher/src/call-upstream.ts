import { parseRetryAfter, transportError, withDeadline } from '@zai2api/runtime';
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
 * One short call, never repeated, never redirected. Any status is an answer. Throws `signal.reason` when aborted, else the TurnErrors of
 * `transportError`.
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
  return withDeadline(signal, timeoutMs, async (bounded) => {
    let hasBegun = false;
    try {
      const response = await request(url, { dispatcher, method, headers, signal: bounded });
      hasBegun = true;
      const body = await response.body.text();
      const retryAfterSeconds = parseRetryAfter(firstOf(response.headers['retry-after']), Date.now());
      return {
        status: response.statusCode,
        contentType: firstOf(response.headers['content-type']) ?? '',
        body,
        ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
      };
    } catch (error) {
      signal.throwIfAborted();
      throw transportError(error, bounded, hasBegun);
    }
  });
}

const firstOf = (header: string | string[] | undefined): string | undefined =>
  Array.isArray(header) ? header[0] : header;
