import { ConfigError, parseSettings, runMain, runtimeSettings, webUpstreamSettings } from '@zai2api/runtime';
import { tokenRefresherSettings } from './config.ts';

await runMain(() => {
  parseSettings({ ...runtimeSettings, ...webUpstreamSettings, ...tokenRefresherSettings }, process.env);
  return Promise.reject(
    new ConfigError([
      'token-refresher: fills a store that other processes share, and this version has only the in-memory store of one process. ' +
        'Run standalone instead (npm start): it has the refresher inside.',
    ]),
  );
});
