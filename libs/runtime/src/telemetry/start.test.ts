import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';

const run = promisify(execFile);

/** What a process prints that starts as the services do and then runs `args`. */
async function printed(env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<string> {
  const flags = ['--conditions=@zai2api/source', '--import=@zai2api/runtime/telemetry'];
  const cwd = fileURLToPath(new URL('.', import.meta.url));
  return (await run(process.execPath, [...flags, ...args], { env, cwd })).stdout;
}

/** How many modules of the SDK a process has that did nothing but start. */
async function loadedSdkModules(env: Readonly<Record<string, string>>): Promise<number> {
  const count = "Object.keys(require.cache).filter((path) => path.includes('@opentelemetry/sdk-')).length";
  return Number(await printed(env, '-p', count));
}

describe('the start module', () => {
  it('loads nothing of the SDK when nobody wants traces, and all of it when somebody does', async () => {
    expect(await loadedSdkModules({})).toBe(0);
    expect(await loadedSdkModules({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' })).toBeGreaterThan(10);
  });

  it('shows paths of addresses that are ours, hides those of others, and all queries', async () => {
    const server = createServer((_request, response) => response.end('x')).listen({ host: '127.0.0.1', port: 0 });
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const script = `
      import { withHiddenAddress } from '@zai2api/runtime';
      const get = async (path) => void (await (await fetch('http://127.0.0.1:${port}/' + path + '?in-the-query')).text());
      await get('open-path');
      await withHiddenAddress(() => get('hidden-path'));`;
    const env = { OTEL_TRACES_EXPORTER: 'console', OTEL_SERVICE_NAME: 'named-by-the-operator' };
    const spans = await printed(env, '--input-type=module', '-e', script);
    server.close();
    expect(spans.match(/'url.full'/g)).toHaveLength(2);
    expect(spans).toContain(`'http://127.0.0.1:${port}/open-path'`);
    expect(spans).toContain(`'url.full': 'http://127.0.0.1:${port}',`);
    for (const hidden of ['hidden-path', 'in-the-query', 'url.query']) expect(spans).not.toContain(hidden);
    expect(spans).toContain("'service.name': 'named-by-the-operator'");
    expect(spans).toContain("'service.namespace': 'zai2api'");
  });
});
