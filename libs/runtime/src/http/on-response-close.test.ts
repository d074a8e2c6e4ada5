import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from '@jest/globals';
import { abortOnClose } from './abort-on-close.ts';
import { listen, type RunningServer } from './listen.ts';
import { onResponseClose } from './on-response-close.ts';

const servers: RunningServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop(AbortSignal.abort())));
});

async function serve(handler: http.RequestListener): Promise<RunningServer> {
  const server = await listen(handler, { host: '127.0.0.1', port: 0 });
  servers.push(server);
  return server;
}

async function connect(port: number, text: string): Promise<net.Socket> {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  await once(socket, 'connect');
  socket.write(text);
  return socket;
}

const GET = 'GET / HTTP/1.1\r\nHost: h\r\n\r\n';

describe('onResponseClose', () => {
  it('calls every listener once, also those that come late', async () => {
    const calls: string[] = [];
    const over = Promise.withResolvers<http.ServerResponse>();
    const { port } = await serve((_request, response) => {
      onResponseClose(response, () => calls.push('first'));
      onResponseClose(response, () => calls.push('second'));
      onResponseClose(response, () => over.resolve(response));
      expect(calls).toEqual([]);
      response.end('x');
    });
    await (await fetch(`http://127.0.0.1:${port}/`)).text();
    onResponseClose(await over.promise, () => calls.push('late'));
    expect(calls).toEqual(['first', 'second', 'late']);
  });

  it('tells of a pipelined response that waits for its turn when the connection breaks', async () => {
    const closed: string[] = [];
    const bothClosed = Promise.withResolvers<undefined>();
    const bothSeen = Promise.withResolvers<undefined>();
    let seen = 0;
    const { port } = await serve((request, response) => {
      onResponseClose(response, () => {
        closed.push(request.url ?? '');
        if (closed.length === 2) bothClosed.resolve(undefined);
      });
      if (++seen === 2) bothSeen.resolve(undefined);
    });
    const socket = await connect(port, GET + GET.replace('/', '/second'));
    await bothSeen.promise;
    socket.destroy();
    await bothClosed.promise;
    expect(closed.sort()).toEqual(['/', '/second']);
  });

  it('leaves no listener on a connection that is kept', async () => {
    const counts: number[] = [];
    const { port } = await serve((request, response) => {
      counts.push(request.socket.listenerCount('close'));
      response.end('x');
    });
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    for (let turn = 0; turn < 4; turn++) {
      const [response] = (await once(http.get({ port, agent }), 'response')) as [http.IncomingMessage];
      response.resume();
      await once(response, 'end');
    }
    agent.destroy();
    expect(new Set(counts.slice(1)).size).toBe(1);
  });
});

describe('abortOnClose', () => {
  it('aborts when the client leaves, not when it only ends its side, not after a finished answer', async () => {
    const signals: AbortSignal[] = [];
    const arrived: (() => void)[] = [];
    const { port } = await serve((request, response) => {
      signals.push(abortOnClose(response));
      if (request.url === '/answered') response.end('x');
      arrived.shift()?.();
    });
    const next = (): Promise<void> => new Promise((resolve) => arrived.push(resolve));

    await (await fetch(`http://127.0.0.1:${port}/answered`)).text();
    expect(signals[0]?.aborted).toBe(false);

    const half = next();
    const socket = await connect(port, GET);
    await half;
    socket.end();
    await (await fetch(`http://127.0.0.1:${port}/answered`)).text();
    expect(signals[1]?.aborted).toBe(false);

    socket.destroy();
    if (signals[1]?.aborted === false) await once(signals[1], 'abort');
    expect(signals[1]?.reason).toHaveProperty('name', 'AbortError');
  });
});

describe('listen', () => {
  it('answers a client that has ended its own side, and drops one that ends it within a stream', async () => {
    const responses: http.ServerResponse[] = [];
    let arrived = Promise.withResolvers<undefined>();
    const { port } = await serve((_request, response) => {
      responses.push(response);
      arrived.resolve(undefined);
    });
    const waiting = await connect(port, GET);
    await arrived.promise;
    waiting.end();
    const [interim] = (await once(waiting, 'data')) as [Buffer];
    expect(String(interim)).toContain('102 Processing');
    const rest = text(waiting);
    responses[0]?.end('the answer');
    expect(await rest).toContain('the answer');

    arrived = Promise.withResolvers<undefined>();
    const streaming = await connect(port, GET);
    await arrived.promise;
    responses[1]?.write('first');
    await once(streaming, 'data');
    streaming.end();
    await once(responses[1]!, 'close');
    streaming.destroy();
  });

  it('takes headers up to 32 KiB', async () => {
    const { port } = await serve((_request, response) => void response.end());
    const statusWith = async (length: number): Promise<number> =>
      (await fetch(`http://127.0.0.1:${port}/`, { headers: { 'x-long': 'a'.repeat(length) } })).status;
    expect(await statusWith(30_000)).toBe(200);
    expect(await statusWith(40_000)).toBe(431);
  });

  it('rejects when the address is taken', async () => {
    const { port } = await serve(() => undefined);
    await expect(listen(() => undefined, { host: '127.0.0.1', port })).rejects.toThrow('EADDRINUSE');
  });

  it('closes a kept connection once its last answer is sent while stopping', async () => {
    const responses: http.ServerResponse[] = [];
    const arrived = Promise.withResolvers<undefined>();
    const server = await serve((_request, response) => {
      response.write('a');
      responses.push(response);
      arrived.resolve(undefined);
    });
    const socket = await connect(server.port, GET);
    await arrived.promise;
    const stopped = server.stop(new AbortController().signal);
    responses[0]?.end('b');
    await Promise.all([stopped, once(socket.resume(), 'end')]);
    socket.destroy();
  });
});
