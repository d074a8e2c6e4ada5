import { createSseDecoder, isRecord } from '@zai2api/dialects';
import type { Conversation } from './conversations.ts';
import { errorFrameOfEvent } from './error-frame.ts';

/** What came out of a response, when it can be gone on from. */
export interface EndedResponse {
  readonly id: string;
  readonly conversation: Conversation;
}

/** Turns the event stream of one response into frames. */
export interface ResponseEvents {
  /** The frames that have become whole, as JSON objects. */
  push(bytes: Uint8Array): string[];
  /** Whether the stream came to its end, well or not: if not, the client waits for more. */
  readonly isOver: boolean;
  readonly ended: EndedResponse | undefined;
}

/** What the events of a response are read for. */
export interface ResponseEventsOptions {
  /** What the response answers to. */
  readonly conversation: Conversation;
  /** To be told as `previous_response_id` where the response does not know it. */
  readonly previousResponseId: string | undefined;
}

/** Events with the whole response in them, some of which are its last. */
const withResponse = /^response\.(?:created|queued|in_progress|completed|incomplete|failed|cancelled)$/;
const isLast = /^(?:error|response\.(?:completed|incomplete|failed|cancelled))$/;
/** These can be gone on from. */
const isWhole = /^response\.(?:completed|incomplete)$/;

/** For one response. Most events pass as they are, unread. */
export function createResponseEvents({ conversation, previousResponseId }: ResponseEventsOptions): ResponseEvents {
  let frames: string[] = [];
  let isOver = false;
  let ended: EndedResponse | undefined;

  function read(event: string, data: string): string {
    if (event === 'error') return JSON.stringify(errorFrameOfEvent(JSON.parse(data)));
    if (!withResponse.test(event) || (previousResponseId === undefined && !isWhole.test(event))) return data;
    const parsed: unknown = JSON.parse(data);
    if (!isRecord(parsed) || !isRecord(parsed['response'])) return data;
    const response = parsed['response'];
    if (isWhole.test(event)) ended = endOf(response, conversation);
    if (previousResponseId === undefined) return data;
    return JSON.stringify({ ...parsed, response: { ...response, previous_response_id: previousResponseId } });
  }

  const decoder = createSseDecoder({
    frame({ event, data }) {
      // The mark of the end is for event streams only.
      if (event === undefined || isOver) return;
      frames.push(read(event, data));
      isOver = isLast.test(event);
    },
    run: () => false,
  });

  return {
    push(bytes) {
      decoder.push(bytes);
      const whole = frames;
      frames = [];
      return whole;
    },
    get isOver() {
      return isOver;
    },
    get ended() {
      return ended;
    },
  };
}

/** A response that is stored is gone on from there; of one that is not, the conversation is all that there is. */
function endOf(response: Readonly<Record<string, unknown>>, asked: Conversation): EndedResponse | undefined {
  const { id, store, output } = response;
  if (typeof id !== 'string') return undefined;
  if (store === true) return { id, conversation: { storedId: id, items: '' } };
  const answered = Array.isArray(output) ? JSON.stringify(output).slice(1, -1) : '';
  const items = [asked.items, answered].filter((part) => part !== '').join(',');
  return { id, conversation: { storedId: asked.storedId, items } };
}
