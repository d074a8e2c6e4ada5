import type { Conversation } from './conversations.ts';
import type { CreateEvent } from './read-client-event.ts';

/** A create as it is posted, and what it adds up to. */
export interface ComposedRequest {
  readonly body: string;
  /** What the answer is an answer to: with its output, what the next create can go on from. */
  readonly conversation: Conversation;
  /** The client goes on from a response of whose id the posted request says nothing. */
  readonly hidesPrevious: boolean;
}

/** The body to post for a create that goes on from `previous`, when that is known here. */
export function composeRequest(
  { body, items, previousResponseId }: CreateEvent,
  previous: Conversation | undefined,
): ComposedRequest {
  const storedId = previous ? previous.storedId : previousResponseId;
  const all = [previous?.items ?? '', items ?? ''].filter((part) => part !== '').join(',');
  const rest = JSON.stringify({
    ...body,
    stream: true,
    ...(storedId !== undefined && { previous_response_id: storedId }),
  });
  return {
    body: all === '' ? rest : `{"input":[${all}],${rest.slice(1)}`,
    conversation: { storedId, items: all },
    hidesPrevious: storedId !== previousResponseId,
  };
}
