import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { WebSocket, type ClientOptions } from 'ws';

/** An event of a response, or an error frame. */
export interface SocketEvent {
  readonly type: string;
  readonly stream_id?: string;
  readonly sequence_number?: number;
  readonly delta?: string;
  readonly status?: number;
  readonly error?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly response?: Readonly<Record<string, unknown>> & { readonly id: string; readonly output: readonly unknown[] };
}

/** A client of Responses over WebSocket that hides nothing. `await using` drops the connection. */
export interface ResponsesSocket extends Disposable {
  readonly socket: WebSocket;
  send(event: Readonly<Record<string, unknown>> | string): void;
  /** The next event; rejects when the connection ends before it. */
  next(): Promise<SocketEvent>;
  /** All events up to the first of this type, or up to an error frame; within one lane when it is named. */
  until(type: string, lane?: string): Promise<SocketEvent[]>;
  /** Close code. */
  readonly closed: Promise<number>;
}

const endings = new Set(['response.completed', 'response.incomplete', 'response.failed', 'error']);

/** True for the last event of a response. */
export const isEnding = ({ type }: SocketEvent): boolean => endings.has(type);

/** Resolves when the connection is open; rejects with `refused` when the upgrade is. */
export async function openResponsesSocket(
  url: string,
  headers: Readonly<Record<string, string>> = {},
  options: ClientOptions = {},
): Promise<ResponsesSocket> {
  const address = url.replace(/^http/, 'ws');
  const socket = new WebSocket(address.endsWith('/responses') ? address : `${address}/v1/responses`, {
    ...options,
    headers,
  });
  const events: SocketEvent[] = [];
  const waiters: PromiseWithResolvers<SocketEvent>[] = [];
  const closed = Promise.withResolvers<number>();
  let isClosed = false;
  socket.on('message', (data: Buffer, isBinary) => {
    if (isBinary) throw new Error('A binary frame came.');
    const event = JSON.parse(data.toString()) as SocketEvent;
    const waiter = waiters.shift();
    if (waiter) waiter.resolve(event);
    else events.push(event);
  });
  socket.once('close', (code) => {
    isClosed = true;
    closed.resolve(code);
    for (const waiter of waiters) waiter.reject(new Error(`The connection was closed with ${code}.`));
  });
  socket.on('error', () => undefined);
  await once(socket, 'open');

  async function next(): Promise<SocketEvent> {
    const event = events.shift();
    if (event) return event;
    if (isClosed) throw new Error('The connection is closed.');
    const waiter = Promise.withResolvers<SocketEvent>();
    waiters.push(waiter);
    return waiter.promise;
  }

  return {
    socket,
    closed: closed.promise,
    next,
    send: (event) => socket.send(typeof event === 'string' ? event : JSON.stringify(event)),
    async until(type, lane) {
      const found: SocketEvent[] = [];
      for (;;) {
        const event = await next();
        found.push(event);
        const isOfLane = lane === undefined || event.stream_id === lane;
        if (isOfLane && (event.type === type || event.type === 'error')) return found;
      }
    },
    [Symbol.dispose]: () => socket.terminate(),
  };
}

/** The answer to an upgrade that is refused. */
export async function refusedUpgrade(
  url: string,
  headers: Readonly<Record<string, string>> = {},
  path = '/v1/responses',
): Promise<{ status: number | undefined; headers: IncomingMessage['headers']; body: unknown }> {
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}${path}`, { headers });
  socket.on('error', () => undefined);
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode, headers: response.headers, body: JSON.parse(text) as unknown };
}

/** The text of a response's answer. */
export const outputText = (events: readonly SocketEvent[]): string =>
  events
    .filter(({ type }) => type === 'response.output_text.delta')
    .map(({ delta }) => delta ?? '')
    .join('');
