/** Where a failure began: told to clients and operators, so that nobody has to guess whose fault it is. */
export type ErrorLayer = 'client' | 'gateway' | 'pool' | 'upstream' | 'internal';

/** The closed list of failures. Every client dialect maps each of them to a status and a body (contract 5.1). */
export const errorCodes = [
  'invalid_request',
  'unsupported',
  'unauthenticated',
  'forbidden',
  'model_not_found',
  'not_found',
  'method_not_allowed',
  'request_too_large',
  'unsupported_media_type',
  'content_refused',
  'rate_limited',
  'no_capacity',
  'shutting_down',
  'upstream_busy',
  'upstream_forbidden',
  'upstream_challenged',
  'upstream_blocked',
  'upstream_drifted',
  'upstream_failed',
  'upstream_unreachable',
  'upstream_timeout',
  'cancelled',
  'internal',
] as const;
/** One of the closed list of `errorCodes`. */
export type ErrorCode = (typeof errorCodes)[number];

/**
 * What may make a second try succeed, before the first content only: `other-credential` (this identity is spent or busy),
 * `refresh-session` (frontend version or session is stale), `repeat` (a passing fault). Absent: never try again.
 */
export type Recovery = 'other-credential' | 'refresh-session' | 'repeat';

/** What is known of an error besides its code and its message. */
export interface TurnErrorDetails {
  readonly layer: ErrorLayer;
  /** Path of the offending request field, such as `messages[2].content`. */
  readonly param?: string;
  /** A finer wire code for clients, such as `image_input_not_supported`, where `code` alone is too coarse. */
  readonly reason?: string;
  readonly retryAfterSeconds?: number;
  /** Of a conversation that is too long (`reason` is `context_length_exceeded`): its tokens, and the most that the model takes. */
  readonly overflow?: { readonly inputTokens: number; readonly maxInputTokens: number };
  readonly recovery?: Recovery;
  /** Of a limit of one model: the credential that met it may go on with other models. Absent: it stops all of the credential. */
  readonly reach?: 'model';
  /** Kept for the log, never sent to a client. */
  readonly cause?: unknown;
}

const brand = Symbol.for('zai2api.TurnError');

/** The one error class that crosses package borders. Its message is written for the client and holds no secret or upstream text. */
export class TurnError extends Error {
  override readonly name = 'TurnError';
  readonly code: ErrorCode;
  readonly details: TurnErrorDetails;

  constructor(code: ErrorCode, message: string, details: TurnErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.details = details;
    Object.defineProperty(this, brand, { value: true });
  }

  /** True for any TurnError, also one from another copy of this package. */
  static is(value: unknown): value is TurnError {
    return typeof value === 'object' && value !== null && brand in value;
  }

  /** Anything thrown becomes a TurnError: aborts are `cancelled`, deadlines `upstream_timeout`, the unknown `internal`. */
  static from(reason: unknown): TurnError {
    if (TurnError.is(reason)) return reason;
    // By name, not by class: aborts and errors may come from another realm.
    const name = typeof reason === 'object' && reason !== null && 'name' in reason ? reason.name : '';
    if (name === 'AbortError')
      return new TurnError('cancelled', 'The client closed the request.', { layer: 'client', cause: reason });
    if (name === 'TimeoutError')
      return new TurnError('upstream_timeout', 'The upstream did not answer in time.', {
        layer: 'upstream',
        cause: reason,
      });
    return new TurnError('internal', 'Internal error.', { layer: 'internal', cause: reason });
  }
}
