import { text } from 'node:stream/consumers';
import { createSseDecoder, isRecord } from '@zai2api/dialects';
import { TurnError } from '@zai2api/turn';
import { answerPrewarm } from './answer-prewarm.ts';
import type { ConnectionMemory } from './connection-memory.ts';
import { encodeAnsweredError } from './error-frame.ts';
import type { InnerRequests } from './inner-requests.ts';

export interface AnswerCreateOptions {
  readonly inner: InnerRequests;
  /** Of the upgrade: who asks, in every request anew. */
  readonly headers: Readonly<Record<string, string>>;
  readonly memory: ConnectionMemory;
  /** Sends one event as JSON text; resolves when the client can take more. */
  readonly send: (event: string) => Promise<void>;
}

/** Fields of the frame that are no fields of the request (contract 2.8). */
const frameFields = new Set(['type', 'stream_id', 'event_id', 'generate', 'background', 'stream']);
/** Events that hold the response itself. */
const responseEvent = /^response\.(created|queued|in_progress|completed|incomplete|failed)$/;

/**
 * Answers one `response.create` with the events of a streamed `POST /v1/responses`, or with the events of a prewarm. Throws a TurnError when
 * the frame is refused here; rejects with the signal's reason when the client has left.
 */
export async function answerCreate(
  frame: Readonly<Record<string, unknown>>,
  lane: string,
  signal: AbortSignal,
  { inner, headers, memory, send }: AnswerCreateOptions,
): Promise<void> {
  const asked = Object.fromEntries(Object.entries(frame).filter(([field]) => !frameFields.has(field)));
  const body = memory.complete(asked);
  if (frame['generate'] === false) {
    const { id, events } = answerPrewarm({ ...body, stream: true });
    memory.remember(lane, id, body, []);
    for (const event of events) await send(event);
    return;
  }

  const response = await inner.send('/v1/responses', {
    headers: { ...headers, 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ ...body, stream: true }),
    signal,
  });
  const status = response.statusCode ?? 500;
  if (!String(response.headers['content-type']).startsWith('text/event-stream')) {
    await send(JSON.stringify(encodeAnsweredError(status, response.headers, JSON.parse(await text(response)))));
    return;
  }

  const previousId = asked['previous_response_id'];
  let frames: { readonly event: string | undefined; readonly data: string }[] = [];
  const decoder = createSseDecoder({ frame: (each) => void frames.push(each), run: () => false });
  for await (const bytes of response) {
    decoder.push(bytes as Uint8Array);
    const come = frames;
    frames = [];
    for (const { event = '', data } of come) {
      // The end marker is for event streams alone.
      if (event === '') continue;
      await send(responseEvent.test(event) ? readResponse(event, data) : event === 'error' ? asErrorEvent(data) : data);
    }
  }

  /** Remembers what ended well, and names what it went on from, also where only this connection knew it. */
  function readResponse(event: string, data: string): string {
    const parsed = JSON.parse(data) as { response: Record<string, unknown> };
    const { id, output } = parsed.response;
    if ((event === 'response.completed' || event === 'response.incomplete') && typeof id === 'string') {
      memory.remember(lane, id, body, Array.isArray(output) ? output : []);
    }
    if (body === asked || typeof previousId !== 'string') return data;
    parsed.response['previous_response_id'] = previousId;
    return JSON.stringify(parsed);
  }
}

/** The last frame of a stream whose inside was lost, as this protocol has errors. */
function asErrorEvent(data: string): string {
  const { error } = JSON.parse(data) as Record<string, unknown>;
  if (!isRecord(error)) throw new TurnError('internal', 'Internal error.', { layer: 'gateway' });
  return JSON.stringify(encodeAnsweredError(502, {}, { error }));
}
