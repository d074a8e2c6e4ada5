import { decodeHttpError, type EncodedRequest } from '@zai2api/dialects';
import { TurnError } from '@zai2api/turn';
import { request, type Dispatcher } from 'undici';
import type { UpstreamClock } from './upstream-clock.ts';

/** The answer to a completion, its body still to come. */
export interface OpenAnswer {
  readonly body: AsyncIterable<Uint8Array>;
  /** Ends the call, at once or, for an answer that is complete, after its last bytes, so that the connection can serve the next one. */
  close(how: 'at-once' | 'after-the-rest'): void;
}

/** HTTP towards the web backend: every failure is a TurnError, and no URL, token or upstream text gets into it. */
export interface WebClient {
  /** The parsed JSON of a 2xx answer, or its text when it is no JSON. */
  call(encoded: EncodedRequest, signal: AbortSignal): Promise<unknown>;
  /** A 2xx answer as it arrives; `idleTimeoutMs` bounds each silence, that before the headers included. */
  open(encoded: EncodedRequest, signal: AbortSignal, idleTimeoutMs: number): Promise<OpenAnswer>;
}

/** Enough of an error body to recognise it. */
const MAX_ERROR_BODY_BYTES = 64 * 1024;
/** A page or a list is no bigger than this; what goes on longer is not read to its end. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;

/** What may follow the end of an answer before its connection is given up. */
const MAX_REST_BYTES = 64 * 1024;
const MAX_REST_MS = 1_000;

/** A client on one dispatcher. `timeoutMs` bounds a whole `call`. */
export function createWebClient(options: {
  dispatcher: Dispatcher;
  clock: UpstreamClock;
  now: () => number;
  timeoutMs: number;
}): WebClient {
  const { dispatcher, clock, now, timeoutMs } = options;

  async function send(
    encoded: EncodedRequest,
    signal: AbortSignal,
    idleTimeoutMs: number,
  ): Promise<Dispatcher.ResponseData> {
    const askedAtMs = now();
    const response = await request(encoded.url, {
      dispatcher,
      method: encoded.method,
      headers: encoded.headers,
      signal,
      headersTimeout: idleTimeoutMs,
      bodyTimeout: idleTimeoutMs,
      ...(encoded.body === undefined ? {} : { body: encoded.body }),
    }).catch((reason: unknown) => {
      throw toTurnError(reason, signal);
    });
    clock.learn(headerOf(response.headers, 'date'), askedAtMs);
    if (response.statusCode >= 200 && response.statusCode < 300) return response;
    const body = await readText(response.body, MAX_ERROR_BODY_BYTES).catch(() => '');
    const contentType = headerOf(response.headers, 'content-type') ?? '';
    throw decodeHttpError(
      response.statusCode,
      contentType,
      body,
      retryAfterSeconds(headerOf(response.headers, 'retry-after')),
    );
  }

  return {
    async call(encoded, signal) {
      const bounded = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
      const response = await send(encoded, bounded, timeoutMs);
      const text = await readText(response.body, MAX_BODY_BYTES).catch((reason: unknown) => {
        throw toTurnError(reason, bounded);
      });
      try {
        return JSON.parse(text) as unknown;
      } catch {
        return text;
      }
    },
    async open(encoded, signal, idleTimeoutMs) {
      const { body } = await send({ ...encoded }, signal, idleTimeoutMs);
      return {
        body: translateErrors(body, signal),
        close(how) {
          // A body that nobody reads any more would report its end as an unhandled error.
          body.on('error', () => undefined);
          if (how === 'at-once') body.destroy();
          else
            void body
              .dump({ limit: MAX_REST_BYTES, signal: AbortSignal.timeout(MAX_REST_MS) })
              .catch(() => body.destroy());
        },
      };
    },
  };
}

async function* translateErrors(
  body: Dispatcher.ResponseData['body'],
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  try {
    yield* body.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
  } catch (reason) {
    throw toTurnError(reason, signal, true);
  }
}

async function readText(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > maxBytes) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** There was a connection and it broke, as one does that was kept alive for too long: a passing fault, unlike one that cannot be made. */
const brokenConnection: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

/** What went wrong on the way: our own abort, a deadline, no connection, or one that broke. The cause keeps only its code. */
function toTurnError(reason: unknown, signal: AbortSignal, hasBegun = false): TurnError {
  if (TurnError.is(reason)) return reason;
  if (signal.aborted) return TurnError.from(signal.reason);
  // By its field, not by class: Node's own errors may come from another realm.
  const code =
    typeof reason === 'object' && reason !== null && 'code' in reason && typeof reason.code === 'string'
      ? reason.code
      : 'unknown';
  const cause = { code };
  if (/TIMEOUT|ETIMEDOUT/.test(code)) {
    return new TurnError('upstream_timeout', 'The upstream did not answer in time.', { layer: 'upstream', cause });
  }
  if (hasBegun || brokenConnection.has(code)) {
    return new TurnError('upstream_failed', 'The connection to the upstream broke.', {
      layer: 'upstream',
      recovery: 'repeat',
      cause,
    });
  }
  return new TurnError('upstream_unreachable', 'The upstream cannot be reached.', { layer: 'upstream', cause });
}

const headerOf = (headers: Record<string, string | string[] | undefined>, name: string): string | undefined => {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
};

function retryAfterSeconds(header: string | undefined): number | undefined {
  const seconds = Number(header);
  return header !== undefined && Number.isFinite(seconds) && seconds > 0 ? Math.ceil(seconds) : undefined;
}
