import { createRedisCredentialStore } from '@zai2api/credentials';
import {
  closeRedis,
  ConfigError,
  createRuntime,
  isRedisConfigured,
  openRedis,
  parseSettings,
  readPackageVersion,
  runMain,
  watchRedis,
  webProfileOf,
} from '@zai2api/runtime';
import { refresherProcessSettings } from './config.ts';
import { openSharedRefill } from './shared-refill.ts';
import { createTokenRefresher } from './token-refresher.ts';

await runMain(async () => {
  const settings = parseSettings(refresherProcessSettings, process.env);
  if (!isRedisConfigured(settings)) {
    throw new ConfigError([
      'token-refresher: fills a store that other processes share. Set REDIS_URL (or REDIS_SENTINELS, REDIS_CLUSTER_NODES), ' +
        'or run standalone instead (npm start): it has the refresher inside and needs no Redis.',
    ]);
  }
  const profile = webProfileOf(settings);
  const runtime = createRuntime({ name: 'token-refresher', version: readPackageVersion(import.meta.url), settings });
  const { logger, registry } = runtime;
  const commands = openRedis(settings, { logger, role: 'guarded' });
  const subscriber = openRedis(settings, { logger, role: 'subscriber' });
  const store = createRedisCredentialStore({
    commands,
    subscriber,
    prefix: settings.REDIS_KEY_PREFIX,
    logger,
    commandTimeoutMs: settings.REDIS_COMMAND_TIMEOUT * 1000,
  });
  const { schedule, budget, stateStore, ...refill } = openSharedRefill(settings, logger);
  const refresher = createTokenRefresher({ settings, profile, store, schedule, budget, stateStore, logger, registry });

  await runtime.run(() => {
    watchRedis(settings, runtime);
    runtime.onStop('workers', 'token refresher', () => refresher.stop());
    // The guests stay: the other processes go on using them.
    runtime.onStop('stores', 'credentials', async (deadline) => {
      // Together: what the store still says goes out before each goodbye, and a Redis that does not answer is left after a second.
      const closing = [commands, subscriber].map((client) => closeRedis(client, deadline));
      await Promise.all([store.close(), refill.close(deadline), ...closing]);
    });
    refresher.start();
    return Promise.resolve();
  });
});
