import type { TurnError, TurnEvent, TurnRequest, TurnResult, TurnWarning } from '@zai2api/turn';

/** Every API that clients speak, in the words of metrics and logs. */
export type ClientDialectName = 'openai-chat' | 'openai-completions' | 'openai-responses' | 'anthropic-messages';

/** An HTTP answer for a failure, ready to be written. */
export interface EncodedError {
  readonly status: number;
  /** Lower-case names; `content-type` included. */
  readonly headers: Readonly<Record<string, string>>;
  /** Goes through `JSON.stringify` unchanged. */
  readonly body: unknown;
}

/** What a dialect may ask of the service that runs it, as it can do no such thing itself. */
export interface ClientCodecContext {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** A fresh id of letters and digits. */
  readonly newId: () => string;
  /** Wraps a text so that clients can carry it, but neither read nor change it: thinking that comes back with the next request. */
  readonly seal: (text: string) => string;
  /** The text of one of our own seals; `undefined` for anything else, which is then dropped quietly (contract 0.15). */
  readonly unseal: (sealed: string) => string | undefined;
}

/** What is known of an answer when its writing begins. */
export interface AnswerContext {
  /** Estimated tokens of the request; exact numbers come with the end of the turn. Counted at the first call. */
  readonly countInput: () => number;
}

/** A client's words in the neutral form, with the way to answer them. */
export interface DecodedRequest {
  readonly request: TurnRequest;
  /** True: the answer is an event stream. */
  readonly stream: boolean;
  /** What the client asked for in vain; never silently dropped. */
  readonly warnings: readonly TurnWarning[];
  /** Writes this request's answer as a stream. */
  createStreamEncoder(context: AnswerContext): StreamEncoder;
  /** This request's answer as one JSON-able value. */
  encodeResponse(result: TurnResult): unknown;
}

/** Writes one answer as server-sent events. Synchronous and without side effects; made for one stream. */
export interface StreamEncoder {
  /** The text of this event, or `''` when the dialect has nothing to say. A `turn-error` becomes the in-stream error of the dialect. */
  push(event: TurnEvent): string;
  /** Closes the stream. After a proper end this is `''`; a stream that was cut short gets an error, so that no client takes it for complete. */
  end(): string;
  /** A sign of life that the dialect knows, once the stream has begun; a comment where absent. */
  readonly heartbeat?: string;
}

/** What an error boundary knows beside the error. */
export interface ErrorContext {
  /** As in the header `request-id`, for dialects that repeat it in the body. */
  readonly requestId?: string | undefined;
}

/** The error side of a dialect, for layers that know no more of it than its path. */
export interface ErrorDialect {
  readonly name: ClientDialectName;
  /** Total over all error codes; never puts a cause into the body. */
  encodeError(error: TurnError, context?: ErrorContext): EncodedError;
  /** The error as the last frame of an event stream that somebody else began and that was cut between two frames. */
  encodeErrorFrame(error: TurnError): string;
}

/** One API that clients speak, both ways. */
export interface ClientDialect extends ErrorDialect {
  /** The only validation of a client's words. Throws a TurnError with the `param` path of the first fault. */
  decodeRequest(body: unknown, context: ClientCodecContext): DecodedRequest;
}
