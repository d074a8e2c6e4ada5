import type { TurnError, TurnEvent, TurnRequest, TurnResult, TurnWarning } from '@zai2api/turn';

/** An HTTP answer for a failure, ready to be written. */
export interface EncodedError {
  readonly status: number;
  /** Lower-case names; `content-type` included. */
  readonly headers: Readonly<Record<string, string>>;
  /** Goes through `JSON.stringify` unchanged. */
  readonly body: unknown;
}

/** How one answer is to be written: part of every {@link DecodedRequest}, which can be handed on as it is. */
export interface EncoderOptions {
  /** True: the stream ends with a usage chunk. Whole answers always carry usage. */
  readonly includeUsage: boolean;
  /** True: calls are answered in the shape that belongs to the deprecated `functions` (contract 1.1). */
  readonly legacyFunctions?: boolean;
}

/** A client's words in the neutral form, and how it wants its answer. */
export interface DecodedRequest extends EncoderOptions {
  readonly request: TurnRequest;
  /** True: the answer is an event stream. */
  readonly stream: boolean;
  /** What the client asked for in vain; never silently dropped. */
  readonly warnings: readonly TurnWarning[];
}

/** Writes one answer as server-sent events. Synchronous and without side effects; made for one stream. */
export interface StreamEncoder {
  /** The text of this event, or `''` when the dialect has nothing to say. A `turn-error` becomes the in-stream error of the dialect. */
  push(event: TurnEvent): string;
  /** Closes the stream. After a proper end this is `''`; a stream that was cut short gets an error, so that no client takes it for complete. */
  end(): string;
}

/** The error side of a dialect, for layers that know no more of it than its path. */
export interface ErrorDialect {
  readonly name: ClientDialect['name'];
  /** Total over all error codes; never puts a cause into the body. */
  encodeError(error: TurnError): EncodedError;
}

/** One API that clients speak, both ways. */
export interface ClientDialect {
  readonly name: 'openai-chat';
  /** The only validation of a client's words. Throws a TurnError with the `param` path of the first fault. */
  decodeRequest(body: unknown): DecodedRequest;
  createStreamEncoder(options: EncoderOptions): StreamEncoder;
  /** The whole answer as a JSON-able value. */
  encodeResponse(result: TurnResult, options?: EncoderOptions): unknown;
  encodeError(error: TurnError): EncodedError;
}
