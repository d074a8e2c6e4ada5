import { createRuntime, isRedisConfigured, listen, readPackageVersion, runMain, watchRedis } from '@zai2api/runtime';
import { createHttpBackend } from './backend/create-http-backend.ts';
import { loadGatewaySettings } from './config.ts';
import { createGateway } from './gateway.ts';
import { openRateLimiter } from './limits/open-rate-limiter.ts';

await runMain(async () => {
  const { runtime: runtimeSettings, redis, gateway: settings } = loadGatewaySettings(process.env);
  const runtime = createRuntime({
    name: 'gateway',
    version: readPackageVersion(import.meta.url),
    settings: runtimeSettings,
  });
  const { logger } = runtime;
  const backend = createHttpBackend({ translatorUrls: settings.translatorUrls, logger });
  const rateLimiter = openRateLimiter(settings.requestsPerMinute, redis, runtime);
  if (isRedisConfigured(redis)) {
    if (rateLimiter !== undefined) watchRedis(redis, runtime);
    else runtime.addReadinessDetail('redis', () => 'not used: no rate limit is set');
  }
  const gateway = createGateway({ settings, runtime, backend: backend.handle, rateLimiter });
  await runtime.run(async () => {
    const server = await listen(gateway.callback, {
      ...settings,
      draining: runtime.draining,
      upgrade: gateway.upgrade,
    });
    runtime.onStop('servers', 'public port', (deadline) => server.stop(deadline));
    runtime.onStop('stores', 'translator connections', () => backend.close());
    if (settings.openNotice !== undefined) logger.warn(settings.openNotice);
    logger.info({ host: server.host, port: server.port, translators: settings.translatorUrls }, 'listening');
  });
});
