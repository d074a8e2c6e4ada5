import { TurnError } from '@zai2api/turn';
import { measureJson } from './measure-json.ts';

/** Deeper than any schema that people write, and far from where recursive code overflows its stack. */
const MAX_DEPTH = 200;
/** More than any conversation with all of its tools has; checking a million takes seconds in which nobody else is served. */
const MAX_VALUES = 100_000;

/**
 * The value of a client's JSON text, which may begin with a byte order mark (contract 5.6). Throws a TurnError `invalid_request` for text that
 * is no JSON, is nested too deep or has too many values.
 */
export function parseRequestJson(text: string): unknown {
  const { depth, values } = measureJson(text);
  if (depth > MAX_DEPTH) throw invalid(`The body is nested more than ${MAX_DEPTH} levels deep.`);
  if (values > MAX_VALUES) throw invalid(`The body has more than ${MAX_VALUES} values.`);
  try {
    return JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text) as unknown;
  } catch (cause) {
    throw invalid('The body is not valid JSON.', cause);
  }
}

function invalid(message: string, cause?: unknown): TurnError {
  return new TurnError('invalid_request', message, { layer: 'client', ...(cause !== undefined && { cause }) });
}
