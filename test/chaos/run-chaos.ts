import { startFakeUpstream } from '../fake-upstream/index.ts';
import { openRedisStore } from '../support/open-redis-store.ts';
import { startProcess } from '../support/start-process.ts';
import { startRedis } from '../support/start-redis.ts';
import { waitFor } from '../support/wait-for.ts';
import { judgeRun, type ChaosOptions, type ChaosReport } from './chaos-report.ts';
import { createDisturbances } from './disturb.ts';
import { offerLoad, requestNumberIn, type Load, type Outcome } from './offer-load.ts';
import { createRandom } from './random.ts';
import { startTranslatorFleet } from './translator-fleet.ts';
import { watchLimits } from './watch-limits.ts';
import { watchSlots } from './watch-slots.ts';

/** Turns at once on each guest. */
const CONCURRENCY = 2;
/** After this time a process that woke has ended the turns whose leases are somebody else's. */
const GRACE_MS = 2_000;
const LOOK_MS = 250;
const READY_MS = 60_000;
const SLACK_MS = 10_000;
const LAST_REQUESTS_PER_TRANSLATOR = 10;

/**
 * Translators on one Redis and one refresher, against the fake upstream: steady load at them, and disturbances at random. What must hold is
 * looked at all the time; when it is over, everything must be well again. Rejects only when the scene itself does not work.
 */
export async function runChaos({
  seconds,
  translators,
  guests,
  leaseSeconds,
  seed,
}: ChaosOptions): Promise<ChaosReport> {
  const random = createRandom(seed);
  const leaseMs = leaseSeconds * 1000;
  let load: Load | undefined;
  const limits = watchLimits({
    limit: CONCURRENCY,
    // The last renewal was a third of the time before the freeze, or a little more.
    shortestLeaseMs: leaseMs / 2,
    graceMs: GRACE_MS,
    translatorOf: ({ body }) => load?.translatorOf(requestNumberIn(JSON.stringify(body))),
  });
  await using upstream = await startFakeUpstreamIn(limits.onPlaceTaken);
  await using redis = await startRedis({ isOwn: true, env: { REDIS_COMMAND_TIMEOUT: '1' } });
  await using observer = await openRedisStore(redis.settings);
  const env = { ...redis.env, ZAI_API_BASE: upstream.url };
  const fleet = await startTranslatorFleet(translators, {
    ...env,
    ZAI_TRANSLATOR_HOST: '127.0.0.1',
    ZAI_TRANSLATOR_PORT: '0',
    ZAI_CREDENTIAL_LEASE: String(leaseSeconds),
  });
  const disturbances = createDisturbances({
    fleet,
    size: translators,
    redis,
    observer,
    leaseMs,
    random,
    startRefresher: () =>
      startProcess('token-refresher', {
        ...env,
        ZAI_ANON_POOL_SIZE: String(guests),
        ZAI_ANON_TOKEN_CONCURRENCY: String(CONCURRENCY),
        ZAI_ANON_MINTS_PER_HOUR: '10000',
        ZAI_AUTH_TOKEN_CACHE_TTL: '120',
        ZAI_REFRESH_INTERVAL: '5',
      }),
  });
  const slots = watchSlots(observer, leaseMs);
  const watching = setInterval(() => {
    limits.look();
    void slots.look();
  }, LOOK_MS);

  try {
    const readyGuests = async (): Promise<number> => (await observer.store.counts()).guest.ready;
    await waitFor(async () => (await readyGuests()) === guests, { withinMs: READY_MS, what: 'a full pool' });
    load = offerLoad({
      serving: () => fleet.serving(),
      // As many as there are slots: those of dead translators make the others wait.
      clients: guests * CONCURRENCY,
      longestMs: leaseMs * 1.5,
      random,
    });
    const startedAtMs = performance.now();
    await disturbances.run(AbortSignal.timeout(seconds * 1000));
    const chaosMs = performance.now() - startedAtMs;
    await fleet.allServing();
    await load.stop();
    // Nothing is disturbed any more, but the slots of the dead are still taken.
    const asked = Array.from({ length: LAST_REQUESTS_PER_TRANSLATOR }, () => fleet.serving()).flat();
    const last: Outcome[] = [];
    const askOn = async (): Promise<void> => {
      for (let next = asked.pop(); next; next = asked.pop()) last.push(await load!.ask(next));
    };
    await Promise.all(Array.from({ length: guests * CONCURRENCY }, askOn));
    const stoppedAtMs = performance.now();
    const isWhole = async (): Promise<boolean> => (await readyGuests()) === guests && upstream.runningStreams() === 0;
    const becameWhole = await waitFor(isWhole, { withinMs: leaseMs + SLACK_MS }).catch(() => false);
    return judgeRun({
      options: { seconds, translators, guests, leaseSeconds, seed },
      concurrency: CONCURRENCY,
      chaosMs,
      minted: upstream.issuedTokens().length,
      disturbances,
      limits: limits.figures,
      slots: slots.figures,
      outcomes: load.outcomes,
      last,
      wholeAfterMs: becameWhole ? performance.now() - stoppedAtMs : undefined,
    });
  } finally {
    clearInterval(watching);
    await load?.stop();
    await Promise.all([fleet.close(), disturbances.close()]);
  }
}

async function startFakeUpstreamIn(
  onPlaceTaken: NonNullable<Parameters<typeof startFakeUpstream>[0]>['onPlaceTaken'],
): Promise<Awaited<ReturnType<typeof startFakeUpstream>> & AsyncDisposable> {
  const upstream = await startFakeUpstream({
    settings: { perTokenConcurrency: CONCURRENCY },
    ...(onPlaceTaken && { onPlaceTaken }),
  });
  return { ...upstream, [Symbol.asyncDispose]: () => upstream.close() };
}
