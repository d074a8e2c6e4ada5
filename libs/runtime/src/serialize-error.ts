import { TurnError } from '@zai2api/turn';

const isTyped = (error: Error): boolean => TurnError.is(error) && error.details.layer !== 'internal';

/** How far a chain of causes is followed. */
const MAX_DEPTH = 5;

interface SerializedError {
  readonly type: string;
  readonly message: string;
  readonly code?: string | number;
  readonly layer?: string;
  readonly reason?: string;
  readonly stack?: string;
  readonly cause?: SerializedError;
  readonly errors?: readonly SerializedError[];
}

/**
 * An error for the log: type, message, code, stack, the chain of causes. Nothing else is taken over, because HTTP clients hang the
 * request with its headers on their errors.
 */
export function serializeError(error: unknown): unknown {
  return error instanceof Error || TurnError.is(error)
    ? serialize(error, 0)
    : { type: typeof error, message: String(error) };
}

function serialize(error: Error, depth: number): SerializedError {
  const code =
    'code' in error && (typeof error.code === 'string' || typeof error.code === 'number') ? error.code : undefined;
  const isDeep = depth >= MAX_DEPTH;
  return {
    type: error.name,
    message: error.message,
    ...(code !== undefined && { code }),
    ...(TurnError.is(error) && { layer: error.details.layer }),
    ...(TurnError.is(error) && error.details.reason !== undefined && { reason: error.details.reason }),
    // Where a typed error was made says nothing: it is a judgement of ours on what came from outside.
    ...(error.stack !== undefined && !isTyped(error) && { stack: error.stack }),
    ...(!isDeep && error.cause instanceof Error && { cause: serialize(error.cause, depth + 1) }),
    ...(!isDeep &&
      error instanceof AggregateError && {
        errors: error.errors.filter((each) => each instanceof Error).map((each) => serialize(each, depth + 1)),
      }),
  };
}
