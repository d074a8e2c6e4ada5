import { isRecord } from '@zai2api/dialects';
import type { Logger } from '@zai2api/runtime';
import { TurnError } from '@zai2api/turn';
import { WebSocket, type RawData } from 'ws';
import { answerCreate } from './answer-create.ts';
import { createConnectionMemory } from './connection-memory.ts';
import { connectionLimitReached, encodeErrorEvent, invalidFrame } from './error-frame.ts';
import type { InnerRequests } from './inner-requests.ts';

export interface ServeConnectionOptions {
  readonly inner: InnerRequests;
  readonly headers: Readonly<Record<string, string>>;
  readonly limits: ConnectionLimits;
  readonly logger: Logger;
}

/** How long connections live, in milliseconds. */
export interface ConnectionLimits {
  /** Silence before a ping; a ping without an answer until the next one ends the connection. */
  readonly pingMs: number;
  /** Without any request. */
  readonly idleMs: number;
  /** Altogether; a running response is finished first. */
  readonly lifetimeMs: number;
}

/** A connection that is served. */
export interface ServedConnection {
  /** Takes no further requests, finishes those that run, and closes. Resolves when it is closed. */
  drain(): Promise<void>;
  /** Cuts it. */
  terminate(): void;
}

const MAX_LANES = 8;
/** Requests of one lane that wait for those before them. */
const MAX_WAITING = 16;
const STREAM_ID = /^[A-Za-z0-9_.-]{1,256}$/;
/** Text that waits for a client; beyond it the answer is read no further. */
const MAX_BUFFERED_BYTES = 1024 * 1024;
/** Close codes of RFC 6455. */
const NORMAL = 1000;
const GOING_AWAY = 1001;
const UNSUPPORTED_DATA = 1003;

/** Serves Responses on an accepted WebSocket until it is closed (contract 2.8). */
export function serveConnection(socket: WebSocket, options: ServeConnectionOptions): ServedConnection {
  const { inner, headers, limits, logger } = options;
  const leaving = new AbortController();
  const closed = Promise.withResolvers<undefined>();
  const memory = createConnectionMemory();
  const lanes = new Map<string, { waiting: number; last: Promise<void> }>();
  let isEnding = false;
  let endCode = NORMAL;
  let isAlive = true;

  const ping = setInterval(() => {
    if (!isAlive) {
      socket.terminate();
      return;
    }
    isAlive = false;
    socket.ping();
  }, limits.pingMs);
  const idle = setTimeout(() => end(NORMAL), limits.idleMs);
  const lifetime = setTimeout(() => {
    if (lanes.size === 0) send(encodeErrorEvent(connectionLimitReached()));
    end(NORMAL);
  }, limits.lifetimeMs);

  const hasLeft = (): boolean => leaving.signal.aborted;

  function end(code: number): void {
    isEnding = true;
    endCode = code;
    if (lanes.size === 0) socket.close(endCode);
  }

  function send(event: Readonly<Record<string, unknown>>): void {
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(event));
  }

  async function sendEvent(event: string, streamId: string | undefined): Promise<void> {
    const tagged = streamId === undefined ? event : `{"stream_id":${JSON.stringify(streamId)},${event.slice(1)}`;
    if (socket.readyState !== WebSocket.OPEN) return;
    if (socket.bufferedAmount < MAX_BUFFERED_BYTES) {
      socket.send(tagged);
      return;
    }
    // Written, or the connection is gone: the abort tells which.
    await new Promise<void>((resolve) => socket.send(tagged, () => resolve()));
  }

  function queue(frame: Readonly<Record<string, unknown>>, streamId: string | undefined): void {
    const name = streamId ?? '';
    const lane = lanes.get(name) ?? { waiting: 0, last: Promise.resolve() };
    if (!lanes.has(name) && lanes.size >= MAX_LANES) throw tooMany(`No more than ${MAX_LANES} lanes run at once.`);
    if (lane.waiting >= MAX_WAITING) throw tooMany('Too many responses wait in this lane.');
    lanes.set(name, lane);
    lane.waiting += 1;
    clearTimeout(idle);
    lane.last = lane.last
      .then(() => answer(frame, streamId))
      .finally(() => {
        lane.waiting -= 1;
        if (lane.waiting > 0) return;
        lanes.delete(name);
        if (lanes.size > 0) return;
        idle.refresh();
        if (isEnding) socket.close(endCode);
      });
  }

  async function answer(frame: Readonly<Record<string, unknown>>, streamId: string | undefined): Promise<void> {
    if (hasLeft()) return;
    const emit = (event: string): Promise<void> => sendEvent(event, streamId);
    try {
      await answerCreate(frame, streamId ?? '', leaving.signal, { inner, headers, memory, send: emit });
    } catch (reason) {
      if (hasLeft()) return;
      const error = TurnError.from(reason);
      if (error.code === 'internal') logger.error({ err: error }, 'a response over a WebSocket broke off');
      send(tag(encodeErrorEvent(error), streamId));
    }
  }

  function take(data: RawData): void {
    const frame = parse(data);
    const { type, stream_id: streamId } = frame;
    // A client's notes about what it did with a response ask for nothing.
    if (type === 'response.processed') return;
    if (type !== 'response.create') throw invalidFrame('This type of event is not supported.', 'type');
    if (streamId !== undefined && streamId !== null && !(typeof streamId === 'string' && STREAM_ID.test(streamId))) {
      throw invalidFrame("Invalid value for 'stream_id': expected 1 to 256 of A-Z a-z 0-9 _ . -", 'stream_id');
    }
    if (isEnding) throw connectionLimitReached();
    queue(frame, streamId ?? undefined);
  }

  socket.on('pong', () => (isAlive = true));
  socket.on('message', (data, isBinary) => {
    isAlive = true;
    if (isBinary) {
      socket.close(UNSUPPORTED_DATA, 'Frames are text.');
      return;
    }
    try {
      take(data);
    } catch (reason) {
      send(encodeErrorEvent(TurnError.from(reason)));
    }
  });
  // Too large or broken frames: the library closes the connection with the right code.
  socket.on('error', (reason) => logger.debug({ err: reason }, 'a WebSocket broke'));
  socket.once('close', () => {
    clearInterval(ping);
    clearTimeout(idle);
    clearTimeout(lifetime);
    leaving.abort();
    closed.resolve(undefined);
  });

  return {
    drain() {
      end(GOING_AWAY);
      return closed.promise;
    },
    terminate: () => socket.terminate(),
  };
}

function parse(data: RawData): Readonly<Record<string, unknown>> {
  let frame: unknown;
  try {
    frame = JSON.parse((data as Buffer).toString());
  } catch {
    throw invalidFrame('The frame is not valid JSON.');
  }
  if (!isRecord(frame)) throw invalidFrame('The frame must be a JSON object.');
  return frame;
}

const tooMany = (message: string): TurnError =>
  new TurnError('rate_limited', message, { layer: 'gateway', reason: 'concurrency_limit_exceeded' });

const tag = (
  event: Readonly<Record<string, unknown>>,
  streamId: string | undefined,
): Readonly<Record<string, unknown>> => (streamId === undefined ? event : { ...event, stream_id: streamId });
