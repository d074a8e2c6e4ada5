import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { text as readText } from 'node:stream/consumers';
import type { Logger } from '@zai2api/runtime';
import { TurnError } from '@zai2api/turn';
import { WebSocket, type RawData } from 'ws';
import { composeRequest } from './compose-request.ts';
import type { ConnectionConversations } from './conversations.ts';
import { errorFrame, errorFrameOfAnswer } from './error-frame.ts';
import type { FrameBudget } from './frame-budget.ts';
import type { InnerClient } from './inner-client.ts';
import { createLanes } from './lanes.ts';
import { answerPrewarm } from './prewarm.ts';
import { readClientEvent, type CreateEvent } from './read-client-event.ts';
import { createResponseEvents } from './response-events.ts';
import { createSender } from './sender.ts';

/** How long things last on a connection, in milliseconds (contract 2.8). */
export interface ConnectionTimes {
  /** Between two pings; a client that has not answered one when the next is due is gone. */
  readonly pingMs: number;
  /** Without a response that runs and without a word of the client. */
  readonly idleMs: number;
  /** From the upgrade on. */
  readonly maxAgeMs: number;
}

/** One client on a WebSocket. */
export interface ResponsesConnection {
  /** Lets the responses that run come to their end, then closes; cuts them when `deadline` aborts. Resolves when the connection is closed. */
  drain(deadline: AbortSignal): Promise<void>;
  /** How many creates were answered. */
  readonly responses: number;
}

/** What one WebSocket is served with. */
export interface ResponsesConnectionOptions {
  readonly socket: WebSocket;
  /** Of the upgrade; they go with every create. */
  readonly headers: IncomingHttpHeaders;
  readonly inner: InnerClient;
  readonly conversations: ConnectionConversations;
  readonly frames: FrameBudget;
  readonly times: ConnectionTimes;
  readonly logger: Logger;
}

/** A create with its part of the budget. */
interface HeldCreate {
  readonly event: CreateEvent;
  readonly release: () => void;
}

/** Close codes of RFC 6455. */
const NORMAL = 1000;
const GOING_AWAY = 1001;
const UNSUPPORTED_DATA = 1003;

const EVENT_STREAM = 'text/event-stream';

