import { once } from 'node:events';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { WebSocket, WebSocketServer } from 'ws';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { waitFor } from '../support/wait-for.ts';
import { runCommand, tryCommand } from './support/run-command.ts';

const deploy = fileURLToPath(new URL('../../deploy/', import.meta.url));
let answer: http.RequestListener;
const gateway = http.createServer((request, response) => answer(request, response));
const sockets = new WebSocketServer({ noServer: true });
gateway.on('upgrade', (request, socket, head) =>
  sockets.handleUpgrade(request, socket, head, (webSocket) =>
    webSocket.on('message', (data: Buffer) =>
      webSocket.send(`${request.url ?? ''} ${String(request.headers['authorization'])} ${data.toString()}`),
    ),
  ),
);

let folder: string;
let container: string;
let port: number;
let url: string;

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port: free } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return free;
}

const logs = async (): Promise<string> => (await tryCommand('docker', ['logs', container])).stdout;

/** The configuration as a host without containers has it, on a free port and in front of the server above. */
beforeAll(async () => {
  gateway.listen(0, '127.0.0.1');
  await once(gateway, 'listening');
  port = await freePort();
  url = `http://127.0.0.1:${port}`;
  folder = await mkdtemp(join(tmpdir(), 'nginx-'));
  for (const file of ['nginx-main.conf', 'nginx.conf', 'nginx-proxy.conf'])
    await copyFile(join(deploy, file), join(folder, file));
  const edit = async (file: string, ...pairs: [string, string][]): Promise<void> => {
    let content = await readFile(join(folder, file), 'utf8');
    for (const [before, after] of pairs) {
      if (!content.includes(before)) throw new Error(`${file} lacks ${before}`);
      content = content.replace(before, after);
    }
    await writeFile(join(folder, file), content);
  };
  await edit('nginx.conf', ['listen 80;', `listen 127.0.0.1:${port};`], ['listen [::]:80;', '']);
  await edit('nginx-proxy.conf', ['gateway:8080', `127.0.0.1:${(gateway.address() as AddressInfo).port}`]);
  container = (
    await runCommand('docker', [
      ...[
        'run',
        '--detach',
        '--read-only',
        '--tmpfs',
        '/tmp',
        '--network',
        'host',
        '--volume',
        `${folder}:/etc/zai2api:ro`,
      ],
      ...['nginx:1-bookworm', 'sh', '-c'],
      "ln -s /etc/zai2api/nginx.conf /tmp/site.conf && exec nginx -c /etc/zai2api/nginx-main.conf -g 'daemon off;'",
    ])
  ).trim();
  await waitFor(async () => (await fetch(`${url}/nginx-health`)).ok, { withinMs: 30_000 });
});

afterAll(async () => {
  sockets.close();
  gateway.closeAllConnections();
  gateway.close();
  await runCommand('docker', ['rm', '--force', container]);
  await rm(folder, { recursive: true, force: true });
});

beforeEach(() => {
  answer = (request, response) => void request.resume().on('end', () => response.end('ok'));
});

describe('nginx in front of the gateway', () => {
  it('hands on each piece of a stream before the next one is made', async () => {
    const begun = Promise.withResolvers<http.ServerResponse>();
    answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: 1\n\n');
      begun.resolve(response);
    };
    const response = await fetch(`${url}/v1/chat/completions`, { method: 'POST', body: '{}' });
    const reader = response.body!.getReader();
    const next = async (): Promise<string> => Buffer.from((await reader.read()).value ?? []).toString();
    const inner = await begun.promise;
    expect(await next()).toBe('data: 1\n\n');
    for (const piece of [': keep-alive\n\n', 'data: 2\n\n']) {
      inner.write(piece);
      expect(await next()).toBe(piece);
    }
    inner.end();
    expect((await reader.read()).done).toBe(true);
    expect(response.headers.get('content-encoding')).toBeNull();
  });

  it('tells the gateway at once when the client leaves', async () => {
    const begun = Promise.withResolvers<http.ServerResponse>();
    answer = (_request, response) => {
      response.write('data: 1\n\n');
      begun.resolve(response);
    };
    const leaver = new AbortController();
    const response = await fetch(`${url}/v1/chat/completions`, { method: 'POST', body: '{}', signal: leaver.signal });
    const inner = await begun.promise;
    await response.body!.getReader().read();
    leaver.abort();
    await once(inner, 'close', { signal: AbortSignal.timeout(10_000) });
    expect(inner.writableFinished).toBe(false);
  });

  it('lets WebSockets through', async () => {
    const webSocket = new WebSocket(`ws://127.0.0.1:${port}/v1/responses?model=glm`, {
      headers: { authorization: 'Bearer sk-a' },
    });
    await once(webSocket, 'open', { signal: AbortSignal.timeout(10_000) });
    webSocket.send('hello');
    const [message] = (await once(webSocket, 'message', { signal: AbortSignal.timeout(10_000) })) as [Buffer];
    expect(String(message)).toBe('/v1/responses?model=glm Bearer sk-a hello');
    webSocket.close();
    await once(webSocket, 'close');
  });

  it('says who asked and how, and ends the inner connection with the answer', async () => {
    let seen: http.IncomingHttpHeaders = {};
    answer = (request, response) => {
      seen = request.headers;
      response.end('ok');
    };
    await (await fetch(`${url}/v1/models`, { headers: { 'x-forwarded-for': '203.0.113.9' } })).text();
    expect(seen).toMatchObject({
      host: `127.0.0.1:${port}`,
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      connection: 'close',
    });
  });

  it('takes the bodies that the gateway takes', async () => {
    answer = (request, response) => void text(request).then((body) => response.end(String(body.length)));
    const size = 32 * 1024 * 1024;
    const response = await fetch(url, { method: 'POST', body: Buffer.alloc(size, 'x') });
    expect(await response.text()).toBe(String(size));
  });

  it('refuses larger ones in JSON', async () => {
    const response = await fetch(url, { method: 'POST', body: Buffer.alloc(41 * 1024 * 1024, 'x') });
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ type: 'error', error: { type: 'request_too_large' } });
  });

  it('takes the first byte of an answer as it is, whatever its status', async () => {
    answer = (_request, response) => response.writeHead(503, { 'retry-after': '7' }).end('{"error":{}}');
    const response = await fetch(url);
    expect([response.status, response.headers.get('retry-after'), await response.text()]).toEqual([
      503,
      '7',
      '{"error":{}}',
    ]);
  });

  it('answers in JSON when no gateway does', async () => {
    answer = (request) => request.socket.destroy();
    const response = await fetch(`${url}/v1/messages`, { method: 'POST', body: '{}' });
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await response.json()).toMatchObject({ type: 'error', error: { code: 'upstream_unreachable' } });
  });

  it('logs neither query nor key', async () => {
    await (await fetch(`${url}/v1/logged?key=sk-in-the-query`, { headers: { 'x-api-key': 'sk-in-a-header' } })).text();
    const line = await waitFor(async () => (await logs()).split('\n').find((each) => each.includes('/v1/logged')), {
      withinMs: 10_000,
    });
    expect(JSON.parse(line)).toMatchObject({ method: 'GET', path: '/v1/logged', status: 200 });
    expect(await logs()).not.toContain('sk-in');
  });
});
