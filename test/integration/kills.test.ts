import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { offerLoad, type Load, type Outcome } from '../chaos/offer-load.ts';
import { createRandom } from '../chaos/random.ts';
import type { Translator } from '../chaos/translator-fleet.ts';
import { startFakeUpstream } from '../fake-upstream/index.ts';
import { openRedisStore } from '../support/open-redis-store.ts';
import { startProcess, urlOf, type ServiceName, type ServiceProcess } from '../support/start-process.ts';
import { startRedis, type RedisServer } from '../support/start-redis.ts';
import { waitFor } from '../support/wait-for.ts';

/** Four processes start one after the other, and each is killed under load. */
jest.setTimeout(120_000);

const START_MS = 30_000;
/** Requests that are answered before the kill, and after it. */
const ANSWERS = 40;
const CLIENTS = 8;
/** After this time a Redis that is back serves again: its connections are made anew, and the pool is filled. */
const BACK_MS = 10_000;

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Scene {
  readonly redis: RedisServer;
  readonly refresher: ServiceProcess;
  readonly translators: readonly ServiceProcess[];
  readonly load: Load;
  /** Resolves when so many more requests were answered completely. */
  readonly untilAnswered: (count: number) => Promise<void>;
  /** Ends the load, prints the figures and gives the requests that failed. */
  readonly finish: (what: string) => Promise<readonly Outcome[]>;
}

/** A gateway in front of two translators on one Redis, with a refresher, under load. */
async function createScene(): Promise<Scene> {
  const upstream = await startFakeUpstream({ settings: { perTokenConcurrency: 4 } });
  closers.push(() => upstream.close());
  const redis = await startRedis({ isOwn: true, env: { REDIS_COMMAND_TIMEOUT: '0.5' } });
  closers.push(() => redis.close());
  const start = (service: ServiceName, env: Record<string, string>): ServiceProcess => {
    const started = startProcess(service, { ...redis.env, ZAI_API_BASE: upstream.url, ...env });
    closers.push(() => started.close());
    return started;
  };
  // Slots enough that those of a dead translator are not missed.
  const refresher = start('token-refresher', {
    ZAI_ANON_POOL_SIZE: '6',
    ZAI_ANON_TOKEN_CONCURRENCY: '4',
    ZAI_REFRESH_INTERVAL: '2',
  });
  const translators = [1, 2].map(() =>
    start('chat-translator', { ZAI_TRANSLATOR_HOST: '127.0.0.1', ZAI_TRANSLATOR_PORT: '0' }),
  );
  const urls = await Promise.all(translators.map(async ({ listening }) => urlOf(await listening)));
  const gateway = start('gateway', { ZAI_PORT: '0', ZAI_TRANSLATOR_URL: urls.join(',') });
  const target: Translator = { url: urlOf(await gateway.listening), killedAtMs: undefined, freezes: [] };
  {
    await using opened = await openRedisStore(redis.settings);
    await waitFor(async () => (await opened.store.counts()).guest.ready === 6, { withinMs: START_MS });
  }
  const load = offerLoad({
    serving: () => [target],
    clients: CLIENTS,
    longestMs: 1_500,
    leavingShare: 0,
    random: createRandom(7),
  });
  closers.push(() => load.stop());
  const countLines = (processes: readonly ServiceProcess[], message: string): number =>
    processes.reduce((sum, { logLines }) => sum + logLines.filter(({ msg }) => msg === message).length, 0);

  return {
    redis,
    refresher,
    translators,
    load,
    async untilAnswered(count) {
      const complete = (): number => load.outcomes.filter(({ result }) => result === 'complete').length;
      const wanted = complete() + count;
      await waitFor(() => complete() >= wanted, { withinMs: START_MS, what: `${count} more answers` });
    },
    async finish(what) {
      await load.stop();
      const failed = load.outcomes.filter(({ result }) => result !== 'complete');
      const passedOver = countLines([gateway], 'a translator cannot be reached');
      const triedAgain = countLines(translators, 'trying again');
      console.log(
        `kill -9 of ${what}: ${load.outcomes.length} requests, ${failed.length} failed, ` +
          `${passedOver} sent to another translator, ${triedAgain} tried again by a translator`,
      );
      return failed;
    },
  };
}

describe('kill -9 under load', () => {
  it('of the refresher fails no request', async () => {
    const { refresher, untilAnswered, finish } = await createScene();
    await untilAnswered(ANSWERS);
    refresher.kill('SIGKILL');
    await untilAnswered(ANSWERS);
    expect(await finish('the refresher')).toEqual([]);
  });

  it('of one of two translators fails what ran on it, and no new request', async () => {
    const { translators, untilAnswered, finish } = await createScene();
    await untilAnswered(ANSWERS);
    translators[0]!.kill('SIGKILL');
    await translators[0]!.exited;
    const goneAtMs = performance.now();
    await untilAnswered(ANSWERS);
    const failed = await finish('one of two translators');
    expect(failed.length).toBeLessThanOrEqual(CLIENTS);
    expect(failed.filter(({ fromMs }) => fromMs > goneAtMs)).toEqual([]);
  });

  it('of Redis fails new requests until it is back, and none after that', async () => {
    const { redis, load, untilAnswered, finish } = await createScene();
    await untilAnswered(ANSWERS);
    await redis.kill();
    const goneAtMs = performance.now();
    const refused = (): boolean => load.outcomes.filter(({ result }) => result !== 'complete').length > CLIENTS;
    await waitFor(refused, { withinMs: START_MS, what: 'refusals' });
    await redis.restart();
    const backAtMs = performance.now();
    await untilAnswered(ANSWERS);
    const failed = await finish('Redis');
    const lastMs = Math.max(...failed.map(({ fromMs }) => fromMs), backAtMs);
    console.log(
      `it was away for ${Math.round(backAtMs - goneAtMs)} ms; the last request that failed began ${Math.round(lastMs - backAtMs)} ms after`,
    );
    expect(lastMs - backAtMs).toBeLessThan(BACK_MS);
    // Those that ran went on, on the leases that they had.
    expect(failed.filter(({ fromMs, toMs }) => fromMs < goneAtMs - 500 && toMs > goneAtMs)).toEqual([]);
  });
});