/** Serves Responses on an open WebSocket (contract 2.8). */
export function serveResponses(options: ResponsesConnectionOptions): ResponsesConnection {
  const { socket, headers, inner, conversations, frames, times, logger } = options;
  const gone = new AbortController();
  const sender = createSender(socket, gone);
  const lanes = createLanes<HeldCreate>(answer, onIdle);
  let responses = 0;
  let isAlive = true;
  /** No more creates are taken; what runs may finish. */
  let closing: { readonly code: number; readonly saysLimit: boolean } | undefined;

  const pings = setInterval(() => {
    if (isAlive) socket.ping();
    else socket.terminate();
    isAlive = false;
  }, times.pingMs);
  const idle = setTimeout(() => {
    if (lanes.isIdle) socket.close(NORMAL, 'idle');
    else idle.refresh();
  }, times.idleMs);
  const age = setTimeout(() => beginClosing({ code: NORMAL, saysLimit: true }), times.maxAgeMs);

  socket.on('pong', () => (isAlive = true));
  // The close that follows says all that there is to do.
  socket.on('error', () => undefined);
  socket.once('close', () => {
    clearInterval(pings);
    clearTimeout(idle);
    clearTimeout(age);
    gone.abort(new DOMException('The client closed the connection.', 'AbortError'));
    for (const { item } of lanes.clear()) item.release();
    conversations.close();
  });
  socket.on('message', (data, isBinary) => {
    isAlive = true;
    touch();
    if (isBinary) socket.close(UNSUPPORTED_DATA, 'only text frames are understood');
    else take(asText(data));
  });

  function take(text: string): void {
    const event = readClientEvent(text);
    if (event.kind === 'fault') fail(event.error, event.lane);
    if (event.kind !== 'create') return;
    if (closing !== undefined) {
      fail(limitReached(), event.event.lane);
      return;
    }
    let release: (() => void) | undefined;
    try {
      release = frames.claim(text.length);
      lanes.add(laneOf(event.event), { event: event.event, release });
    } catch (reason) {
      release?.();
      fail(TurnError.from(reason), event.event.lane);
    }
  }

  function fail(error: TurnError, lane: string | undefined): void {
    void sender.send(JSON.stringify(errorFrame(error)), lane);
  }

  /** Never rejects: the lane goes on with the next one. */
  async function answer({ event, release }: HeldCreate): Promise<void> {
    responses++;
    try {
      await (event.isPrewarm ? prewarm(event) : create(event));
    } catch (reason) {
      if (gone.signal.aborted) return;
      const error = TurnError.from(reason);
      if (error.details.layer !== 'client') logger.warn({ err: error }, 'a response over a websocket broke off');
      fail(error, event.lane);
    } finally {
      release();
    }
    touch();
  }

  /** The idle time begins anew. */
  function touch(): void {
    if (!gone.signal.aborted) idle.refresh();
  }

  async function prewarm(event: CreateEvent): Promise<void> {
    const { conversation } = composeRequest(event, findPrevious(event));
    const events = createResponseEvents({ conversation, previousResponseId: event.previousResponseId });
    for (const frame of events.push(Buffer.from(answerPrewarm(event)))) await sender.send(frame, event.lane);
    keep(event, events.ended);
  }

  async function create(event: CreateEvent): Promise<void> {
    const { body, conversation, hidesPrevious } = composeRequest(event, findPrevious(event));
    const response = await inner
      .post({ path: '/v1/responses', headers, body, signal: gone.signal })
      .catch((reason: unknown) => Promise.reject(lost(reason)));
    if (!isEventStream(response)) {
      const told = errorFrameOfAnswer(response.statusCode ?? 500, response.headers, await readJson(response));
      await sender.send(JSON.stringify(told), event.lane);
      return;
    }
    const events = createResponseEvents({
      conversation,
      previousResponseId: hidesPrevious ? event.previousResponseId : undefined,
    });
    try {
      for await (const chunk of response as AsyncIterable<Buffer>) {
        for (const frame of events.push(chunk)) await sender.send(frame, event.lane);
      }
    } catch (reason) {
      throw lost(reason);
    }
    if (!events.isOver) throw lost();
    keep(event, events.ended);
  }

  function findPrevious({ previousResponseId }: CreateEvent): ReturnType<ConnectionConversations['get']> {
    return previousResponseId === undefined ? undefined : conversations.get(previousResponseId);
  }

  function keep(event: CreateEvent, ended: ReturnType<typeof createResponseEvents>['ended']): void {
    if (ended !== undefined && !gone.signal.aborted) conversations.keep(laneOf(event), ended.id, ended.conversation);
  }

  function onIdle(): void {
    if (closing !== undefined) close(closing);
  }

  function beginClosing(how: { readonly code: number; readonly saysLimit: boolean }): void {
    closing ??= how;
    // Those that have not begun can begin elsewhere.
    for (const { item } of lanes.clear()) {
      item.release();
      fail(limitReached(), item.event.lane);
    }
    if (lanes.isIdle) close(closing);
  }

  function close({ code, saysLimit }: { readonly code: number; readonly saysLimit: boolean }): void {
    if (saysLimit) fail(limitReached(), undefined);
    socket.close(code);
  }

  return {
    get responses() {
      return responses;
    },
    async drain(deadline) {
      if (socket.readyState === WebSocket.CLOSED) return;
      const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
      const cut = (): void => socket.terminate();
      if (deadline.aborted) cut();
      deadline.addEventListener('abort', cut, { once: true });
      beginClosing({ code: GOING_AWAY, saysLimit: false });
      await closed;
      deadline.removeEventListener('abort', cut);
    },
  };
}

/** A create without a lane has one with all others of its kind; no client can name it. */
function laneOf({ lane = '' }: CreateEvent): string {
  return lane;
}

function isEventStream({ statusCode, headers }: IncomingMessage): boolean {
  return statusCode === 200 && (headers['content-type'] ?? '').startsWith(EVENT_STREAM);
}

async function readJson(response: IncomingMessage): Promise<unknown> {
  const body = await readText(response);
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return undefined;
  }
}

/** A text frame comes as one buffer, whose UTF-8 was checked. */
function asText(data: RawData): string {
  return Buffer.isBuffer(data) ? data.toString() : '';
}

function limitReached(): TurnError {
  return new TurnError(
    'invalid_request',
    'This connection takes no more responses: it has reached its time limit, or the server is about to end. Open a new one.',
    { layer: 'gateway', reason: 'websocket_connection_limit_reached' },
  );
}

function lost(cause?: unknown): TurnError {
  return new TurnError('upstream_failed', 'The answer ended before it was complete.', {
    layer: 'gateway',
    ...(cause !== undefined && { cause }),
  });
}
