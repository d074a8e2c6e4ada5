export { loadStandaloneSettings, standaloneSettings, type StandaloneSettings } from './config.ts';
export { createStandalone, type Standalone, type StandaloneOptions } from './standalone.ts';
