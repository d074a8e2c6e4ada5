import { once } from 'node:events';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import Koa from 'koa';
import type { GatewayState } from '../gateway-state.ts';
import { dropStalledBody } from './drop-stalled-body.ts';

const SILENCE_MS = 100;

describe('dropStalledBody', () => {
  let server: http.Server | undefined;
  afterEach(() => void server?.close());

  async function start(): Promise<number> {
    const app = new Koa<GatewayState>();
    app.silent = true;
    app.use(dropStalledBody(SILENCE_MS));
    app.use(async (ctx) => {
      let length = 0;
      for await (const chunk of ctx.req) length += (chunk as Buffer).length;
      ctx.body = String(length);
    });
    server = http.createServer((request, response) => void app.callback()(request, response)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  it('closes a connection whose body does not go on', async () => {
    const socket = net.connect(await start(), '127.0.0.1');
    socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc');
    socket.resume();
    await once(socket, 'close');
  });

  it('lets a body come slowly', async () => {
    const socket = net.connect(await start(), '127.0.0.1');
    socket.write('POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 8\r\n\r\n');
    let sent = 0;
    const drip = setInterval(() => {
      socket.write('x');
      sent += 1;
      if (sent === 8) clearInterval(drip);
    }, SILENCE_MS / 2);
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    expect(text).toMatch(/^HTTP\/1\.1 200 [\s\S]*8$/);
  });
});
