import { once } from 'node:events';
import http from 'node:http';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { abortOnClose, listen, type RunningServer } from '@zai2api/runtime';
import { createTextStream } from './text-stream.ts';

let server: RunningServer;
let arrived: PromiseWithResolvers<http.ServerResponse>;
beforeEach(async () => {
  arrived = Promise.withResolvers();
  server = await listen((_request, response) => arrived.resolve(response), { host: '127.0.0.1', port: 0 });
});
afterEach(() => server.stop(AbortSignal.abort()));

it('leaves a client that takes nothing', async () => {
  const client = http.get({ host: '127.0.0.1', port: server.port });
  client.on('error', () => undefined);
  const response = await arrived.promise;
  const signal = abortOnClose(response);
  const stream = createTextStream(response, { heartbeatMs: 0, signal, maxLagMs: 50 });
  const piece = 'x'.repeat(1024 * 1024);
  const left = once(signal, 'abort');
  while (!signal.aborted) await stream.write(piece);
  await left;
  expect(response.destroyed).toBe(true);
  client.destroy();
});

it('waits for one that takes a little now and then', async () => {
  const client = http.get({ host: '127.0.0.1', port: server.port });
  const response = await arrived.promise;
  const stream = createTextStream(response, { heartbeatMs: 0, signal: abortOnClose(response) });
  const total = 16 * 1024 * 1024;
  const read = (async () => {
    const [answer] = (await once(client, 'response')) as [http.IncomingMessage];
    let length = 0;
    for await (const chunk of answer) length += (chunk as Buffer).length;
    return length;
  })();
  for (let sent = 0; sent < total; sent += 1024 * 1024) await stream.write('x'.repeat(1024 * 1024));
  stream.end('');
  expect(await read).toBe(total);
});
