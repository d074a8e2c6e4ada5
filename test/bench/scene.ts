import { once } from 'node:events';
import { join } from 'node:path';
import type { LoadJob, LoadResult } from './load-job.ts';
import type { Measurement, Round } from './measurements.ts';
import { createProcesses, type RunningProcess } from './processes.ts';
import { cpuMs } from './process-usage.ts';

/** The two that are compared. */
export type Side = 'product' | 'floor';

/** Which upstream both sides are asked through. */
export type Driver = 'web' | 'platform';

/** The four processes of a run: simulator, product, floor and load client. */
export interface Scene {
  readonly sides: Readonly<Record<Side, RunningProcess>>;
  /** One load on one side. Throws when an answer failed or lacked a token: a figure of broken answers means nothing. */
  round(side: Side, measurement: Measurement): Promise<Round>;
  /** Ends the product in order, then the others. */
  stop(): Promise<void>;
}

const API_KEY = 'benchmark-key';
/** Six characters, once per token, and in no frame but those of tokens. */
const TOKEN = 'token ';
const ROUND_TIMEOUT_MS = 90_000;
/** Above every number of clients that is measured, on all sides. */
const MAX_CLIENTS = 1_000;

/** Starts all four; `directory` gets the product's log. */
export async function startScene(
  directory: string,
  { driver, nodeFlags = [] }: { readonly driver: Driver; readonly nodeFlags?: readonly string[] },
): Promise<Scene> {
  const processes = createProcesses();
  const upstream = await processes.startScript('upstream-process.ts', { BENCH_TOKEN_CONCURRENCY: String(MAX_CLIENTS) });
  const floor = await processes.startScript('bare-pipe.ts', { BENCH_UPSTREAM: upstream.said, BENCH_DRIVER: driver });
  const client = await processes.startScript('load-client.ts', {});
  const product = await processes.startProduct({
    nodeFlags,
    logFile: join(directory, 'product.log'),
    env: {
      ZAI_UPSTREAMS: driver,
      ZAI_API_BASE: upstream.said,
      ZAI_PLATFORM_BASE: `${upstream.said}/api/paas/v4`,
      ZAI_PLATFORM_API_KEY: API_KEY,
      ZAI_PLATFORM_KEY_CONCURRENCY: String(MAX_CLIENTS),
      ZAI_HOST: '127.0.0.1',
      ZAI_PORT: '0',
      ZAI_ADMIN_HOST: '127.0.0.1',
      ZAI_ADMIN_PORT: '0',
      ZAI_API_KEY: API_KEY,
      ZAI_MAX_CONCURRENT_REQUESTS: String(MAX_CLIENTS),
      ZAI_ANON_TOKEN_CONCURRENCY: String(MAX_CLIENTS),
      ZAI_SHUTDOWN_TIMEOUT: '5',
    },
  });
  const sides = { product, floor };

  async function load(job: LoadJob): Promise<LoadResult> {
    client.child.send(job);
    const signal = AbortSignal.timeout(ROUND_TIMEOUT_MS);
    const [result] = (await once(client.child, 'message', { signal })) as [LoadResult];
    return result;
  }

  return {
    sides,
    async round(side, { title, scenario, stream, load: { clients, requestsPerClient, durationMs } }) {
      const { said: url, pid } = sides[side];
      const content = `[[scenario:${scenario} size=${TOKEN.length}]]`;
      const before = cpuMs(pid);
      const result = await load({
        url: side === 'product' ? `${url}/v1/chat/completions` : url,
        headers: { 'content-type': 'application/json', authorization: `Bearer ${API_KEY}` },
        body: JSON.stringify({ model: 'glm-4.7', stream, messages: [{ role: 'user', content }] }),
        clients,
        ...(requestsPerClient === undefined ? {} : { requestsPerClient }),
        ...(durationMs === undefined ? {} : { durationMs }),
        token: TOKEN,
        mark: stream || side === 'floor' ? '[DONE]' : '"finish_reason":"stop"',
      });
      const cpu = cpuMs(pid) - before;
      const expected = result.answers * Number(/tokens=(\d+)/.exec(scenario)?.[1]);
      if (result.failures > 0)
        throw new Error(`${side}, ${title}: ${result.failures} answers failed, first: ${result.firstFailure ?? ''}`);
      if (result.tokens !== expected)
        throw new Error(`${side}, ${title}: ${result.tokens} of ${expected} tokens were delivered.`);
      return { ...result, cpuMs: cpu };
    },
    stop: () => processes.stopAll(),
  };
}
