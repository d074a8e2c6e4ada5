import type { IncomingMessage, ServerResponse } from 'node:http';
import { httpAnswers } from '../http-faults.ts';
import type { HttpAnswer, HttpFault } from '../http-faults.ts';
import type { OpenRequest } from '../received-request.ts';
import type { FakeUpstreamSettings } from '../settings.ts';
import type { Identity } from '../state/identities.ts';
import type { World } from '../state/world.ts';

/** One request on its way through the simulator. */
export interface Exchange {
  readonly world: World;
  readonly raw: IncomingMessage;
  readonly response: ServerResponse;
  readonly record: OpenRequest;
  /** The bytes of the body; `record.body` is what they mean. */
  readonly content: Buffer;
  /** The settings as they were when the request came in. */
  readonly settings: FakeUpstreamSettings;
  readonly bearer: string | undefined;
  /** Owner of a live Bearer token. */
  readonly identity: Identity | undefined;
  /** Aborts when the response closes, also after a finished answer. */
  readonly signal: AbortSignal;
}

/** Sets the status, also in the log, before a byte is written. */
export function startAnswer(exchange: Exchange, status: number, headers: Readonly<Record<string, string>>): void {
  exchange.record.status = status;
  exchange.world.log.changed(exchange.record);
  exchange.response.writeHead(status, headers);
}

/** A whole answer. */
export function sendAnswer(
  exchange: Exchange,
  answer: HttpAnswer,
  headers: Readonly<Record<string, string>> = {},
): void {
  startAnswer(exchange, answer.status, { 'content-type': answer.contentType, ...headers });
  exchange.response.end(answer.body);
}

export function sendJson(
  exchange: Exchange,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  sendAnswer(exchange, { status, contentType: 'application/json', body: JSON.stringify(body) }, headers);
}

/** Cuts the connection from this side; the log then says finished, not aborted. */
export function cutConnection(exchange: Exchange, how: 'close' | 'reset'): void {
  exchange.record.finishedAtMs = Date.now();
  if (how === 'reset') exchange.raw.socket.resetAndDestroy();
  else exchange.raw.socket.destroy();
}

/** Answers as the fault says; for `hang` it does nothing at all, and the client has to leave. */
export function sendFault(exchange: Exchange, fault: HttpFault): void {
  exchange.record.scenario = `fault-${fault}`;
  if (fault === 'reset') cutConnection(exchange, 'reset');
  else if (fault === 'hang') exchange.world.log.changed(exchange.record);
  else sendAnswer(exchange, httpAnswers[fault]);
}

/** The identity, or undefined after a 401 was sent. */
export function requireIdentity(exchange: Exchange): Identity | undefined {
  if (!exchange.identity) sendAnswer(exchange, httpAnswers['401']);
  return exchange.identity;
}
