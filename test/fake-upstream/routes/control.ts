import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import { scenarios } from '../scenarios/scenarios.ts';
import type { ReceivedRequest } from '../received-request.ts';
import type { World } from '../state/world.ts';

/** Enough to tell two tokens apart, too little to use one. */
function shortenToken(text: string): string {
  return text.length <= 16 ? '…' : `${text.slice(0, 4)}…${text.slice(-6)}`;
}

const secretHeaders = ['authorization', 'cookie'];

/** The log as people may see it. */
function readableRequest(request: ReceivedRequest): unknown {
  const headers = Object.entries(request.headers).map(([name, value]) => [
    name,
    secretHeaders.includes(name) ? shortenToken(value) : value,
  ]);
  const query = Object.entries(request.query).map(([name, value]) => [
    name,
    name === 'token' ? shortenToken(value) : value,
  ]);
  return { ...request, headers: Object.fromEntries(headers) as unknown, query: Object.fromEntries(query) as unknown };
}

function changeByText(world: World, text: string): { status: number; body: unknown } {
  try {
    world.configure(JSON.parse(text));
    return { status: 200, body: world.settings() };
  } catch (reason) {
    const detail = reason instanceof z.ZodError ? z.prettifyError(reason) : 'The body is not JSON.';
    return { status: 400, body: { detail } };
  }
}

type Control = (world: World, text: string) => { status: number; body: unknown };

const controls: Readonly<Record<string, Control>> = {
  'GET /__control': (world) => ({ status: 200, body: world.settings() }),
  'POST /__control': changeByText,
  'POST /__control/reset': (world) => {
    world.reset();
    return { status: 200, body: world.settings() };
  },
  'GET /__control/log': (world) => ({ status: 200, body: world.log.entries.map(readableRequest) }),
  'GET /__control/scenarios': () => ({
    status: 200,
    body: Object.fromEntries(Object.entries(scenarios).map(([name, { description }]) => [name, description])),
  }),
};

/** Everything under `/__control`: switches and sight for people and other processes; never logged, never faulty. */
export function answerControl(
  world: World,
  method: string,
  path: string,
  text: string,
  response: ServerResponse,
): void {
  const control = controls[`${method} ${path.replace(/\/$/, '')}`];
  const { status, body } = control?.(world, text) ?? {
    status: 404,
    body: { detail: 'Not Found', controls: Object.keys(controls) },
  };
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
  response.end(`${JSON.stringify(body, null, 2)}\n`);
}
