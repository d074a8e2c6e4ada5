import type { TurnError } from '@zai2api/turn';
import { isRecord } from '../../is-record.ts';
import { encodeResponseFailure } from './encode-error.ts';
import { encodeResponseEvent } from './response-event.ts';

/** How a response ends that nobody works on any more. */
export type ForcedEnd = { readonly status: 'cancelled' } | { readonly status: 'failed'; readonly error: TurnError };

/** The end of a response that was begun elsewhere. */
export interface ConcludedResponse {
  /** The response as JSON. */
  readonly response: string;
  /** Its last event as a frame, before and after its number, which is for somebody else to say. */
  readonly before: string;
  readonly after: string;
}

/** The stream behind the last event of a response (contract 2.7). */
export const STREAM_END = 'data: [DONE]\n\n';

/** Ends a response of which nothing but its JSON is known. */
export function concludeResponse(response: string, end: ForcedEnd): ConcludedResponse {
  const ended = JSON.stringify({
    ...parseResponse(response),
    status: end.status,
    ...(end.status === 'failed' && { error: encodeResponseFailure(end.error) }),
  });
  return { response: ended, ...encodeLastEvent(ended) };
}

/** The event that a response ended with, without its number. */
export function encodeLastEvent(response: string): Pick<ConcludedResponse, 'before' | 'after'> {
  const ended = parseResponse(response);
  // There is no event for a response that was called off that official clients know: its status says what it was.
  const type = ended.status === 'cancelled' ? 'incomplete' : ended.status;
  const frame = encodeResponseEvent(`response.${type}`, 0, { response: ended });
  const name = '"sequence_number":';
  const at = frame.indexOf(name) + name.length;
  return { before: frame.slice(0, at), after: frame.slice(at + 1) };
}

/** What a service that keeps responses reads in them. */
export interface ReadResponse {
  readonly status: string;
  readonly background: boolean;
  readonly output: readonly Readonly<Record<string, unknown>>[];
}

/** A response out of the JSON that this dialect made of it. */
export function parseResponse(response: string): ReadResponse {
  const value: unknown = JSON.parse(response);
  if (!isRecord(value)) throw new Error('A kept response is not an object.');
  const { status, background, output } = value;
  return {
    ...value,
    status: String(status),
    background: background === true,
    output: Array.isArray(output) ? output.filter(isRecord) : [],
  };
}
