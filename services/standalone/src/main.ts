import { findUnknownSettings, runMain } from '@zai2api/runtime';
import { loadStandaloneSettings, standaloneSettings } from './config.ts';
import { createStandalone } from './standalone.ts';

await runMain(() => {
  const unknownSettings = findUnknownSettings(standaloneSettings, process.env);
  return createStandalone(loadStandaloneSettings(process.env), { unknownSettings }).run();
});
