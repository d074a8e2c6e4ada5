import { createRuntime, listen, readPackageVersion, runMain } from '@zai2api/runtime';
import { createHttpBackend } from './backend/create-http-backend.ts';
import { loadGatewaySettings } from './config.ts';
import { createGateway } from './gateway.ts';

await runMain(async () => {
  const { runtime: runtimeSettings, gateway: settings } = loadGatewaySettings(process.env);
  const runtime = createRuntime({
    name: 'gateway',
    version: readPackageVersion(import.meta.url),
    settings: runtimeSettings,
  });
  const { logger } = runtime;
  const backend = createHttpBackend({ translatorUrls: settings.translatorUrls, logger });
  const gateway = createGateway({ settings, runtime, backend: backend.handle });
  await runtime.run(async () => {
    const server = await listen(gateway.callback, { ...settings, draining: runtime.draining });
    runtime.onStop('servers', 'public port', (deadline) => server.stop(deadline));
    runtime.onStop('stores', 'translator connections', () => backend.close());
    if (settings.openNotice !== undefined) logger.warn(settings.openNotice);
    logger.info({ host: server.host, port: server.port, translators: settings.translatorUrls }, 'listening');
  });
});
