import { setImmediate as nextTurn } from 'node:timers/promises';
import type http from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { parseSettings } from './config/parse-settings.ts';
import { runtimeSettings } from './config/runtime-settings.ts';
import { createRuntime, type Runtime } from './create-runtime.ts';
import { listen } from './http/listen.ts';

function makeRuntime(env: Record<string, string> = {}) {
  const settings = parseSettings(runtimeSettings, {
    ZAI_LOG_LEVEL: 'silent',
    ZAI_ADMIN_HOST: '127.0.0.1',
    ZAI_ADMIN_PORT: '0',
    ZAI_SHUTDOWN_TIMEOUT: '5',
    ...env,
  });
  return createRuntime({ name: 'test', version: '1.2.3', settings });
}

/** `run` opens the admin port before it calls `start`. */
async function start(runtime: Runtime): Promise<{ running: Promise<void> }> {
  const started = Promise.withResolvers<undefined>();
  const running = runtime.run(async () => started.resolve(undefined));
  await started.promise;
  return { running };
}

async function probe(port: number, path: string): Promise<{ status: number; text: string }> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  return { status: response.status, text: await response.text() };
}

describe('the admin port', () => {
  it('tells start, readiness with what is missing, and metrics', async () => {
    const runtime = makeRuntime();
    const release = Promise.withResolvers<undefined>();
    runtime.addReadinessDetail('upstream', () => 'challenged');
    runtime.addReadinessDetail('broken', () => {
      throw new Error('unknown');
    });
    const details = { upstream: 'challenged', broken: 'unknown: reading it failed' };
    const opened = Promise.withResolvers<undefined>();
    const running = runtime.run(async () => {
      opened.resolve(undefined);
      await release.promise;
    });
    await opened.promise;
    const port = runtime.adminPort;
    expect((await probe(port, '/livez')).status).toBe(200);
    expect((await probe(port, '/startupz')).status).toBe(503);
    const notReady = await probe(port, '/readyz');
    expect(notReady.status).toBe(503);
    expect(JSON.parse(notReady.text)).toEqual({ status: 'not ready', missing: { process: 'starting' }, details });
    release.resolve(undefined);
    await probe(port, '/livez');
    expect((await probe(port, '/startupz')).status).toBe(200);
    // The details are still bad: they are told, and decide nothing.
    expect(await probe(port, '/readyz')).toEqual({ status: 200, text: JSON.stringify({ status: 'ready', details }) });
    expect((await probe(port, '/metrics')).text).toContain('process_cpu_seconds_total');
    expect((await probe(port, '/constructor')).status).toBe(404);
    await runtime.stop('test');
    await running;
  });
});

describe('the stop', () => {
  it('runs the phases in order, is not ready meanwhile, and joins later calls', async () => {
    const runtime = makeRuntime();
    const order: string[] = [];
    let ready = 0;
    runtime.onStop('telemetry', 'flush', async () => void order.push('telemetry'));
    runtime.onStop('stores', 'redis', () => Promise.reject(new Error('gone')));
    runtime.onStop('servers', 'http', async () => {
      ready = (await probe(runtime.adminPort, '/readyz')).status;
      order.push('servers');
    });
    runtime.onStop('workers', 'refresher', async () => void order.push('workers'));
    const { running } = await start(runtime);
    process.emit('SIGTERM', 'SIGTERM');
    await Promise.all([runtime.stop('again'), running]);
    expect(order).toEqual(['servers', 'workers', 'telemetry']);
    expect(ready).toBe(503);
    expect(process.listenerCount('SIGTERM')).toBe(0);
  });

  it('lets a running stream finish within the deadline and refuses new connections', async () => {
    const runtime = makeRuntime();
    const responses: http.ServerResponse[] = [];
    const server = await listen(
      (_request, response) => {
        response.write('first ');
        responses.push(response);
      },
      { host: '127.0.0.1', port: 0 },
    );
    const stopBegan = Promise.withResolvers<undefined>();
    runtime.onStop('servers', 'http', (deadline) => {
      stopBegan.resolve(undefined);
      return server.stop(deadline);
    });
    const { running } = await start(runtime);
    const response = await fetch(`http://127.0.0.1:${server.port}/`);
    const stopping = runtime.stop('test');
    await stopBegan.promise;
    // Connections that have come already are still taken in.
    while (server.server.listening) await nextTurn();
    await expect(fetch(`http://127.0.0.1:${server.port}/`)).rejects.toThrow('fetch failed');
    responses[0]?.end('last');
    expect(await response.text()).toBe('first last');
    await Promise.all([stopping, running]);
  });

  it('cuts a stream that does not finish, and goes on past a step that hangs', async () => {
    const runtime = makeRuntime({ ZAI_SHUTDOWN_TIMEOUT: '0.2' });
    const server = await listen((_request, response) => void response.write('first '), { host: '127.0.0.1', port: 0 });
    runtime.onStop('servers', 'http', (deadline) => server.stop(deadline));
    runtime.onStop('workers', 'hangs', () => new Promise(() => undefined));
    const { running } = await start(runtime);
    const response = await fetch(`http://127.0.0.1:${server.port}/`);
    const startedAtMs = performance.now();
    await Promise.all([runtime.stop('test'), expect(response.text()).rejects.toThrow(), running]);
    expect(performance.now() - startedAtMs).toBeLessThan(2_000);
  });

  it('is forced by a second signal', async () => {
    const runtime = makeRuntime({ ZAI_SHUTDOWN_TIMEOUT: '600' });
    const server = await listen((_request, response) => void response.write('first '), { host: '127.0.0.1', port: 0 });
    const stopBegan = Promise.withResolvers<undefined>();
    runtime.onStop('servers', 'http', (deadline) => {
      stopBegan.resolve(undefined);
      return server.stop(deadline);
    });
    const { running } = await start(runtime);
    const response = await fetch(`http://127.0.0.1:${server.port}/`);
    process.emit('SIGINT', 'SIGINT');
    await stopBegan.promise;
    process.emit('SIGTERM', 'SIGTERM');
    await Promise.all([running, expect(response.text()).rejects.toThrow()]);
  });

  it('also stops what a slow start opens after the stop has begun', async () => {
    const runtime = makeRuntime();
    const late = Promise.withResolvers<string>();
    const starting = Promise.withResolvers<undefined>();
    const running = runtime.run(async () => {
      starting.resolve(undefined);
      await new Promise((resolve) => setImmediate(resolve));
      await runtime.stop('too early');
      runtime.onStop('servers', 'http', async () => late.resolve('closed'));
    });
    await starting.promise;
    await runtime.stop('test');
    await running;
    expect(await late.promise).toBe('closed');
  });

  it('stops in order when the start fails, and tells why', async () => {
    const runtime = makeRuntime();
    let closed = false;
    runtime.onStop('stores', 'redis', async () => void (closed = true));
    await expect(runtime.run(() => Promise.reject(new Error('no Redis')))).rejects.toThrow('no Redis');
    expect(closed).toBe(true);
  });
});
