import type { EncodedRequest } from '@zai2api/dialects';
import { parseRetryAfter, transportError, withDeadline } from '@zai2api/runtime';
import type { TurnError } from '@zai2api/turn';
import { request, type Dispatcher } from 'undici';

/** The answer to a completion, its body still to come. */
export interface OpenAnswer {
  readonly body: AsyncIterable<Uint8Array>;
  /** Ends the call, at once or, for an answer that is complete, after its last bytes, so that the connection can serve the next one. */
  close(how: 'at-once' | 'after-the-rest'): void;
}

/** A request of the codec, or one with bytes for a body. */
export interface OutgoingRequest extends Omit<EncodedRequest, 'body'> {
  readonly body?: string | Uint8Array;
}

/** HTTP towards one upstream: every failure is a TurnError, and no URL, token or upstream text gets into it. */
export interface UpstreamClient {
  /** The parsed JSON of a 2xx answer, or its text when it is no JSON. */
  call(encoded: OutgoingRequest, signal: AbortSignal): Promise<unknown>;
  /** A 2xx answer as it arrives. Its deadlines are the caller's: they abort the signal with their error as reason. */
  open(encoded: EncodedRequest, signal: AbortSignal): Promise<OpenAnswer>;
}

/** Enough of an error body to recognise it. */
const MAX_ERROR_BODY_BYTES = 64 * 1024;
/** A page or a list is no bigger than this; what goes on longer is not read to its end. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;

/** What may follow the end of an answer before its connection is given up. */
const MAX_REST_BYTES = 64 * 1024;
const MAX_REST_MS = 1_000;

/** What calls of an upstream are made with. */
export interface UpstreamClientOptions {
  readonly dispatcher: Dispatcher;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** The same by the upstream's own clock, where that is known better. */
  readonly upstreamNow?: () => number;
  /** Bounds a whole `call`. */
  readonly timeoutMs: number;
  /** The typed error of an answer that is no 2xx; the body may be cut. */
  readonly decodeError: (
    status: number,
    contentType: string,
    body: string,
    retryAfterSeconds: number | undefined,
  ) => TurnError;
  /** Is told the `Date` header of each answer, and when it was asked for by `now`. */
  readonly onDate?: (dateHeader: string | undefined, askedAtMs: number) => void;
}

/** A client on one dispatcher. */
export function createUpstreamClient(options: UpstreamClientOptions): UpstreamClient {
  const { dispatcher, now, upstreamNow = now, timeoutMs, decodeError, onDate } = options;

  async function send(encoded: OutgoingRequest, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const askedAtMs = now();
    const response = await request(encoded.url, {
      dispatcher,
      method: encoded.method,
      headers: encoded.headers,
      signal,
      // The signal has the deadlines, to the millisecond; those of the dispatcher know seconds only.
      headersTimeout: 0,
      bodyTimeout: 0,
      ...(encoded.body === undefined ? {} : { body: encoded.body }),
    }).catch((reason: unknown) => {
      throw transportError(reason, signal);
    });
    onDate?.(headerOf(response.headers, 'date'), askedAtMs);
    if (response.statusCode >= 200 && response.statusCode < 300) return response;
    const body = await readText(response.body, MAX_ERROR_BODY_BYTES).catch(() => '');
    const contentType = headerOf(response.headers, 'content-type') ?? '';
    throw decodeError(
      response.statusCode,
      contentType,
      body,
      parseRetryAfter(headerOf(response.headers, 'retry-after'), upstreamNow()),
    );
  }

  return {
    call: (encoded, signal) =>
      withDeadline(signal, timeoutMs, async (bounded) => {
        const response = await send(encoded, bounded);
        const text = await readText(response.body, MAX_BODY_BYTES).catch((reason: unknown) => {
          throw transportError(reason, bounded);
        });
        try {
          return JSON.parse(text) as unknown;
        } catch {
          return text;
        }
      }),
    async open(encoded, signal) {
      const { body } = await send(encoded, signal);
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
    throw transportError(reason, signal, true);
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

const headerOf = (headers: Record<string, string | string[] | undefined>, name: string): string | undefined => {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
};
