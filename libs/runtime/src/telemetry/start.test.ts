import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';

const run = promisify(execFile);
const sdkModules = "Object.keys(require.cache).filter((path) => path.includes('@opentelemetry/sdk-')).length";

/** How many modules of the SDK a process has that did nothing but start. */
async function loadedSdkModules(env: Readonly<Record<string, string>>): Promise<number> {
  const args = ['--conditions=@zai2api/source', '--import=@zai2api/runtime/telemetry', '-p', sdkModules];
  const { stdout } = await run(process.execPath, args, { env, cwd: fileURLToPath(new URL('.', import.meta.url)) });
  return Number(stdout);
}

describe('the start module', () => {
  it('loads nothing of the SDK when nobody wants traces, and all of it when somebody does', async () => {
    expect(await loadedSdkModules({})).toBe(0);
    expect(await loadedSdkModules({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' })).toBeGreaterThan(10);
  });
});
