import { runMain } from '@zai2api/runtime';
import { loadStandaloneSettings } from './config.ts';
import { createStandalone } from './standalone.ts';

await runMain(() => createStandalone(loadStandaloneSettings(process.env)).run());
