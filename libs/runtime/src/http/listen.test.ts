import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { PassThrough } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { listen, type RunningServer } from './listen.ts';

describe('listen', () => {
  let server: RunningServer | undefined;
  afterEach(() => server?.stop(AbortSignal.abort()));
  const start = async (handler: http.RequestListener): Promise<RunningServer> =>
    (server = await listen(handler, {
      host: '127.0.0.1',
      port: 0,
      upgrade: (_request, socket) => void socket.destroy(),
    }));

  it('does not wait for long for a connection that never carried a request', async () => {
    const running = await start((_request, response) => response.end());
    const socket = net.connect(running.port, running.host);
    await Promise.all([once(socket, 'connect'), once(running.server, 'connection')]);
    const closed = once(socket.resume(), 'close');
    await Promise.all([running.stop(AbortSignal.timeout(10_000)), closed]);
    expect(running.server.listening).toBe(false);
  });

  it('answers what comes on a connection that was made before the stop', async () => {
    const running = await start((_request, response) => response.end('ok'));
    const socket = net.connect(running.port, running.host);
    await Promise.all([once(socket, 'connect'), once(running.server, 'connection')]);
    const stopped = running.stop(AbortSignal.timeout(10_000));
    while (running.server.listening) await nextTurn();
    socket.end('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    await stopped;
    expect(text).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    expect(text).toContain('Connection: close');
  });

  it('lets a running response finish and closes its connection behind it', async () => {
    const begun = Promise.withResolvers<http.ServerResponse>();
    const running = await start((_request, response) => {
      response.write('one ');
      begun.resolve(response);
    });
    const request = http.get({ host: running.host, port: running.port, agent: new http.Agent({ keepAlive: true }) });
    const [answer] = (await once(request, 'response')) as [http.IncomingMessage];
    const stopped = running.stop(AbortSignal.timeout(10_000));
    (await begun.promise).end('two');
    let text = '';
    for await (const chunk of answer) text += String(chunk);
    await stopped;
    expect(text).toBe('one two');
  });

  it('serves while it drains, and lets no connection stay', async () => {
    const draining = new AbortController();
    const running = await listen((_request, response) => response.end('ok'), {
      host: '127.0.0.1',
      port: 0,
      draining: draining.signal,
    });
    server = running;
    const ask = async (): Promise<string | undefined> => {
      const request = http.get({ host: running.host, port: running.port, agent: new http.Agent({ keepAlive: true }) });
      const [answer] = (await once(request, 'response')) as [http.IncomingMessage];
      answer.resume();
      return answer.headers.connection;
    };
    expect(await ask()).toBe('keep-alive');
    draining.abort();
    expect(await ask()).toBe('close');
  });

  it('answers the next request of a connection whose last one was answered before its body was read', async () => {
    const running = await start((request, response) => {
      if (request.method === 'POST') {
        // Somebody begins to read, and leaves.
        const reader = request.pipe(new PassThrough());
        reader.once('readable', () => reader.destroy());
        reader.once('close', () => response.end('refused'));
      } else {
        response.end('answered');
      }
    });
    for (const framing of ['content-length: 1000000', 'transfer-encoding: chunked']) {
      const socket = net.connect(running.port, running.host);
      const body = 'a'.repeat(1_000_000);
      const sent = framing.includes('chunked') ? `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n` : body;
      socket.write(`POST / HTTP/1.1\r\nhost: x\r\n${framing}\r\n\r\n${sent}`);
      socket.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
      let text = '';
      for await (const chunk of socket) text += String(chunk);
      expect(text).toContain('refused');
      expect(text).toContain('answered');
    }
  });

  it('cuts what still runs at the deadline', async () => {
    const running = await start((_request, response) => response.write('one '));
    const request = http.get({ host: running.host, port: running.port });
    const [answer] = (await once(request, 'response')) as [http.IncomingMessage];
    const broken = once(answer, 'error');
    answer.resume();
    await running.stop(AbortSignal.abort());
    await expect(broken).resolves.toBeDefined();
  });

  it.each([
    ['no HTTP at all', 'hello\r\n\r\n', 400],
    ['a CONNECT', 'CONNECT a.example:443 HTTP/1.1\r\nhost: x\r\n\r\n', 400],
    ['a request without a host', 'GET / HTTP/1.1\r\n\r\n', 400],
    ['an upgrade without a host', 'GET / HTTP/1.1\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n', 400],
    ['headers without end', `GET / HTTP/1.1\r\nhost: x\r\nx-long: ${'a'.repeat(40_000)}\r\n\r\n`, 431],
  ])('answers %s in JSON', async (_name, bytes, status) => {
    const running = await start((_request, response) => response.end());
    const socket = net.connect(running.port, running.host);
    socket.end(bytes);
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    const [head = '', body = ''] = text.split('\r\n\r\n');
    expect(head).toContain(`HTTP/1.1 ${status} `);
    expect(head).toMatch(/x-request-id: req_/);
    expect(JSON.parse(body)).toMatchObject({ error: { type: 'invalid_request_error', param: null, code: null } });
  });

  it('serves a request whose expectation it does not know', async () => {
    const running = await start((_request, response) => response.end('ok'));
    const request = http.get({ host: running.host, port: running.port, headers: { expect: 'a miracle' } });
    const [answer] = (await once(request, 'response')) as [http.IncomingMessage];
    answer.resume();
    expect(answer.statusCode).toBe(200);
  });
});
