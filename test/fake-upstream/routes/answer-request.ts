import type { IncomingMessage, ServerResponse } from 'node:http';
import { httpAnswers } from '../http-faults.ts';
import { answerControl } from './control.ts';
import { sendAnswer } from './exchange.ts';
import { bearerToken, createRecord, readContent } from './read-request.ts';
import { findRoute } from './route-table.ts';
import type { Exchange } from './exchange.ts';
import type { World } from '../state/world.ts';
import type { Identity } from '../state/identities.ts';

/** With `checkToken` off everybody is one guest, so that a bare `curl` works. */
const anybody: Identity = { userId: 'anybody', role: 'guest', name: 'Guest-0', email: 'Guest-0@guest.com' };

const base = 'http://simulator';

/** Reads one request, logs it, sends it to its route, and notes how its answer ended. Never rejects. */
export async function answerRequest(world: World, raw: IncomingMessage, response: ServerResponse): Promise<void> {
  const target = raw.url ?? '/';
  const url = new URL(URL.canParse(target, base) ? target : '/', base);
  response.sendDate = false;
  response.setHeader('date', new Date(world.nowMs()).toUTCString());
  const closed = new AbortController();
  response.once('close', () => closed.abort());
  // A write that meets a closed connection: the close itself has been noticed already.
  response.on('error', () => undefined);
  const content = await readContent(raw);
  if (!content || closed.signal.aborted) return;
  if (url.pathname.startsWith('/__control')) {
    answerControl(world, raw.method ?? '', url.pathname, content.toString('utf8'), response);
    return;
  }

  const settings = world.settings();
  const bearer = bearerToken(raw);
  const identity =
    (bearer === undefined ? undefined : world.identities.find(bearer)) ?? (settings.checkToken ? undefined : anybody);
  const record = await createRecord(raw, url, world.nextRequestId(), content, identity?.userId);
  const exchange: Exchange = {
    world,
    raw,
    response,
    record,
    content,
    settings,
    bearer,
    identity,
    signal: closed.signal,
  };
  const end = (): void => {
    if (response.writableFinished) record.finishedAtMs ??= Date.now();
    else if (record.finishedAtMs === undefined) record.abortedAtMs = Date.now();
    world.log.changed(record);
    world.onAnswered(record);
  };
  world.log.add(record);
  if (response.destroyed) {
    end();
    return;
  }
  closed.signal.addEventListener('abort', end, { once: true });
  await route(exchange);
}

async function route(exchange: Exchange): Promise<void> {
  const found = findRoute(exchange.record.path);
  const handle = found?.handlers[exchange.record.method];
  try {
    if (!found) sendAnswer(exchange, httpAnswers['404']);
    else if (!handle) sendAnswer(exchange, httpAnswers['405']);
    else await handle(exchange, found.id);
  } catch (reason) {
    if (exchange.signal.aborted) return;
    // A fault of the simulator itself: loud, and not to be taken for one of its switches.
    process.stderr.write(
      `fake upstream: ${reason instanceof Error ? (reason.stack ?? reason.message) : String(reason)}\n`,
    );
    exchange.response.destroy();
  }
}
